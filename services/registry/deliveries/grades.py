"""Grades: what the rating service tells of them, and to whom what changed is sent, once a day.

Banks are told of their customers and of the villages where they lend, and of the region for which they were entered
where that is less than the county; of the whole county where the policy says that all banks use the grades. The
credit-information platform is told of households whose rating was posted, and of posted reward and punishment.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from huilian.core import identity
from huilian.county.changes import Fold
from huilian.policy.reading import Reading
from schemas.consequences import CONSEQUENCE_AFTER, CONSEQUENCE_CHANGE, CONSEQUENCE_HOW
from schemas.outgoing import CreditRecord, HouseholdGradeRecord
from services.registry.deliveries.delivery import Delivery, daily, takes_part
from services.registry.marks import CONSEQUENCES

if TYPE_CHECKING:
    from huilian.policy.policies import Policy

__all__ = ["CREDIT", "GRADES", "JOB", "RATINGS"]

GRADES: Final = "household_grades"
CREDIT: Final = "credit_records"
_STATE: Final = (
    "region", "score", "grade", "line", "valid_from", "valid_until", "posted_from", "posted_until",
)  # fmt: skip
_COUNTY_DIGITS: Final = 6
_LONGEST_REASON: Final = 200

RATINGS: Final = Fold("registry.rating_change", key=("borrower", "borrower_no"), state=_STATE)
"""Which ratings are in force."""

_OF_BANKS: Final = f"""
    WITH bank AS (SELECT code, region FROM huilian.member m WHERE {takes_part("bank")}),
    served AS (SELECT DISTINCT institution, region FROM registry.loan)
    SELECT b.code AS member, r.* FROM registry.rating r JOIN served s ON s.region = r.region
    JOIN bank b ON b.code = s.institution
  UNION
    SELECT b.code, r.* FROM registry.rating r JOIN bank b
        ON %(shared)s OR (length(b.region) > {_COUNTY_DIGITS} AND starts_with(r.region, b.region))
  UNION
    SELECT b.code, r.* FROM registry.rating r
    JOIN registry.loan l ON r.borrower = 'household' AND l.household_no = r.borrower_no
    JOIN bank b ON b.code = l.institution
"""
"""Whose grades concern which bank."""
_OF_PLATFORMS: Final = f"""
    SELECT m.code AS member, r.* FROM registry.rating r
    JOIN huilian.member m ON {takes_part("credit_bureau")}
    WHERE r.borrower = 'household' AND r.posted_from IS NOT NULL
      AND EXISTS (SELECT FROM registry.household h WHERE h.household_no = r.borrower_no)
"""
"""What is public, of whom the registry knows the name."""
_ENDED: Final = """
    NOT EXISTS (SELECT FROM registry.rating r WHERE r.borrower = sent.borrower AND r.borrower_no = sent.borrower_no)
"""


def _grade(row: dict[str, Any], _day: str) -> dict[str, Any]:
    status = "ended" if row["ended"] else "in_force"
    same = ("borrower", "borrower_no", "region", "score", "grade", "valid_from", "valid_until")
    return {name: row[name] for name in same} | {"status": status, "credit_line": row["line"]}


def _credit(row: dict[str, Any], day: str) -> dict[str, Any] | None:
    """Return a record as it is published: of a rating that has ended without a grade, None of who left the roster."""
    if row["person_name"] is None:
        return None
    first, last = (dt.date.fromisoformat(row[name]) for name in ("posted_from", "posted_until"))
    ended = row["ended"]
    return {
        "subject": row["borrower"],
        "name": row["person_name"],
        "masked_number": identity.mask(row["identity_number"]),
        "grade": None if ended else row["grade"],
        "credit_line": None if ended else row["line"],
        "decided_date": day if ended else row["valid_from"],
        "valid_until": day if ended else row["valid_until"],
        "award": None,
        "award_reason": None,
        "posted_days": (last - first).days + 1,
    }


def _facts(policy: Policy, day: dt.date) -> dict[str, Any]:
    return {"shared": bool(Reading(policy, None).value("rating.shared_by_banks", {"event": day}))}


_HEAD: Final = """
    LEFT JOIN registry.person h
      ON t.borrower = 'household' AND h.household_no = t.borrower_no AND h.is_head = 'yes' AND h.missing_since IS NULL
"""
_SAME: Final[dict[str, Any]] = {
    "sent": "registry.grade_sent",
    "key": ("borrower", "borrower_no"),
    "state": _STATE,
    "ended": _ENDED,
    "order": "region, borrower_no, borrower",
    "details": "h.person_name, h.identity_number",
    "joined": _HEAD,
    "facts": _facts,
}
_POSTED: Final = f"""
    SELECT m.code AS member, c.* FROM registry.consequence c JOIN huilian.member m ON {takes_part("credit_bureau")}
    WHERE c.borrower = 'household' AND c.posted_until::date < %(day)s
      AND EXISTS (SELECT FROM registry.household h WHERE h.household_no = c.borrower_no)
"""
"""Reward and punishment whose posting is over, of whom the registry knows the name."""
_TAKEN_BACK: Final = """
    NOT EXISTS (SELECT FROM registry.consequence c WHERE c.borrower = sent.borrower
                AND c.borrower_no = sent.borrower_no AND c.reference = sent.reference)
"""


def _award(row: dict[str, Any], day: str) -> dict[str, Any] | None:
    """Return a consequence as it is published: one that was taken back, until the day of it."""
    if row["person_name"] is None:
        return None
    first, last = (dt.date.fromisoformat(row[name]) for name in ("posted_from", "posted_until"))
    kind = "奖励" if row["how"] == "better" else "惩戒"
    reason = f"{CONSEQUENCE_AFTER[row['after']]}，{CONSEQUENCE_HOW[row['how']]}：{row['clause']}"
    return {
        "subject": row["borrower"],
        "name": row["person_name"],
        "masked_number": identity.mask(row["identity_number"]),
        "grade": None,
        "credit_line": None,
        "decided_date": row["from_date"],
        "valid_until": day if row["ended"] else row["until_date"],
        "award": f"{kind}：{CONSEQUENCE_CHANGE[row['change']]}",
        "award_reason": reason[:_LONGEST_REASON],
        "posted_days": (last - first).days + 1,
    }


AWARDS: Final = Delivery(
    "credit_bureau",
    CREDIT,
    CreditRecord,
    sent="registry.consequence_sent",
    key=CONSEQUENCES.key,
    state=CONSEQUENCES.state,
    concerned=_POSTED,
    ended=_TAKEN_BACK,
    order="region, borrower_no, borrower, reference",
    details="h.person_name, h.identity_number",
    joined=_HEAD,
    as_record=_award,
)
JOB: Final = daily(
    "registry.grades",
    Delivery("bank", GRADES, HouseholdGradeRecord, concerned=_OF_BANKS, as_record=_grade, **_SAME),
    Delivery("credit_bureau", CREDIT, CreditRecord, concerned=_OF_PLATFORMS, as_record=_credit, **_SAME),
    AWARDS,
)
"""Banks get one file a day at most, however many ratings changed."""
