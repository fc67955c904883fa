"""The loans of which a run computes the subsidy, household by household, as one stream: no more is in memory."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.policy.subsidy import OtherLoan, SubsidyCase
from huilian.policy.subsidy.case import NOT_TOLD
from services.subsidy.states import KEPT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from huilian.database.connection import Transaction
    from huilian.policy.policies import Entry, Policy
    from huilian.policy.subsidy import Payment

__all__ = ["Before", "Claim", "Loan", "Needs", "Scope", "case_of", "loans", "others_of"]

_YEAR: Final = dt.timedelta(days=366)
_MONTHS: Final = 12


@dataclass(frozen=True)
class Scope:
    """What a run is about: settlement periods whose last day lies from `since` until the day before `until`."""

    since: dt.date
    until: dt.date
    institution: str | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """Return what SQL is given of it."""
        return {
            "since": self.since,
            "until": self.until,
            "institution": self.institution,
            "a_year_before": self.since - _YEAR,
            "kept": list(KEPT),
        }


@dataclass(frozen=True)
class Needs:
    """What the policies ask of loans besides their terms, so that no more is looked up.

    Args:
        grades: whether a rule of subsidies depends on the grade.
        kinds: whether one depends on the household's kind.
        kin: whether older loans of the household count.
        caps: whether earlier subsidies count.
        queue: whether claims are served in the order of filing: an appropriation, or a cap of a village or the county.
    """

    grades: bool = False
    kinds: bool = False
    kin: bool = False
    caps: bool = False
    queue: bool = False

    @classmethod
    def of(cls, policies: Sequence[Policy]) -> Needs:
        """Return what some policies ask."""
        facts: set[str] = set()
        caps: list[Entry] = []
        appropriated = False
        for policy in policies:
            for product in (policy.general, *policy.products.values()):
                whens = [
                    row.when
                    for name, table in product.rules.items()
                    if name.startswith("subsidy.")
                    for row in table.rows
                ]
                listed = [
                    each
                    for name, many in product.lists.items()
                    if name.startswith("subsidy.") or name == "moratoria"
                    for each in many
                ]
                facts.update(fact for when in (*whens, *(each.when for each in listed)) for fact in when)
                caps += product.lists.get("subsidy.caps", ())
                appropriated |= bool(product.lists.get("subsidy.appropriations"))
        of_subsidy = [cap for cap in caps if cap["of"] == "subsidy" and cap["within"] != "day"]
        return cls(
            "grade" in facts,
            "household_kind" in facts,
            any(cap["of"] == "principal" for cap in caps),
            bool(of_subsidy),
            appropriated or any(cap["per"] in {"village", "county"} for cap in of_subsidy),
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """What is asked: the order of filing, the days, the amount, the township's region, and whose loan it says it is."""

    filed: int
    start: dt.date
    end: dt.date
    amount: Decimal
    region: str | None
    borrower_no: str | None


@dataclass(frozen=True, slots=True)
class Before:
    """What stands of an earlier period that has to be looked at anew: item, days, and what was computed then."""

    item: int
    start: dt.date
    end: dt.date
    own: Decimal


@dataclass(slots=True)
class Loan:
    """One loan as it stood at the end of the time, and what is asked for it; see the table `subsidy.loan_step`.

    `balances` are from which day on which balance, and who tells so. Without `region` nothing is known but a claim.
    """

    institution: str
    loan_no: str
    household_no: str | None
    region: str | None
    product: str
    principal: Decimal
    annual_rate_percent: Decimal
    start_date: dt.date
    due_date: dt.date
    first_due: dt.date
    settled_date: dt.date | None
    signed: dt.date | None
    continuation: str | None
    borrower: str | None
    borrower_no: str | None
    policy: str | None
    policy_product: str | None
    covered: str | None
    category: str | None
    grade: str | None
    told: str | None
    asked: str | None
    stands: str | None
    balances: list[tuple[dt.date, Decimal, str]] = field(default_factory=list)

    @property
    def claims(self) -> list[Claim]:
        """Return what is asked, in the order of filing."""
        return [
            Claim(int(filed), _day(start), _day(end), Decimal(amount), region or None, borrower_no or None)
            for filed, start, end, amount, region, borrower_no in _pieces(self.asked)
        ]

    @property
    def before(self) -> list[Before]:
        """Return the earlier periods to look at anew."""
        return [
            Before(int(item), _day(start), _day(end), Decimal(own)) for item, start, end, own in _pieces(self.stands)
        ]

    def told_by(self, day: dt.date) -> str:
        """Return who says what the balance is on a day: the contract, a ledger or a journal."""
        said = "contract"
        for since, _, by in self.balances:
            if since > day:
                break
            said = by
        return said


def _pieces(text: str | None) -> list[list[str]]:
    return [] if text is None else [each.split("|") for each in text.split(" ")]


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


_LOANS: Final = """
    WITH terms AS (
        -- As it stood on the last day, or as it was told first.
        SELECT DISTINCT ON (institution, loan_no) * FROM subsidy.loan_step
        WHERE n > 0
        ORDER BY institution, loan_no, (day < %(until)s) DESC, CASE WHEN day < %(until)s THEN day END DESC, day,
                 number DESC
    ), opened AS (
        SELECT DISTINCT ON (institution, loan_no) institution, loan_no, due_date AS first_due FROM subsidy.loan_step
        WHERE n > 0 ORDER BY institution, loan_no, day, number DESC
    ), ended AS (
        SELECT DISTINCT ON (institution, loan_no) institution, loan_no,
               coalesce(settled_date, CASE WHEN status = 'settled' THEN day END) AS settled_date
        FROM subsidy.loan_step WHERE n > 0 ORDER BY institution, loan_no, day DESC, number DESC
    ), balances AS (
        SELECT institution, loan_no, string_agg(day || '|' || told_by || '|' || amount, ' '
                                                ORDER BY day, told_by = 'ledger') AS told
        FROM (SELECT institution, loan_no, day, told_by, sum(amount) AS amount FROM subsidy.balance_step
              WHERE day < %(until)s GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0) b GROUP BY 1, 2
    ), claims AS (
        SELECT institution, loan_no, min(filed) AS filed,
               string_agg(filed || '|' || period_start || '|' || period_end || '|' || amount || '|'
                          || coalesce(region, '') || '|' || coalesce(borrower_no, ''), ' ' ORDER BY filed) AS asked
        FROM subsidy.claim WHERE replaced_by IS NULL AND period_end > %(since)s AND period_end <= %(until)s
         AND institution = coalesce(%(institution)s, institution) GROUP BY 1, 2
    ), kept AS (
        SELECT i.institution, loan_no, period_end, min(number) FILTER (WHERE adjusts IS NULL) AS item,
               min(i.period_start) AS period_start, sum(own) AS own, max(r.known) AS known,
               (array_agg(i.estimated ORDER BY number DESC))[1] AS estimated
        FROM subsidy.item i JOIN subsidy.run r USING (run_no)
        WHERE i.state = ANY(%(kept)s) AND i.period_end <= %(since)s GROUP BY 1, 2, 3
    ), stands AS (
        SELECT institution, loan_no,
               string_agg(item || '|' || period_start || '|' || period_end || '|' || own, ' ' ORDER BY period_end)
                   AS stands
        FROM kept k WHERE item IS NOT NULL AND (estimated
            OR EXISTS (SELECT FROM subsidy.balance_step s WHERE s.institution = k.institution
                       AND s.loan_no = k.loan_no AND s.number > k.known AND s.day < k.period_end)
            OR EXISTS (SELECT FROM subsidy.loan_step s WHERE s.institution = k.institution AND s.loan_no = k.loan_no
                       AND s.number > k.known AND least(s.day, s.settled_date) < k.period_end))
        GROUP BY 1, 2
    ), lent AS (
        SELECT institution, loan_no, min(borrower) AS borrower, min(borrower_no) AS borrower_no,
               min(policy) AS policy, min(product) AS policy_product, min(covered) AS covered
        FROM (SELECT application_no, institution, loan_no, borrower, borrower_no, policy, product
              FROM subsidy.application_change WHERE loan_no IS NOT NULL
              GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(n) > 0) a
        LEFT JOIN LATERAL (
            SELECT covered FROM subsidy.reservation_change r WHERE r.application_no = a.application_no
            AND status IN ('reserved', 'released') GROUP BY attempt, status, covered HAVING sum(n) > 0
            ORDER BY attempt::integer DESC LIMIT 1
        ) r ON true GROUP BY 1, 2
    )
    SELECT institution, loan_no, t.household_no, t.region, t.product, t.principal, t.annual_rate_percent, t.start_date,
           t.due_date, o.first_due, e.settled_date, t.signed, t.continuation, l.borrower, l.borrower_no, l.policy,
           l.policy_product, l.covered, {category} AS category, {grade} AS grade, b.told, c.asked, s.stands
    FROM terms t FULL JOIN claims c USING (institution, loan_no) LEFT JOIN opened o USING (institution, loan_no)
    LEFT JOIN ended e USING (institution, loan_no) LEFT JOIN balances b USING (institution, loan_no)
    LEFT JOIN stands s USING (institution, loan_no) LEFT JOIN lent l USING (institution, loan_no)
    WHERE {scope} AND {standing} AND (c.asked IS NOT NULL OR s.stands IS NOT NULL OR (
        t.start_date < %(until)s AND (e.settled_date IS NULL OR e.settled_date >= %(a_year_before)s)) {kin})
    ORDER BY {order}
"""
_ON_SIGNING: Final = """(
    SELECT category FROM (SELECT day, category FROM subsidy.household_step h WHERE h.household_no = t.household_no
                          GROUP BY day, category HAVING sum(n) > 0) h
    ORDER BY (day <= coalesce(t.signed, t.start_date)) DESC,
             CASE WHEN day <= coalesce(t.signed, t.start_date) THEN day END DESC, day LIMIT 1)"""
_GRADE: Final = """(
    SELECT grade FROM subsidy.rating_step r WHERE r.borrower = coalesce(l.borrower, 'household')
    AND r.borrower_no = coalesce(l.borrower_no, t.household_no) AND day <= coalesce(t.signed, t.start_date)
    GROUP BY grade HAVING sum(n) > 0 LIMIT 1)"""
_HOUSEHOLD: Final = "coalesce(t.household_no, l.borrower_no, institution || '/' || loan_no)"


def loans(transaction: Transaction, scope: Scope, needs: Needs, *, only_standing: bool = False) -> Iterator[list[Loan]]:
    """Yield the loans of a run, those of a household together where its older loans count.

    They come in the order of filing where claims wait for each other, those that nobody asked for at the end.

    Args:
        transaction: of the database.
        scope: of the run.
        needs: what its policies ask for.
        only_standing: no loans but those of which an earlier period has to be looked at anew.
    """
    order = f"{_HOUSEHOLD}, c.filed, institution, loan_no"
    if needs.queue:
        order = f"c.filed, {order}"
    if needs.kin and needs.queue:
        order = f"min(c.filed) OVER (PARTITION BY {_HOUSEHOLD}), {_HOUSEHOLD}, c.filed, institution, loan_no"
    statement = _LOANS.format(
        category=_ON_SIGNING if needs.kinds else "NULL",
        grade=_GRADE if needs.grades else "NULL",
        # A bank's own run still looks at what its households owe elsewhere.
        scope="true" if needs.kin else "institution = coalesce(%(institution)s, institution)",
        standing="s.stands IS NOT NULL" if only_standing and not needs.kin else "true",
        kin="OR t.start_date < %(until)s" if needs.kin else "",
        order=order,
    )
    transaction.execute("SET LOCAL jit = off")
    rows = map(_loan, transaction.stream(statement, scope.facts, size=5_000))
    if not needs.kin:
        yield from ([loan] for loan in rows)
        return
    for _, group in itertools.groupby(rows, key=lambda loan: loan.household_no or (loan.institution, loan.loan_no)):
        yield list(group)


def _loan(row: Mapping[str, Any]) -> Loan:
    loan = Loan(**row)
    if loan.told is not None:
        loan.balances = _timeline(loan.principal, _pieces(loan.told))
    return loan


def _timeline(principal: Decimal, told: list[list[str]]) -> list[tuple[dt.date, Decimal, str]]:
    """Return balances by day.

    Where the journal explains what the newest ledger shows, its days count; else a repayment that no journal has
    counts from the ledger that first shows it.
    """
    steps = [(_day(day), by, Decimal(amount)) for day, by, amount in told]
    shown = sum((amount for _, by, amount in steps if by == "ledger"), money.ZERO)
    repaid = sum((amount for _, by, amount in steps if by == "journal"), money.ZERO)
    explained = bool(repaid) and principal - repaid == shown
    balance, ledger = principal, money.ZERO
    found: list[tuple[dt.date, Decimal, str]] = []
    for day, by, amount in steps:
        if by == "ledger":
            ledger += amount
            after = balance if explained else ledger
        else:
            after = max(balance - amount, money.ZERO)
        if after != balance:
            if found and found[-1][0] == day:
                found.pop()
            found.append((day, after, by))
            balance = after
    return found


def others_of(loan: Loan, kin: Sequence[Loan]) -> tuple[OtherLoan, ...]:
    """Return the other loans of a household as a case has them."""
    found = []
    for other in kin:
        if other is loan or other.region is None:
            continue
        balances = [(day, balance) for day, balance, _ in other.balances]
        if (settled := other.settled_date) is not None:
            balances = [*(each for each in balances if each[0] < settled), (settled, money.ZERO)]
        found.append(OtherLoan(other.loan_no, other.start_date, tuple(balances), other.institution, other.principal))
    return tuple(found)


def case_of(  # what others know of a loan
    loan: Loan,
    kind: str,
    product: str | None,
    *,
    others: tuple[OtherLoan, ...],
    payments: tuple[Payment, ...],
    paid_before: Decimal,
    households_led: int | None,
    lead_bank: bool | None,
    is_malicious: bool,
    exclusions: tuple[str, ...],
    appropriation_used: Decimal | None,
    needs: Needs,
) -> SubsidyCase:
    """Return a loan as the policy is asked about it."""
    due, first = loan.due_date, loan.first_due
    granted = None
    if loan.continuation == "moratorium":
        granted = (due.year - first.year) * _MONTHS + due.month - first.month
        due = first
    return SubsidyCase(
        loan.loan_no,
        kind,
        loan.start_date,
        max(due, loan.start_date),
        loan.principal,
        loan.annual_rate_percent,
        loan.household_no,
        product,
        loan.signed,
        first if first != due else None,
        tuple([(day, balance) for day, balance, _ in loan.balances]),
        None if loan.settled_date is None else max(loan.settled_date, loan.start_date),
        households_led,
        paid_before,
        loan.institution,
        loan.grade if needs.grades else NOT_TOLD,
        loan.category,
        is_malicious,
        others,
        exclusions,
        lead_bank,
        loan.region,
        loan.covered == "no",
        granted,
        payments,
        appropriation_used,
    )
