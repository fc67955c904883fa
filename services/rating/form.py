"""What the rating form shows of a household's or enterprise's rating: how it was judged, and who decided what."""

from __future__ import annotations

from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.errors import UsageError
from huilian.county.forms import Form
from huilian.policy.rating import REASONS
from huilian.policy.reading import Reading
from schemas import rating_form
from schemas.ratings import INDICATOR, RATED_HOUSEHOLD
from schemas.records import HOUSEHOLD_CATEGORY
from services.rating.assessments import MALICIOUS_DEFAULT
from services.rating.states import Case, path, step_titles

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy

__all__ = ["FORM", "QUERY", "rating_form_of"]

_HUNDRED: Final = Decimal(100)
_TWO_PLACES: Final = Decimal("0.01")
_NOTHING: Final = Decimal(0)
_KINDS: Final = RATED_HOUSEHOLD | HOUSEHOLD_CATEGORY
_DECIDED: Final = {
    "approve": "同意", "approve_to_post": "同意", "approve_last": "同意", "refuse": "不同意",
    "send_back": "退回", "return": "退回",
}  # fmt: skip
_APPROVES: Final = ("approve", "approve_to_post", "approve_last")
_ANEW: Final = frozenset({"return", "uphold"})
"""Moves after which a rating is reviewed from its beginning."""


def rating_form_of(
    transaction: Transaction, *, number: str, region: str | None, policy: Policy, today: dt.date
) -> dict[str, Any]:
    """Return what the rating service knows of a form, see `schemas.rating_form`.

    Args:
        transaction: in which it is read.
        number: of the household or enterprise; its rating in force, or the newest where none is.
        region: within which it must lie, where that is said.
        policy: the county's.
        today: the county's day.

    Raises:
        UsageError: HL7027, there is no rating of it.
    """
    rating = transaction.row(
        "SELECT * FROM rating.assessment WHERE borrower_no = %(number)s AND region LIKE %(region)s"
        " ORDER BY state = 'active' DESC, assessment.number DESC LIMIT 1",
        {"number": number, "region": f"{region or ''}%"},
    )
    if rating is None:
        raise UsageError("HL7027", number=number)
    # A grade that was changed by what a borrower did rests on the reviews of the rating before it.
    rests_on = transaction.rows(
        "SELECT number FROM rating.assessment WHERE (borrower, borrower_no) = (%(borrower)s, %(borrower_no)s)"
        " AND number <= %(number)s AND (number = %(number)s OR approved_on = %(approved_on)s)",
        rating,
    )
    numbers = [row["number"] for row in rests_on]
    return {
        "number": rating["number"],
        "is_enterprise": rating["borrower"] == "enterprise",
        "borrower_no": number,
        "region": rating["region"],
        "kind": _KINDS.get(rating["household_kind"] or "", rating["household_kind"]),
        "age": rating["age"],
        "collected_on": rating["collected_on"].isoformat(),
        "entered_by": rating["entered_by"],
        **_judged(rating, policy),
        "groups": _groups(transaction, rating, numbers),
        "opinions": _opinions(transaction, rating, numbers, policy),
        "postings": _postings(transaction, numbers),
        "lines": _lines(transaction, rating, today),
        "valid_from": _day(rating["valid_from"]),
        "valid_until": _day(rating["valid_until"]),
        "policy": rating["policy"],
    }


def _judged(rating: Mapping[str, Any], policy: Policy) -> dict[str, Any]:
    """Return indicators, score, grade and line, and what stands against them, in words."""
    situation = {
        "borrower": rating["borrower"],
        "household_kind": rating["household_kind"],
        "event": rating["collected_on"],
        "region_list": policy.vocabulary.region_list_of(rating["region"]),
    }
    weights = Reading(policy, None).value("rating.weights", situation) or {}
    points = dict(each.split("=") for each in rating["indicators"].split(";") if each)
    adds = {code: Decimal(points[code]) * weights.get(code, _NOTHING) / _HUNDRED for code in points}
    score, line = rating["score"], rating["line"]
    further = None if score is None else score - sum(adds.values(), _NOTHING).quantize(_TWO_PLACES)
    titles = {MALICIOUS_DEFAULT: "恶意违约"}
    titles |= {entry["ground"]: entry["title"] for entry in policy.general.lists.get("rating.exclusions", ())}
    titles |= {code: chinese for code, (chinese, _) in REASONS.items()}
    return {
        "indicators": [
            {
                "code": code,
                "name": INDICATOR.get(code, code),
                "weight": f"{weights.get(code, _NOTHING).normalize():f}",
                "points": points[code],
                "adds": f"{adds[code].quantize(_TWO_PLACES):f}",
            }
            for code in (*(each for each in weights if each in points), *sorted(points.keys() - weights.keys()))
        ],
        "further_points": f"{further:f}" if further else None,
        "score": None if score is None else f"{score:f}",
        "grade": rating["grade"],
        "line": None if line is None else money.text(line),
        "exclusions": _named(rating["exclusions"], titles),
        "refused": _named(rating["refused"], titles),
    }


def _named(codes: str, titles: Mapping[str, str]) -> list[str]:
    return [titles.get(code, code) for code in codes.split(";") if code]


def _groups(transaction: Transaction, rating: Mapping[str, Any], numbers: list[int]) -> list[dict[str, Any]]:
    """Return the groups of the household's village, township and county: the newest by the day of the approval.

    That is the day on which the member that filed it approved last, or else anybody did; what was filed since had no
    part in it.
    """
    rows = transaction.rows(
        """
        WITH approved AS (
            SELECT member, max(date) AS date FROM rating.step
            WHERE assessment = ANY(%(numbers)s) AND move = ANY(%(approves)s) GROUP BY member
        )
        SELECT DISTINCT ON (g.region) g.region, g.members, g.representatives, g.plan, g.date AS filed_on
        FROM rating.working_group g LEFT JOIN approved a ON a.member = g.member
        WHERE %(region)s LIKE g.region || '%%'
          AND g.date <= coalesce(a.date, (SELECT max(date) FROM approved), 'infinity')
        ORDER BY g.region DESC, g.date DESC
        """,
        {"region": rating["region"], "numbers": numbers, "approves": list(_APPROVES)},
    )
    return [row | {"filed_on": _day(row["filed_on"])} for row in rows]


def _opinions(
    transaction: Transaction, rating: Mapping[str, Any], numbers: list[int], policy: Policy
) -> list[dict[str, Any]]:
    """Return what each review decided, in the policy's order, those to come without a decision."""
    case = Case(rating["borrower"], rating["household_kind"], rating["collected_on"], rating["line"])
    named = step_titles(policy)
    decided: dict[str, dict[str, Any]] = {}
    for step in transaction.rows("SELECT * FROM rating.step WHERE assessment = ANY(%s) ORDER BY number", [numbers]):
        if step["move"] in _ANEW:
            decided.clear()
        if step["move"] in _DECIDED:
            decided[step["stage"]] = step
    nothing = dict.fromkeys(("move", "reason", "member", "person", "date"))
    found = []
    for stage in path(policy, case):
        if stage.is_posting:
            continue
        step = decided.get(stage.name, nothing)
        found.append(
            {
                "step": stage.step,
                "title": named.get(stage.step, stage.step),
                "decision": _DECIDED.get(step["move"]),
                "reason": step["reason"],
                "institution": step["member"],
                "person": step["person"],
                "decided_on": _day(step["date"]),
            }
        )
    return found


def _postings(transaction: Transaction, numbers: list[int]) -> list[dict[str, Any]]:
    rows = transaction.rows(
        """
        SELECT p.first_day, p.last_day, p.complaint_line,
               (SELECT count(*) FROM rating.objection o WHERE o.posting = p.number
                   AND o.assessment = ANY(%(numbers)s)) AS objections
        FROM rating.posting p WHERE p.message IN
            (SELECT message FROM rating.step WHERE assessment = ANY(%(numbers)s) AND move = 'post')
        ORDER BY p.number
        """,
        {"numbers": numbers},
    )
    return [row | {"first_day": _day(row["first_day"]), "last_day": _day(row["last_day"])} for row in rows]


def _lines(transaction: Transaction, rating: Mapping[str, Any], today: dt.date) -> list[dict[str, Any]]:
    """Return the newest line of each bank that is not over."""
    rows = transaction.rows(
        """
        SELECT * FROM (
            SELECT DISTINCT ON (institution) institution, amount, from_date, until_date, person, date AS set_on
            FROM rating.credit_line WHERE borrower = %(borrower)s AND borrower_no = %(borrower_no)s
            ORDER BY institution, from_date DESC
        ) newest WHERE until_date > %(today)s ORDER BY institution
        """,
        {**rating, "today": today},
    )
    days = ("from_date", "until_date", "set_on")
    return [row | {"amount": money.text(row["amount"])} | {name: _day(row[name]) for name in days} for row in rows]


def _day(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


QUERY: Final = rating_form.told_by(rating_form_of)
FORM: Final = Form(
    "rating_form",
    QUERY.address,
    files("services.rating") / "forms" / "rating_form.typ",
    "评级授信表：农户、银行、县级各留一份，每份一页。",
    "The rating form, one sheet each for the household, the bank and the county.",
)
