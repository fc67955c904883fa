"""Assessments: what was collected, merged to one case a borrower, and judged by the policy.

Of several words on one indicator the last of each sender and source holds; where several sources speak of the same
one the lowest counts (assumed: the cautious reading). What is collected after an approval begins a new assessment.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from marshmallow import ValidationError

from huilian.core.errors import ConfigurationError
from huilian.policy.rating import RatingCase, rate, weighed_indicators
from huilian.policy.tables import MissingFactError
from huilian.wire.batches import to_csv
from schemas.ratings import NO_EXCLUSION
from services.rating.states import UNDER_WAY, Case, Stage, bars_for_good, path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy
    from huilian.policy.rating import Rating

__all__ = [
    "MALICIOUS_DEFAULT", "NOT_ON_ROSTER", "OTHER_VILLAGE", "UNKNOWN_GROUND", "Paths", "assess", "hold", "new_revision",
]  # fmt: skip

NEW_INDICATORS: Final = "indicators"
"""Why an assessment begins, where nothing else is said."""
MALICIOUS_DEFAULT: Final = "malicious_default"
"""The ground that bars under every policy, one that does not list it, too."""
NOT_ON_ROSTER: Final = "not_on_roster"
OTHER_VILLAGE: Final = "other_village"
"""Why the assessment of a household is incomplete that the roster does not have, or has in another village."""
UNKNOWN_GROUND: Final = "unknown_ground"
"""Why an assessment is incomplete of which a ground was met that the policy does not list; the ground follows."""
_INPUTS: Final = ("region", "household_kind", "age", "indicators", "exclusions")
"""What tells one case from another."""
_JUDGED: Final = (*_INPUTS, "collected_on", "entered_by", "score", "grade", "line", "refused", "policy")
_WRITTEN: Final = (*_JUDGED, "state", "stage", "reason")
_TYPES: Final = {
    "borrower": pl.String(), "borrower_no": pl.String(), "region": pl.String(), "household_kind": pl.String(),
    "age": pl.Int64(), "indicators": pl.String(), "exclusions": pl.String(), "collected_on": pl.Date(),
    "entered_by": pl.String(), "score": pl.String(), "grade": pl.String(), "line": pl.String(),
    "refused": pl.String(), "policy": pl.String(), "state": pl.String(), "stage": pl.String(), "reason": pl.String(),
}  # fmt: skip
_STATEMENTS: Final = """
    SELECT w.borrower, w.borrower_no, w.member, w.source, w.village, w.kind, w.age, w.indicators, w.exclusions,
           w.collected_on, w.person, k.category, k.region AS roster, b.malicious
    FROM rating.statement w JOIN touched t ON t.borrower = w.borrower AND t.borrower_no = w.borrower_no
    LEFT JOIN (
        SELECT household_no, min(region) AS region, min(category) AS category FROM (
            SELECT household_no, region, category FROM rating.household_change
            WHERE household_no IN (SELECT borrower_no FROM touched) GROUP BY 1, 2, 3 HAVING sum(n) > 0
        ) known GROUP BY 1
    ) k ON w.borrower = 'household' AND k.household_no = w.borrower_no
    LEFT JOIN (
        SELECT borrower, borrower_no, max(malicious) AS malicious FROM rating.blacklist
        WHERE until_date IS NULL OR until_date > %(today)s
           -- One that ended on the day it began was taken back.
           OR (%(for_good)s AND malicious = 'yes' AND until_date > from_date) GROUP BY 1, 2
    ) b ON b.borrower = w.borrower AND b.borrower_no = w.borrower_no
    ORDER BY w.borrower, w.borrower_no, k.region IS NOT NULL AND NOT starts_with(w.village, k.region),
             w.collected_on, w.stated_at, w.submission, w.line
"""


def hold(transaction: Transaction) -> None:
    """Let nobody else change ratings until the transaction ends: each step is judged by what stands."""
    transaction.lock("rating")


def new_revision(transaction: Transaction) -> int:
    """Return the number by which readers find what changes now; `hold` comes first."""
    return int(transaction.value("SELECT coalesce(max(revision), 0) + 1 FROM rating.assessment"))


class Paths:
    """The order of reviews and postings by kind of case, read once for many cases."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: dict[Case, tuple[Stage, ...]] = {}

    def of(self, case: Case) -> tuple[Stage, ...]:
        """Return the order of a case."""
        found = self._known.get(case)
        if found is None:
            found = self._known[case] = path(self._policy, case)
        return found


@dataclass
class _Merged:
    """One borrower's words so far, the later ones over the earlier."""

    borrower: str
    borrower_no: str
    category: str | None
    roster: str | None
    malicious: str | None
    village: str = ""
    kind: str | None = None
    age: int | None = None
    collected_on: dt.date = dt.date.min
    points: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    exclusions: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    def add(self, row: dict[str, Any]) -> None:
        """Put one word over those so far; the household's own village comes first, then no other has a say."""
        if self.village and self.is_at_home and not self._is_home(row["village"]):
            return
        member, source, who = row["member"], row["source"], f"{row['member']}:{row['person']}"
        self.village, self.collected_on = row["village"], row["collected_on"]
        self.kind = row["kind"] or self.kind
        self.age = self.age if row["age"] is None else row["age"]
        for each in (row["indicators"] or "").split(";"):
            if each:
                indicator, _, points = each.partition("=")
                self.points[member, source, indicator] = points, who
        if row["exclusions"] is not None:
            self.exclusions[member, source] = row["exclusions"], who

    def _is_home(self, village: str) -> bool:
        return self.roster is not None and village.startswith(self.roster)

    @property
    def is_at_home(self) -> bool:
        """Return whether the roster has it in the village that collected it."""
        return self._is_home(self.village)

    @property
    def entered_by(self) -> list[str]:
        """Return who entered what holds."""
        return sorted({who for _, who in (*self.points.values(), *self.exclusions.values())})

    def indicators(self, weighed: frozenset[str]) -> dict[str, Decimal]:
        """Return the points of what the policy weighs; of several sources the lowest."""
        found: dict[str, Decimal] = {}
        for (_, _, indicator), (points, _) in self.points.items():
            if indicator in weighed:
                number = Decimal(points)
                found[indicator] = min(number, found.get(indicator, number))
        return found

    def grounds(self, known: frozenset[str]) -> tuple[str, ...]:
        """Return the grounds that are met; those of our own blacklist that the policy knows among them."""
        met = {ground for text, _ in self.exclusions.values() for ground in text.split(";")} - {NO_EXCLUSION}
        if self.malicious is not None:
            met |= {"blacklisted"} & known
        if self.malicious == "yes":
            met |= {"blacklisted_maliciously"} & known | {MALICIOUS_DEFAULT}
        return tuple(sorted(met))


class _Judge:
    """Judges cases by a policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._paths = Paths(policy)
        self._weighed: dict[tuple[str, dt.date, str | None], frozenset[str]] = {}
        self._grounds = frozenset(entry["ground"] for entry in policy.general.lists.get("rating.exclusions", ()))
        self._named = f"{policy.name}/{policy.version}"

    def judge(self, merged: _Merged) -> tuple[Any, ...]:
        """Return a row of `_TYPES`."""
        enterprise = merged.borrower == "enterprise"
        kind = None if enterprise else merged.category or merged.kind
        grounds = merged.grounds(self._grounds)
        listed = tuple(ground for ground in grounds if ground in self._grounds)
        points: dict[str, Decimal] = {}
        rating: Rating | None = None
        state, stage = "incomplete", None
        fault: str | None = None if enterprise or kind else "kind"
        if fault is None:
            rated_as = kind or merged.borrower
            try:
                points = merged.indicators(self._weights(rated_as, merged))
                rating = rate(
                    self._policy,
                    RatingCase(
                        merged.borrower_no, rated_as, points, merged.age, listed, merged.collected_on, merged.village
                    ),
                )
                state, stage = self._begins(merged, kind, rating)
            except ValidationError as error:
                fault = ";".join(sorted(error.messages_dict.get("indicators", error.messages_dict)))
            except MissingFactError as error:
                rating, fault = None, error.fact
            except ConfigurationError:
                fault = "weights"
        refusals = [] if rating is None else [reason.code for reason in rating.refusals]
        unknown = set(grounds) - self._grounds - {MALICIOUS_DEFAULT}
        if not enterprise and not merged.is_at_home:
            rating, state, stage, refusals = None, "incomplete", None, []
            fault = NOT_ON_ROSTER if merged.roster is None else OTHER_VILLAGE
        elif MALICIOUS_DEFAULT in grounds and state != "refused":
            state, stage, fault = "refused", None, None
            rating = None if rating is None else replace(rating, grade=None, line=None)
            refusals = [MALICIOUS_DEFAULT, *(code for code in refusals if code != MALICIOUS_DEFAULT)]
        elif unknown and state != "refused":
            # What it would come to is not known: nobody is to review it as if the ground were not met.
            rating, state, stage, refusals = None, "incomplete", None, []
            fault = f"{UNKNOWN_GROUND}:{';'.join(sorted(unknown))}"
        refused = ";".join(refusals)
        line = None if rating is None else rating.line
        return (
            merged.borrower,
            merged.borrower_no,
            merged.village,
            kind,
            merged.age,
            ";".join(f"{key}={points[key].normalize():f}" for key in sorted(points)),
            ";".join(grounds),
            merged.collected_on,
            "{" + ",".join(merged.entered_by) + "}",
            None if rating is None or rating.score is None else f"{rating.score:.2f}",
            None if rating is None else rating.grade,
            None if line is None else f"{line:.2f}",
            refused,
            self._named,
            state,
            stage,
            fault if fault is not None else refused or None,
        )

    def _begins(self, merged: _Merged, kind: str | None, rating: Rating) -> tuple[str, str | None]:
        """Return the state and stage of an assessment that was judged."""
        if rating.refusals and rating.grade is None:
            return "refused", None
        case = Case(merged.borrower, kind, merged.collected_on, rating.line)
        return "collected", self._paths.of(case)[0].name

    def _weights(self, kind: str, merged: _Merged) -> frozenset[str]:
        regions = self._policy.vocabulary.region_list_of(merged.village)
        key = kind, merged.collected_on, regions
        if key not in self._weighed:
            enterprise = kind == "enterprise"
            situation = {
                "borrower": merged.borrower,
                "household_kind": None if enterprise else kind,
                "event": merged.collected_on,
                "region_list": regions,
            }
            self._weighed[key] = weighed_indicators(self._policy, situation)
        return self._weighed[key]


def assess(transaction: Transaction, context: Context) -> int:
    """Judge anew all borrowers in the temporary table `touched`; return how many assessments began or changed.

    What stands as it was judged is left alone. A collected one is changed; after an approval a new one begins.
    """
    judge = _Judge(context.policy)
    today = context.clock.today()
    facts = {"today": today, "for_good": bars_for_good(context.policy)}
    rows = [judge.judge(merged) for merged in _merged(transaction.rows(_STATEMENTS, facts))]
    if not rows:
        return 0
    frame = pl.DataFrame(rows, schema=_TYPES, orient="row")
    columns = ", ".join(frame.columns)
    transaction.execute(
        f"CREATE TEMPORARY TABLE judged ON COMMIT DROP AS SELECT {columns} FROM rating.assessment WITH NO DATA"
    )
    transaction.copy_in("judged", frame.columns, [to_csv(frame)])
    transaction.execute("ANALYZE judged")
    changed = _write(transaction, today)
    transaction.execute("DROP TABLE judged")
    return changed


def _merged(rows: Iterable[dict[str, Any]]) -> Iterator[_Merged]:
    merged: _Merged | None = None
    for row in rows:
        if merged is None or (merged.borrower_no, merged.borrower) != (row["borrower_no"], row["borrower"]):
            if merged is not None:
                yield merged
            merged = _Merged(row["borrower"], row["borrower_no"], row["category"], row["roster"], row["malicious"])
        merged.add(row)
    if merged is not None:
        yield merged


def _write(transaction: Transaction, today: dt.date) -> int:
    facts = {"revision": new_revision(transaction), "today": today, "cause": NEW_INDICATORS}
    same = "a.borrower = j.borrower AND a.borrower_no = j.borrower_no"
    listed = ", ".join(_WRITTEN)
    of_judged = ", ".join(f"j.{name}" for name in _WRITTEN)
    updated = transaction.execute(
        f"""
        UPDATE rating.assessment a SET ({listed}, revision) = ROW({of_judged}, %(revision)s)
        FROM judged j WHERE {same} AND a.state IN ('incomplete', 'collected')
          AND (({", ".join(f"a.{name}" for name in _JUDGED)}) IS DISTINCT FROM ({
            ", ".join(f"j.{name}" for name in _JUDGED)
        }) OR a.state <> j.state OR (a.state = 'incomplete' AND a.reason IS DISTINCT FROM j.reason))
        """,
        facts,
    )
    inputs = (", ".join(f"{alias}.{name}" for name in _INPUTS) for alias in ("a", "j"))
    differs = "({}) IS DISTINCT FROM ({})".format(*inputs)
    begun = transaction.execute(
        f"""
        INSERT INTO rating.assessment (borrower, borrower_no, {listed}, cause, revision)
        SELECT j.borrower, j.borrower_no, {of_judged}, %(cause)s, %(revision)s
        FROM judged j LEFT JOIN LATERAL (
            SELECT * FROM rating.assessment a WHERE {same}
            ORDER BY a.state IN ('incomplete', 'collected') DESC, a.number DESC LIMIT 1
        ) a ON true
        WHERE a.number IS NULL
           OR (a.state NOT IN ('incomplete', 'collected')
               AND ({differs} OR (a.state IN ('expired', 'withdrawn') AND j.collected_on > a.collected_on)))
        ORDER BY j.borrower, j.borrower_no
        """,
        facts,
    )
    # Whom the policy bars by the newest word goes no further. What is in force is marked to be rated again, not ended:
    # the word is one person's and nobody has reviewed it, and exclusions say who is not rated, not who loses a rating
    # that was reviewed and posted. That the policy's consequences say, of a deed or an entry of the blacklist.
    barred = "FROM rating.assessment n WHERE n.revision = %(revision)s AND n.state = 'refused' AND n.number > a.number"
    transaction.execute(
        f"UPDATE rating.assessment a SET state = 'superseded', ended_on = %(today)s, revision = %(revision)s {barred}"
        " AND n.borrower = a.borrower AND n.borrower_no = a.borrower_no AND a.state = ANY(%(under_way)s)",
        facts | {"under_way": list(UNDER_WAY)},
    )
    transaction.execute(
        f"UPDATE rating.assessment a SET again_on = %(today)s, revision = %(revision)s {barred}"
        " AND n.borrower = a.borrower AND n.borrower_no = a.borrower_no AND a.state = 'active'",
        facts,
    )
    return updated + begun
