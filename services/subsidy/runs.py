"""Runs: the county's record that computes a period, and what was found as it is kept."""

from __future__ import annotations

import contextlib
import csv
import gc
import hashlib
import io
import itertools
import json
from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import MessageRefused
from huilian.county.members import persons
from huilian.county.procedure.acts import taking
from huilian.county.sql import note_growth
from services.subsidy import items
from services.subsidy.comparison import DAY, Run, scope_of
from services.subsidy.payout import results
from services.subsidy.states import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy
    from huilian.wire.envelope import Draft, Message
    from services.subsidy.cases import Scope
    from services.subsidy.comparison import Found

__all__ = ["on_run"]

_PIECE: Final = 5_000
"""Items that are written together."""
_COLUMNS: Final = (
    *("run_no", "institution", "loan_no", "borrower", "borrower_no", "household_no", "region", "policy", "product"),
    *("period_start", "period_end", "adjusts", "claim", "filed", "asked", "own", "waiting", "by_payer", "reasons"),
    *("segments", "reading", "policy_version", "estimated", "state", "revision"),
)


def on_run(record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]:
    """Compute a period, compare, and keep what was found; the same record again changes nothing."""
    scope = scope_of(record["period"], record["institution"])
    with taking(record, message, transaction, persons.ENTER, items.hold) as taken:
        stands = transaction.row("SELECT * FROM subsidy.run WHERE run_no = %s", [record["run_no"]])
        if stands is not None:
            if any(stands[name] != record[name] for name in ("period", "institution")):
                raise MessageRefused("HL1059", number=record["run_no"])
            return ()
        is_over = taken.date >= scope.until
        if not is_over and not _estimates(context.policy):
            taken.refuse("HL1120", period=record["period"], until=(scope.until - DAY).isoformat())
    facts = taken.facts | scope.facts | {"entered": context.clock.today(), "estimated": not is_over}
    transaction.execute(
        "INSERT INTO subsidy.run SELECT %(run_no)s, %(period)s, %(institution)s, %(since)s, %(until)s, last_value,"
        " %(estimated)s, %(date)s, %(entered)s, %(member)s, %(person)s, %(message)s FROM subsidy.step",
        facts,
    )
    with _without_collector():
        told = _write(transaction, Run(transaction, context, scope, taken.date), scope, facts)
        return [*told, *results.tell(transaction)]


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Search for no cycles meanwhile: loans make none, and the search costs a tenth of a run."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _estimates(policy: Policy) -> bool:
    tables = [product.rules.get("subsidy.estimated") for product in policy.products.values()]
    return any(row.value for table in tables if table is not None for row in table.rows)


def _write(transaction: Transaction, run: Run, scope: Scope, facts: dict[str, Any]) -> list[Draft]:
    numbers = [
        row["number"]
        for row in transaction.rows(
            "SELECT i.number FROM subsidy.item i WHERE i.institution = coalesce(%(institution)s, i.institution)"
            " AND i.state = ANY(%(open)s) AND (i.adjusts IS NULL AND i.period_end > %(since)s"
            " AND i.period_end <= %(until)s OR i.adjusts IS NOT NULL AND i.period_end <= %(since)s)",
            scope.facts | {"open": list(OPEN)},
        )
    ]
    drafts = items.move(transaction, numbers, "replace", facts)
    revision = items.new_revision(transaction)
    writer = _Writer(transaction, facts["run_no"], revision, run.county)
    found = run.found()
    while piece := list(itertools.islice(found, _PIECE)):
        writer.put(piece)
    items.note_new(transaction, revision, facts)
    # What follows joins what was written just now.
    note_growth(transaction, "subsidy.item", ("number", "revision", "institution", "loan_no", "claim"), writer.written)
    note_growth(transaction, "subsidy.item_step", ("item", "revision"), writer.written)
    return [*drafts, *items.told(transaction, revision)]


class _Writer:
    """Writes what was found, some thousand at a time."""

    def __init__(self, transaction: Transaction, run_no: str, revision: int, county: str) -> None:
        self._transaction, self._run_no, self._revision, self._county = transaction, run_no, revision, county
        self._numbers: dict[int, tuple[object, int]] = {}
        self.written = 0

    def put(self, piece: list[Found]) -> None:
        """Write some rows."""
        buffer = io.StringIO()
        csv.writer(buffer).writerows(map(self._row, piece))
        self._transaction.copy_in("subsidy.item", _COLUMNS, [buffer.getvalue().encode()])
        self.written += len(piece)

    def _row(self, found: Found) -> tuple[object, ...]:
        loan = found.loan
        payers = {payer: str(part) for payer, part in (found.by_payer or {}).items()}
        return (
            self._run_no, loan.institution, loan.loan_no, found.borrower, found.borrower_no, loan.household_no,
            loan.region or self._county, found.policy, found.product, found.start, found.end, found.adjusts,
            found.claim, found.claim, found.asked, found.own, found.waiting, _json(payers), _json(found.reasons),
            _json(found.segments), self._reading(found.readings), found.version, found.estimated, found.state,
            self._revision,
        )  # fmt: skip

    def _reading(self, readings: Sequence[Mapping[str, Any]] | None) -> int | None:
        """Return the number of a list of rows, which is written once."""
        if readings is None:
            return None
        known = self._numbers.get(id(readings))
        if known is None:
            text = _json(readings)
            digest = hashlib.sha256(text.encode()).hexdigest()
            self._transaction.execute(
                "INSERT INTO subsidy.reading (parameters, digest) VALUES (%s::jsonb, %s) ON CONFLICT DO NOTHING",
                [text, digest],
            )
            number = int(self._transaction.value("SELECT number FROM subsidy.reading WHERE digest = %s", [digest]))
            known = self._numbers[id(readings)] = (readings, number)
        return known[1]


_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


def _json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    # Most loans have no reasons.
    return _encode(value) if value else "{}" if isinstance(value, dict) else "[]"
