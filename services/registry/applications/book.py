"""The book of applications: those that one message is about, as they stand, and what becomes of them.

A message may be about one application or about thousands: they are read by one statement, changed in memory, and
written and told by some more. Who opens the book holds it until the transaction ends.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, fields, is_dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.core.error_texts import Bilingual
from huilian.core.errors import ConfigurationError
from huilian.county.changes import Changes, Event
from huilian.county.changes import tell as tell_changes
from huilian.county.sql import note_growth
from huilian.policy.reading import Reading
from huilian.policy.tables import MissingFactError
from huilian.wire.access import service_code
from huilian.wire.batches import to_csv
from schemas.applications import ApplicationChange
from services.registry.applications.states import APPLICATION, BARE, BEFORE_LOAN, OPEN, Case, Path, Paths, Stage

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterator

    from huilian.county.context import Context
    from huilian.county.procedure.acts import Taken
    from huilian.county.rules import Rules
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy, Product
    from huilian.wire.envelope import Draft

__all__ = ["EVENT", "OWN", "PIECE", "Act", "Application", "Book", "hold", "lacking", "tell"]

OWN: Final = service_code("registry")
"""Who takes the steps that the calendar, the fund and the ledger take."""
PIECE: Final = 2_000
"""Applications that are changed together: of thousands no more are in memory."""
EVENT: Final = Event("applications_changed", 1, ApplicationChange)
_SHARED: Final = tuple(EVENT.state)


@dataclass
class Application:
    """One application as it stands; see the table `registry.application`."""

    application_no: str
    borrower: str
    borrower_no: str
    household_kind: str | None
    applicant: str | None
    applicant_name: str | None
    region: str
    institution: str
    bank_product: str | None
    policy: str
    product: str
    amount: Decimal
    term: int
    annual_rate_percent: Decimal | None
    purpose: str
    way: str | None
    collateral: str | None
    other_loans: Decimal
    signed: str
    family_adults: int
    family_signed: int
    document: str | None
    entered_by: str
    entered_person: str
    message: str
    applied: dt.date
    entered: dt.date
    state: str
    stage: str | None
    stage_since: dt.date
    shown: dict[str, bool] = field(default_factory=dict)
    grounds: list[str] = field(default_factory=list)
    due: dt.date | None = None
    chased: dt.date | None = None
    reservation: str | None = None
    attempt: int = 0
    decided: dt.date | None = None
    confirmation_no: str | None = None
    confirmed: dt.date | None = None
    valid_until: dt.date | None = None
    loan_no: str | None = None
    reason: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Return whose it is: kind and number of the borrower."""
        return self.borrower, self.borrower_no

    @property
    def case(self) -> Case:
        """Return what the order of its steps may depend on."""
        return Case(self.borrower, self.household_kind, self.applied, self.amount)

    @property
    def is_signed(self) -> bool:
        """Return whether who applies and all adults of the family signed."""
        return self.signed == "yes" and self.family_signed == self.family_adults

    def has_lapsed(self, day: dt.date) -> bool:
        """Return whether its validity is over on a day, though the calendar may not have noted it yet."""
        return self.state in BEFORE_LOAN and self.valid_until is not None and self.valid_until < day


_COLUMNS: Final = tuple(each.name for each in fields(Application))
_TYPES: Final = {
    "amount": pl.String(), "term": pl.Int64(), "annual_rate_percent": pl.String(), "other_loans": pl.String(),
    "family_adults": pl.Int64(), "family_signed": pl.Int64(), "attempt": pl.Int64(),
    **dict.fromkeys(
        ("applied", "entered", "stage_since", "due", "chased", "decided", "confirmed", "valid_until"), pl.Date()
    ),
}  # fmt: skip
_SCHEMA: Final = {name: _TYPES.get(name, pl.String()) for name in _COLUMNS}
_LISTED: Final = ", ".join(_COLUMNS)


@dataclass(frozen=True)
class Act:
    """One line of an application's history; see the table `registry.application_step`."""

    application_no: str
    move: str
    date: dt.date
    member: str
    person: str | None = None
    message: str | None = None
    step: str | None = None
    title: str | None = None
    decision: str | None = None
    back_to: str | None = None
    reason: str | None = None
    amount: Decimal | None = None
    term: int | None = None
    annual_rate_percent: Decimal | None = None
    met: str | None = None
    grounds: str | None = None
    opinion: str | None = None
    sealed: str | None = None
    document: str | None = None
    due: dt.date | None = None
    snapshot: dict[str, Any] | None = None
    entered: dt.date | None = None

    @property
    def who(self) -> tuple[str, str | None]:
        """Return the member and the person who took it."""
        return self.member, self.person

    def says(self, taken: Taken) -> bool:
        """Return whether a record says the same once more."""
        if taken.member.code != self.member:
            return False
        same = (name for name in _SAID if name in taken.record)
        return all(getattr(self, name) == taken.record[name] for name in same)


_ACT_COLUMNS: Final = tuple(each.name for each in fields(Act))
_ACT_TYPES: Final = {"date": pl.Date(), "due": pl.Date(), "entered": pl.Date(), "term": pl.Int64()}
_ACT_SCHEMA: Final = {name: _ACT_TYPES.get(name, pl.String()) for name in _ACT_COLUMNS}
_SAID: Final = tuple(
    name for name in _ACT_COLUMNS if name not in {"move", "title", "member", "message", "due", "snapshot", "entered"}
)


def hold(transaction: Transaction) -> None:
    """Let nobody else change applications until the transaction ends: each step is judged by what stands."""
    transaction.lock("registry.applications")


class Book:
    """Applications as they stand.

    Args:
        transaction: in which they are changed; they are held until it ends.
        context: policies and working days.
    """

    def __init__(self, transaction: Transaction, context: Context) -> None:
        hold(transaction)
        self.transaction = transaction
        self.context = context
        self.confirmed: list[Application] = []
        """Those whose loan became due and of which nobody was told yet."""
        self.ended: list[Application] = []
        """Those whose confirmation ended without a loan and of which nobody was told yet."""
        self._found: dict[str, Application] = {}
        self._before: dict[str, Application | None] = {}
        self._acts: dict[str, list[Act]] = {}
        self._new_acts: list[Act] = []
        self._open: dict[tuple[str, str], set[str]] = {}
        self._paths = Paths()
        # Read once for many: each time it is asked for, the files are looked at.
        self.own_policy = context.policy
        self._policies = {self.own_policy.name: self.own_policy}
        self._days: dict[tuple[dt.date, str], dt.date] = {}

    # -- what stands -------------------------------------------------------------------------------------------------

    def read(self, numbers: Collection[str], borrowers: Collection[tuple[str, str]] = ()) -> None:
        """Read applications with their history, and those of borrowers that are open still."""
        wanted = sorted(set(numbers) - self._found.keys())
        self._take_up("application_no = ANY(%(numbers)s)", {"numbers": wanted})
        if wanted:
            for row in self.transaction.rows(
                f"SELECT {', '.join(_ACT_COLUMNS)} FROM registry.application_step WHERE application_no = ANY(%s)"
                " ORDER BY number",
                [wanted],
            ):
                self._acts.setdefault(row["application_no"], []).append(Act(**row))
        if unknown := set(borrowers) - self._open.keys():
            for borrower in unknown:
                self._open[borrower] = set()
            numbers_of = sorted({number for _, number in unknown})
            for row in self.transaction.rows(
                "SELECT application_no, borrower, borrower_no FROM registry.application"
                " WHERE borrower_no = ANY(%s) AND state = ANY(%s)",
                [numbers_of, list(OPEN)],
            ):
                known = self._open.get((row["borrower"], row["borrower_no"]))
                if known is not None:
                    known.add(row["application_no"])

    def find(self, condition: str, facts: dict[str, Any], *, at_most: int) -> list[Application]:
        """Read applications that meet a condition, without their history; return them in order of their numbers."""
        rows = self.transaction.rows(
            f"SELECT application_no FROM registry.application WHERE {condition} ORDER BY 1 LIMIT %(at_most)s",
            facts | {"at_most": at_most},
        )
        numbers = [row["application_no"] for row in rows]
        self._take_up("application_no = ANY(%(numbers)s)", {"numbers": numbers})
        return [self._found[number] for number in numbers]

    def _take_up(self, condition: str, facts: dict[str, Any]) -> None:
        for row in self.transaction.rows(f"SELECT {_LISTED} FROM registry.application WHERE {condition}", facts):
            self._found[row["application_no"]] = Application(**row)

    def get(self, number: str) -> Application | None:
        """Return an application that was read; None where there is none."""
        return self._found.get(number)

    def acts(self, number: str) -> list[Act]:
        """Return the history of an application that was read."""
        return self._acts.get(number, [])

    def open_of(self, borrower: tuple[str, str]) -> set[str]:
        """Return the numbers of the applications of a borrower that are open; the borrower was read."""
        return self._open.get(borrower, set())

    # -- the policy --------------------------------------------------------------------------------------------------

    def policy(self, name: str) -> Policy:
        """Return the policy of an application by its name."""
        if name not in self._policies:
            self._policies[name] = self.context.rules.named(name)
        return self._policies[name]

    def product(self, application: Application) -> Product:
        """Return the product of the policy that an application is for."""
        return self.policy(application.policy).products[application.product]

    def path(self, application: Application) -> Path:
        """Return the order of an application's steps; its policy has its product still."""
        policy = self.policy(application.policy)
        return self._paths.of(policy, policy.products[application.product], application.case)

    def lacks(self, application: Application) -> Bilingual | None:
        """Return what the policy lacks since it was changed, the product or the step that is due; None: nothing."""
        return _lacks(application, self.path)

    def path_or_bare(self, application: Application) -> Path:
        """Return the order of an application's steps; request and loan alone where the policy lacks its product."""
        try:
            return self.path(application)
        except (ConfigurationError, KeyError, MissingFactError):
            return BARE

    def last_day(self, since: dt.date, stage: Stage) -> dt.date | None:
        """Return the last day for a stage that is due since a day; None where the policy sets none."""
        if stage.within is None:
            return None
        key = since, str(stage.within)
        if key not in self._days:
            self._days[key] = self.context.working_days.after(since, stage.within)
        return self._days[key]

    # -- what becomes of them ----------------------------------------------------------------------------------------

    def enter(self, application: Application, act: Act) -> None:
        """Enter a new application, or one that was sent back, by the record that says so."""
        self._keep_before(application.application_no)
        self._found[application.application_no] = application
        application.valid_until = self.valid_until(application, "application_validity", application.applied)
        self._note(replace(act, title=self._title(application, act.step)))
        self._open.setdefault(application.key, set()).add(application.application_no)

    def move(self, application: Application, act: Act, stage: str | None, **changes: Any) -> None:  # noqa: ANN401
        """Let an application move to the state that its machine says, and to a stage.

        Args:
            application: which; it is changed.
            act: what is noted of it: its move, who took it and when. It is noted with the day until which it was due.
            stage: what is due after it; None: nothing.
            changes: other columns.

        Raises:
            Refusal: the move is not allowed from where the application stands.
        """
        former, state = application.state, APPLICATION.after(application.state, act.move)
        self._keep_before(application.application_no)
        self._note(replace(act, due=application.due, title=self._title(application, act.step)))
        application.state = state
        for name, value in changes.items():
            setattr(application, name, value)
        application.stage, application.stage_since, application.due, application.chased = stage, act.date, None, None
        # Nobody is chased while the fund is asked.
        if stage is not None and state != "pending":
            path = self.path_or_bare(application)
            place = path.place(stage)
            application.due = None if place is None else self.last_day(act.date, path.stages[place])
        if state not in OPEN:
            self.open_of(application.key).discard(application.application_no)
        if state == "confirmed":
            self._confirm(application, act.date)
        elif former == "confirmed" and state not in {"lent", "completed"}:
            self.ended.append(application)
            # Of one that lapses a ledger may tell of a loan that had begun before.
            if state != "expired":
                application.confirmed = None
                application.valid_until = self.valid_until(application, "application_validity", application.applied)

    def _confirm(self, application: Application, day: dt.date) -> None:
        application.confirmation_no, application.confirmed = application.application_no, day
        application.valid_until = self.valid_until(application, "confirmation_validity", day)
        self.confirmed.append(application)

    def valid_until(self, application: Application, rule: str, since: dt.date) -> dt.date | None:
        """Return the last day of a validity that the policy's rule of lending gives; None where it has no end."""
        try:
            reading = Reading(self.policy(application.policy), self.product(application))
            validity = reading.value(f"lending.{rule}", application.case.situation | {"bank": application.institution})
        except MissingFactError:
            return None
        except (ConfigurationError, KeyError):
            # The policy has the product no more: it lapses when it would have.
            return application.valid_until
        return None if validity is None else self.context.working_days.after(since, validity)

    def _title(self, application: Application, step: str | None) -> str | None:
        stages = self.path_or_bare(application).stages
        return next((stage.title for stage in stages if stage.name == step), None)

    def chase(self, application: Application, day: dt.date, late: str | None, reason: str | None) -> None:
        """Note that what is due was chased, the one member that had to act, and how it is known that it is late."""
        self._keep_before(application.application_no)
        step, title = application.stage, self._title(application, application.stage)
        act = Act(application.application_no, "chase", day, OWN, step=step, title=title, due=application.due)
        self._note(replace(act, reason=reason, snapshot={"late": late}))
        application.chased = day

    def forget(self) -> None:
        """Forget what was read and written: of a long list no more than a piece is in memory."""
        for kept in (self._found, self._acts, self._open):
            kept.clear()

    def _keep_before(self, number: str) -> None:
        if number not in self._before:
            known = self._found.get(number)
            self._before[number] = None if known is None else replace(known)

    def _note(self, act: Act) -> None:
        # What nobody sealed is entered when it is done.
        act = replace(act, entered=act.entered or self.context.clock.today())
        self._new_acts.append(act)
        self._acts.setdefault(act.application_no, []).append(act)

    def write(self) -> Iterator[Draft]:
        """Write what became of the applications since it was written last; yield what is told of it."""
        changed = {act.application_no for act in self._new_acts} | self._before.keys()
        if not changed:
            return
        revision = self.transaction.value("SELECT nextval('registry.application_revision')")
        with Changes(EVENT) as changes:
            changes.take(iter([self._changes(sorted(changed))]))
            self._write_applications(sorted(changed), revision)
            self._write_acts()
            # No member is spoken to: who the service is stands for whom it is about.
            yield from changes.drafts(OWN, f"applications.{revision}")
        self._before.clear()
        self._new_acts.clear()

    def _changes(self, numbers: list[str]) -> bytes:
        """Return what became of applications as rows in the form that `Event.frames` reads."""
        days = {act.application_no: act.date for act in self._new_acts}
        rows = []
        for line, number in enumerate(numbers, start=1):
            after = self._found[number]
            day = days.get(number, after.stage_since)
            rows.append((number, day, None, line, *_state(self._before.get(number)), *_state(after)))
        return to_csv(pl.DataFrame(rows, schema=_CHANGE, orient="row"))

    def _write_applications(self, numbers: list[str], revision: int) -> None:
        rows = []
        for number in numbers:
            values = {name: getattr(self._found[number], name) for name in _COLUMNS}
            values["shown"] = json.dumps(values["shown"], sort_keys=True)
            values["grounds"] = "{" + ",".join(values["grounds"]) + "}"
            rows.append([_plain(value) for value in values.values()])
        frame = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
        transaction = self.transaction
        transaction.execute("DROP TABLE IF EXISTS application_written")
        transaction.execute(
            "CREATE TEMPORARY TABLE application_written ON COMMIT DROP AS"
            f" SELECT {_LISTED} FROM registry.application WITH NO DATA"
        )
        transaction.copy_in("application_written", frame.columns, [to_csv(frame)])
        set_to = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "application_no")
        transaction.execute(
            f"INSERT INTO registry.application ({_LISTED}, revision) SELECT {_LISTED}, %(revision)s"
            " FROM application_written ORDER BY application_no ON CONFLICT (application_no)"
            f" DO UPDATE SET {set_to}, revision = excluded.revision",
            {"revision": revision},
        )
        note_growth(transaction, "registry.application", ("application_no",), len(numbers))

    def _write_acts(self) -> None:
        if not self._new_acts:
            return
        rows = []
        for act in self._new_acts:
            values = {name: getattr(act, name) for name in _ACT_COLUMNS}
            if act.snapshot is not None:
                values["snapshot"] = json.dumps(act.snapshot, ensure_ascii=False, default=_as_json)
            rows.append([_plain(value) for value in values.values()])
        frame = pl.DataFrame(rows, schema=_ACT_SCHEMA, orient="row")
        self.transaction.copy_in("registry.application_step", frame.columns, [to_csv(frame)])
        note_growth(self.transaction, "registry.application_step", ("application_no",), len(rows))


_CHANGE: Final = {
    "application_no": pl.String(), "as_of": pl.Date(), "until": pl.Date(), "line": pl.Int64(),
    **{
        f"{side}_{name}": _SCHEMA[name] for side in ("before", "after") for name in _SHARED
    },
}  # fmt: skip


def _as_json(value: object) -> object:
    return vars(value) if is_dataclass(value) else str(value)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Decimal) else value


def _state(application: Application | None) -> list[object]:
    if application is None:
        return [None] * len(_SHARED)
    return [_plain(getattr(application, name)) for name in _SHARED]


def tell(transaction: Transaction) -> Iterator[Draft]:
    """Return all applications there are as changes; nothing changes until the transaction ends."""
    hold(transaction)
    nothing = ", ".join("NULL" for _ in _SHARED)
    query = (
        f"SELECT application_no, stage_since, NULL, row_number() OVER (ORDER BY application_no), {nothing},"
        f" {', '.join(_SHARED)} FROM registry.application ORDER BY application_no"
    )
    return tell_changes(EVENT, transaction.copy_out(query), "registry")


def lacking(transaction: Transaction, rules: Rules) -> dict[str, int]:
    """Return what policies lack of open applications since they were changed, and of how many."""
    paths, found = Paths(), Counter[str]()

    def path(application: Application) -> Path:
        policy = rules.named(application.policy)
        return paths.of(policy, policy.products[application.product], application.case)

    for row in transaction.stream(f"SELECT {_LISTED} FROM registry.application WHERE state = ANY(%s)", [list(OPEN)]):
        application = Application(**row)
        if (what := _lacks(application, path)) is not None:
            found[f"{application.policy}/{application.product}：{what}"] += 1
    return dict(sorted(found.items()))


def _lacks(application: Application, path: Callable[[Application], Path]) -> Bilingual | None:
    try:
        place = path(application).place(application.stage)
    except (ConfigurationError, KeyError, MissingFactError):
        return Bilingual(f"产品 {application.product}", f"the product {application.product}")
    is_there = application.stage is None or place is not None
    return None if is_there else Bilingual(f"步骤 {application.stage}", f"the step {application.stage}")
