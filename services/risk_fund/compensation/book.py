"""The book of cases: each as it stands, what was noted of it, and what is told when it changes.

Who opens the book holds the fund until the transaction ends: each act is judged by what stands.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.core import money
from huilian.core.errors import ConfigurationError
from huilian.county.changes import Changes, Event
from huilian.county.changes import tell as tell_changes
from huilian.county.messages import notices
from huilian.policy import loss
from huilian.wire.access import service_code
from huilian.wire.batches import to_csv
from schemas.compensations import CompensationChange
from services.risk_fund import books
from services.risk_fund.compensation import results
from services.risk_fund.compensation.states import CASE, COLLECTION, OPEN, PAYMENT, Path, Stage, path

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from huilian.county.context import Context
    from huilian.county.messages.notices import Notice
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.policy.loss import Loss, LossCase
    from huilian.policy.policies import Policy, Product
    from huilian.wire.envelope import Draft

__all__ = ["EVENT", "FUND", "OWN", "Act", "Book", "Case", "tell"]

OWN: Final = service_code("risk_fund")
"""Who takes the steps that policy, insurers and calendar cause."""
EVENT: Final = Event("compensations_changed", 1, CompensationChange)
FUND: Final = "fund"
BANK: Final = "bank"

Amounts = dict[str, Decimal]


@dataclass
class Case:
    """One case as it stands; see the table `risk_fund.compensation_case`."""

    claim_no: str
    borrower: str
    borrower_no: str | None
    household_no: str | None
    region: str
    institution: str
    loan_no: str
    policy: str
    policy_version: str
    product: str
    filed_by: str
    entered_member: str
    entered_person: str | None
    message: str
    applied: dt.date
    entered: dt.date
    overdue_since: dt.date
    principal: Decimal
    interest: Decimal
    cause: str
    insurance_claimed: Decimal
    collections: int | None
    evidence: str | None
    signed: str
    state: str
    stage: str | None
    stage_since: dt.date
    due: dt.date | None = None
    chased: dt.date | None = None
    insurance_paid: Decimal = money.ZERO
    insurance_policy_no: str | None = None
    insurance_claim_no: str | None = None
    recovered_before: Decimal = money.ZERO
    recovered: Decimal = money.ZERO
    covered: Decimal | None = None
    shares: Amounts = field(default_factory=dict)
    paid: Amounts = field(default_factory=dict)
    recovery_shares: Amounts = field(default_factory=dict)
    returned: Amounts = field(default_factory=dict)
    return_by: dt.date | None = None
    return_chased: dt.date | None = None
    fund_due: dt.date | None = None
    decided: dt.date | None = None
    paid_date: dt.date | None = None
    refusals: list[dict[str, str]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    calculation: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None

    @property
    def fund_share(self) -> Decimal | None:
        """Return the fund's part of what is made good; None before that was decided."""
        return None if self.covered is None else self.shares.get(FUND, money.ZERO)

    @property
    def fund_paid(self) -> Decimal:
        """Return what the fund paid."""
        return self.paid.get(FUND, money.ZERO)

    @property
    def unpaid(self) -> Amounts:
        """Return what each party owes still; the bank, whose loss it is, bears its part by itself."""
        left = {party: share - self.paid.get(party, money.ZERO) for party, share in self.shares.items()}
        return {party: amount for party, amount in left.items() if amount and party != BANK}

    @property
    def unreturned(self) -> Amounts:
        """Return what of the recoveries each party has not got back yet, below nought what it got too much."""
        parties = self.recovery_shares.keys() | self.returned.keys()
        left = {
            party: self.recovery_shares.get(party, money.ZERO) - self.returned.get(party, money.ZERO)
            for party in sorted(parties)
        }
        return {party: amount for party, amount in left.items() if amount and party != BANK}

    @property
    def shared(self) -> dict[str, Any]:
        """Return what is told of it, see `schemas.compensations.CompensationState`."""
        return {name: getattr(self, name) for name in EVENT.state}


_COLUMNS: Final = tuple(each.name for each in fields(Case))
_AMOUNTS: Final = ("shares", "paid", "recovery_shares", "returned")
_JSON: Final = (*_AMOUNTS, "refusals", "facts", "calculation")
_LISTED: Final = ", ".join(_COLUMNS)
_WRITE: Final = (
    f"INSERT INTO risk_fund.compensation_case ({_LISTED}) VALUES ("
    + ", ".join(f"%({name})s" + ("::jsonb" if name in _JSON else "") for name in _COLUMNS)
    + ") ON CONFLICT (claim_no) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "claim_no")
)


@dataclass(frozen=True)
class Act:
    """One line of a case's history; see the table `risk_fund.compensation_step`."""

    move: str
    date: dt.date
    member: str
    person: str | None = None
    message: str | None = None
    step: str | None = None
    decision: str | None = None
    back_to: str | None = None
    reason: str | None = None
    party: str | None = None
    amount: Decimal | None = None
    reference: str | None = None
    document: str | None = None
    snapshot: dict[str, Any] | None = None

    @staticmethod
    def of(taken: Taken, move: str, **said: Any) -> Act:  # noqa: ANN401  # of the column's kind
        """Return the line of an act that a member took."""
        return Act(move, taken.date, *taken.who, taken.message, **said)


_ACT_COLUMNS: Final = tuple(each.name for each in fields(Act))


class Book:
    """Cases as they stand, and what becomes of them in one transaction."""

    def __init__(self, transaction: Transaction, context: Context) -> None:
        books.hold(transaction)
        self.transaction = transaction
        self.context = context
        self.today = context.clock.today()
        self._before: dict[str, Case | None] = {}
        self._cases: dict[str, Case] = {}
        self._days: dict[str, dt.date] = {}
        self._notices: dict[str, list[Notice]] = {}
        self._results: dict[str, Case] = {}
        self._policies: dict[str, Policy] = {}

    # -- what stands -------------------------------------------------------------------------------------------------

    def get(self, claim_no: str) -> Case | None:
        """Return a case; None where there is none."""
        if claim_no not in self._cases:
            self.find("claim_no = %(claim_no)s", claim_no=claim_no)
        return self._cases.get(claim_no)

    def of_loan(self, institution: str, loan_no: str) -> Case | None:
        """Return the case of a loan that was not refused; None where there is none."""
        found = self.find(
            "institution = %(institution)s AND loan_no = %(loan_no)s AND state = ANY(%(open)s)",
            institution=institution,
            loan_no=loan_no,
            open=list(OPEN),
        )
        return found[0] if found else None

    def find(self, condition: str, **facts: object) -> list[Case]:
        """Return the cases that meet a condition, in order of their numbers."""
        rows = self.transaction.rows(
            f"SELECT {_LISTED} FROM risk_fund.compensation_case WHERE {condition} ORDER BY claim_no", facts
        )
        return [self._cases.setdefault(row["claim_no"], _read(row)) for row in rows]

    def policy(self, name: str) -> Policy:
        """Return a policy by its name."""
        if name not in self._policies:
            self._policies[name] = self.context.rules.named(name)
        return self._policies[name]

    def product(self, case: Case) -> Product | None:
        """Return the product of the policy that a case's loan is of; None where the policy has it no more."""
        return self.policy(case.policy).products.get(case.product)

    def path(self, case: Case) -> Path:
        """Return the order of a case's steps."""
        facts = self.loss_case(case)
        situation = {
            "signed": facts.signed,
            "borrower": case.borrower,
            "household_kind": facts.household_kind,
            "amount": facts.amount,
        }
        return path(self.policy(case.policy), self.product(case), situation)

    @staticmethod
    def loss_case(case: Case, **changed: Any) -> LossCase:  # noqa: ANN401  # of the field's kind
        """Return what the policy was asked of a case, with some facts as they are by now."""
        kept: LossCase = loss.CASE.load(case.facts)
        return replace(kept, **changed)

    def share(self, case: Case, facts: LossCase) -> Loss:
        """Return what the policy makes of a case.

        Raises:
            ValidationError: the policy has no such product.
            MissingFactError: it asks for a fact that is not known.
            ConfigurationError: it cannot be read, or has no shares.
        """
        return loss.share(self.policy(case.policy), facts, self.context.working_days)

    def last_day(self, since: dt.date, stage: Stage | None) -> dt.date | None:
        """Return the last day for a stage that is due since a day; None where the policy sets none."""
        if stage is None or stage.within is None:
            return None
        return self.context.working_days.after(since, stage.within)

    # -- what becomes of them ----------------------------------------------------------------------------------------

    def enter(self, case: Case, act: Act) -> None:
        """Enter a new case, or one that was sent back, by the record that says so."""
        self._keep(case.claim_no)
        self._cases[case.claim_no] = case
        self._note(case, act)

    def move(self, case: Case, act: Act, stage: Stage | None, **changes: Any) -> None:  # noqa: ANN401
        """Let a case move as its machine says, and to a stage.

        Args:
            case: which; it is changed.
            act: what is noted of it.
            stage: what is due after it; None: nothing.
            changes: other columns.

        Raises:
            Refusal: the move is not allowed from where the case stands.
        """
        state = CASE.after(case.state, act.move)
        self._keep(case.claim_no)
        case.state = state
        for name, value in changes.items():
            setattr(case, name, value)
        due = None if stage is None else stage.name
        if due != case.stage or state in {"in_review", "returned"}:
            case.stage, case.stage_since, case.chased = due, act.date, None
            case.due = self.last_day(act.date, stage)
        self._note(case, act)

    def after_payment(self, case: Case) -> Stage | None:
        """Return what is due of a case now: payment, or collection."""
        try:
            found = self.path(case)
        except (ConfigurationError, KeyError):
            return None
        return found.first(PAYMENT if case.unpaid else COLLECTION)

    def change(self, case: Case, **changes: Any) -> None:  # noqa: ANN401  # of the column's kind
        """Change columns of a case without a move."""
        self._keep(case.claim_no)
        for name, value in changes.items():
            setattr(case, name, value)

    def notify(self, member: str, notice: Notice) -> None:
        """Have a member told something when the book is written."""
        self._notices.setdefault(member, []).append(notice)

    def tell_result(self, case: Case) -> None:
        """Have all that a case concerns told what became of it."""
        self._results[case.claim_no] = case

    def note(self, case: Case, act: Act) -> None:
        """Note what happened to a case that stays where it is."""
        self._keep(case.claim_no)
        self._note(case, act)

    def _keep(self, claim_no: str) -> None:
        if claim_no not in self._before:
            known = self._cases.get(claim_no)
            self._before[claim_no] = None if known is None else replace(known)

    def _note(self, case: Case, act: Act) -> None:
        self._days[case.claim_no] = max(act.date, self._days.get(case.claim_no, act.date))
        values = {name: getattr(act, name) for name in _ACT_COLUMNS}
        if act.snapshot is not None:
            values["snapshot"] = json.dumps(act.snapshot, ensure_ascii=False, default=str)
        # The case is written last: the history is held to it at the end of the transaction.
        self.transaction.execute(
            f"INSERT INTO risk_fund.compensation_step (claim_no, state, entered, {', '.join(_ACT_COLUMNS)})"
            f" VALUES (%(claim_no)s, %(state)s, %(today)s, {', '.join(f'%({name})s' for name in _ACT_COLUMNS)})",
            values | {"claim_no": case.claim_no, "state": case.state, "today": self.today},
        )

    def write(self) -> Iterator[Draft]:
        """Write what became of the cases; yield what is told of it."""
        if not self._before and not self._notices:
            return
        rows = []
        for line, claim_no in enumerate(sorted(self._before), start=1):
            case, before = self._cases[claim_no], self._before[claim_no]
            self.transaction.execute(_WRITE, _written(case))
            states = (None if before is None else before.shared, case.shared)
            day = self._days.get(claim_no, self.today)
            rows.append((claim_no, day, None, line, *(value for state in states for value in _values(state))))
        if rows:
            revision = self.transaction.value("SELECT nextval('risk_fund.compensation_revision')")
            with Changes(EVENT) as changes:
                changes.take(iter([to_csv(pl.DataFrame(rows, schema=_CHANGE, orient="row"))]))
                yield from changes.drafts(OWN, f"compensations.{revision}")
        yield from results.drafts(self.transaction, [self._results[number] for number in sorted(self._results)])
        for member in sorted(self._notices):
            yield notices.draft_of(self.context, member, self._notices[member])
        for kept in (self._before, self._notices, self._results, self._days):
            kept.clear()


_CHANGE: Final = {
    "claim_no": pl.String(), "as_of": pl.Date(), "until": pl.Date(), "line": pl.Int64(),
    **{f"{side}_{name}": pl.String() for side in ("before", "after") for name in EVENT.state},
}  # fmt: skip


def _values(state: dict[str, Any] | None) -> list[str | None]:
    if state is None:
        return [None] * len(EVENT.state)
    return [None if value is None else str(value) for value in state.values()]


def _read(row: dict[str, Any]) -> Case:
    for name in _AMOUNTS:
        row[name] = {party: money.parse(amount) for party, amount in row[name].items()}
    return Case(**row)


def _written(case: Case) -> dict[str, Any]:
    values = {name: getattr(case, name) for name in _COLUMNS}
    for name in _AMOUNTS:
        values[name] = {party: money.text(amount) for party, amount in values[name].items()}
    return values | {name: json.dumps(values[name], ensure_ascii=False) for name in _JSON}


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Return all cases there are as changes; nothing changes until the transaction ends."""
    books.hold(transaction)
    nothing = ", ".join("NULL" for _ in EVENT.state)
    computed = {
        "fund_share": "CASE WHEN covered IS NOT NULL THEN coalesce((shares ->> 'fund')::numeric(18,2), 0.00) END",
        "fund_paid": "coalesce((paid ->> 'fund')::numeric(18,2), 0.00)",
    }
    state = ", ".join(computed.get(name, name) for name in EVENT.state)
    query = (
        f"SELECT claim_no, stage_since, NULL, row_number() OVER (ORDER BY claim_no), {nothing}, {state}"
        " FROM risk_fund.compensation_case ORDER BY claim_no"
    )
    return tell_changes(EVENT, transaction.copy_out(query), "risk_fund")
