"""What must hold of every county at its end, whatever happened: each function returns what does not."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from huilian.core.errors import HuilianError
from huilian.county import audit, service
from huilian.county.messages.outcomes import outcome_of
from huilian.county.rebuild import rebuild
from huilian.wire import envelope
from tests.simulation.money import losses_are_shared_and_recovered_once, subsidies_are_paid_once_and_within_their_caps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from huilian.database.connection import Transaction
    from tests.simulation.county import SimulatedCounty

__all__ = ["INVARIANTS", "answers"]

Found = list[Any]


def nothing_broke(county: SimulatedCounty) -> Found:
    """No handler fails, no job fails, no service refuses what another says."""
    return [*county.failures, *county.broken()]


def every_message_is_answered(county: SimulatedCounty) -> Found:
    """What was let in is handled or refused by each that takes it, and each submission has its receipt."""
    found = []
    with county.transaction() as transaction:
        for message in county.sent:
            if message.id in county.refused_at_once:
                continue
            outcome = outcome_of(transaction, message.seal, county.office.takers)
            if not outcome.is_handled and outcome.refusal is None:
                found.append(f"{message.source} {message.type} {message.id} has no answer")
    unanswered = county.rows(
        "SELECT submission FROM huilian.submission s WHERE receipt IS NULL OR NOT EXISTS (SELECT FROM huilian.message m"
        " WHERE m.type = 'receipt' AND m.source = 'HUILIAN' AND m.submission = s.submission)"
    )
    refused_parts = county.rows("SELECT submission FROM huilian.dead_letter WHERE submission IS NOT NULL")
    refused = {row["submission"] for row in refused_parts}
    return [*found, *(row["submission"] for row in unanswered if row["submission"] not in refused)]


def the_audit_chain_is_whole(county: SimulatedCounty) -> Found:
    """Each record of the log follows the one before."""
    with county.transaction() as transaction:
        try:
            audit.verify(transaction)
        except HuilianError as error:
            return [str(error)]
    return []


def the_books_balance(county: SimulatedCounty) -> Found:
    """Each transaction and each day of either kind adds up to nought; nothing is reversed twice."""
    return county.rows(
        """
        SELECT 'transaction' AS what, transaction::text AS which, sum(amount) AS amount FROM risk_fund.posting
        GROUP BY 2 HAVING sum(amount) <> 0
        UNION ALL SELECT 'effective', effective::text, sum(amount) FROM risk_fund.posting GROUP BY 2
        HAVING sum(amount) <> 0
        UNION ALL SELECT 'entered', entered::text, sum(amount) FROM risk_fund.posting GROUP BY 2 HAVING sum(amount) <> 0
        UNION ALL SELECT 'reversed', reverses::text, count(DISTINCT transaction) FROM risk_fund.posting
        WHERE reverses IS NOT NULL GROUP BY 2 HAVING count(DISTINCT transaction) > 1
        UNION ALL SELECT 'bank', party || ' ' || effective, there FROM (
            SELECT party, effective, sum(sum(amount)) OVER (PARTITION BY party ORDER BY effective) AS there
            FROM risk_fund.posting WHERE account = 'deposit' GROUP BY party, effective) d WHERE there < 0
        """
    )


def entries_are_booked_as_they_were_approved(county: SimulatedCounty) -> Found:
    """Booked once, by two persons; no money moves that nobody entered."""
    return county.rows(
        """
        SELECT entry_no, state FROM risk_fund.fund_entry
        WHERE (state = 'booked') <> (transaction IS NOT NULL)
           OR state = 'booked' AND (member, person) = (decided_member, decided_person)
        UNION ALL SELECT transaction::text, 'of no entry' FROM risk_fund.posting p
        WHERE account IN ('deposit', 'term_deposit', 'village_fund')
        AND NOT EXISTS (SELECT FROM risk_fund.fund_entry e WHERE e.transaction = p.transaction)
        """
    )


def reservations_are_what_is_open(county: SimulatedCounty) -> Found:
    """The fund holds for each application that the registry thinks it does, once, and nobody waits for it."""
    held = county.rows(
        "SELECT application_no, attempt FROM registry.application WHERE reservation = 'held' ORDER BY 1, 2"
    )
    reserved = county.rows(
        "SELECT application_no, attempt FROM risk_fund.reservation WHERE status = 'reserved' ORDER BY 1, 2"
    )
    waiting = county.rows("SELECT application_no FROM registry.application WHERE state = 'pending'")
    found: Found = [] if held == reserved else [{"held": held, "reserved": reserved}]
    return [*found, *waiting]


def applications_went_the_policys_way(county: SimulatedCounty) -> Found:
    """Nobody has two open; what is confirmed is held for; no person takes a step before the one before it."""
    return county.rows(
        """
        SELECT 'two open' AS what, borrower_no AS which FROM registry.application
        WHERE state IN ('in_review', 'returned', 'pending', 'confirmed', 'lent')
        GROUP BY borrower, borrower_no HAVING count(*) > 1
        UNION ALL SELECT 'confirmed, not held', application_no FROM registry.application
        WHERE state = 'confirmed' AND reservation IS DISTINCT FROM 'held'
        UNION ALL SELECT 'stage', application_no FROM registry.application
        WHERE (stage IS NULL) <> (state IN ('refused', 'withdrawn', 'expired', 'completed'))
        UNION ALL SELECT 'dates', application_no FROM (
            SELECT application_no, date, lag(date) OVER (PARTITION BY application_no ORDER BY number) AS before
            FROM registry.application_step WHERE person IS NOT NULL) s WHERE date < before
        UNION ALL SELECT 'one person', a.application_no FROM registry.application a
        JOIN registry.application_step s USING (application_no)
        WHERE s.move = 'approve' AND (s.member, s.person) = (a.entered_by, a.entered_person)
        """
    )


def ratings_are_as_the_policy_wants_them(county: SimulatedCounty) -> Found:
    """Nobody is in force twice, excluded, unposted, with an objection open or on the blacklist maliciously."""
    return county.rows(
        """
        SELECT a.number, a.borrower_no, w.what FROM rating.assessment a
        LEFT JOIN rating.posting p ON p.number = a.posting
        CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM rating.objection o WHERE o.assessment = a.number
                                           AND o.answered_on IS NULL) AS disputed) o
        CROSS JOIN LATERAL (VALUES
            ('no grade', a.state = 'active' AND a.grade IS NULL AND %s),
            ('in force before its posting ended',
             a.state = 'active' AND a.cause = 'indicators' AND p.last_day >= a.valid_from),
            ('disputed', a.state = 'active' AND o.disputed),
            ('nobody objects', a.state = 'objected' AND NOT o.disputed),
            ('no posting', a.state = 'posted' AND p.number IS NULL),
            ('no score',
             a.state NOT IN ('incomplete', 'collected', 'refused', 'superseded') AND a.score IS NULL),
            ('on the blacklist', a.state IN ('active', 'in_review', 'to_be_posted', 'posted', 'objected') AND EXISTS (
             SELECT FROM rating.blacklist b WHERE b.borrower_no = a.borrower_no AND b.malicious = 'yes'
             AND b.until_date IS NULL))) w (what, holds) WHERE w.holds
        UNION ALL SELECT max(number), borrower_no, 'twice' FROM rating.assessment WHERE state = 'active'
        GROUP BY borrower, borrower_no HAVING count(*) > 1
        """,
        [bool(county.named.vocabulary.grades)],
    )


def what_was_told_is_what_stands(county: SimulatedCounty) -> Found:
    """Whoever folds all changes that a service told has just what it tells whoever asks for its whole state."""
    rows = county.rows(
        "SELECT type, seal, payload FROM huilian.message WHERE type = ANY(%s) AND source <> 'HUILIAN'",
        [[event for each in county.office.services.values() for event in each.tells]],
    )
    told: dict[str, Counter[Any]] = {}
    for row in rows:
        body = envelope.read(row["seal"], bytes(row["payload"])).body()
        _fold(told.setdefault(row["type"], Counter()), row["type"], body)
    found: Found = []
    with county.transaction() as transaction:
        for owner in county.office.services.values():
            for event, tell in owner.tells.items():
                stands: Counter[Any] = Counter()
                for draft in tell(transaction):
                    _fold(stands, event, draft.body)
                spoken = told.get(event, Counter())
                spoken.subtract(stands)
                found += [(event, n, *key) for key, n in spoken.items() if n]
    return found


SPANNED = frozenset({"loans_changed", "households_changed", "continuations_changed"})
"""Events of which the whole state has every state that there was, each from its day on; of others it has the last."""


def _fold(sums: Counter[Any], event: str, body: bytes) -> None:
    """Add changes up: each state is there from `as_of` on, and no more from `until` on."""
    for line in body.splitlines():
        change = json.loads(line)
        key = json.dumps({name: value for name, value in change.items() if name not in NOT_KEY})
        for day, sign in ((change["as_of"], 1), (change["until"], -1)):
            for side, n in (("after", sign), ("before", -sign)):
                if day is not None and change[side] is not None:
                    since = day if event in SPANNED else ""
                    sums[key, since, json.dumps(change[side], sort_keys=True)] += n


NOT_KEY = ("line", "as_of", "until", "before", "after", "run_no")


KEPT: Mapping[str, str] = {
    "statistics.roll_up": "SELECT * FROM statistics.roll_up WHERE (loans, lent, balance, overdue_balance, bad_balance,"
    " repaid) <> (0, 0, 0, 0, 0, 0)",
    "statistics.household_change": "SELECT region, institution, product, month, household_no, sum(loans) AS loans"
    " FROM statistics.household_change GROUP BY 1, 2, 3, 4, 5 HAVING sum(loans) <> 0",
    "risk_fund.bank_balance": "SELECT institution, sum(balance) AS n FROM risk_fund.bank_balance GROUP BY 1"
    " HAVING sum(balance) <> 0",
    "risk_fund.reservation": "SELECT application_no, attempt, status, amount, covered FROM risk_fund.reservation",
    "rating.assessment": "SELECT borrower_no, state, stage, grade, line, valid_from FROM rating.assessment",
    "subsidy.balance_step": "SELECT institution, loan_no, day, told_by, sum(amount) AS amount FROM subsidy.balance_step"
    " GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0",
}
"""What services fold from each other's words, as it does not depend on the order."""


def _folds(transaction: Transaction) -> dict[str, str]:
    """Return what is folded by table: that and all that counts states in a column `n`, one more and one less."""
    rows = transaction.rows(
        "SELECT c.table_schema || '.' || c.table_name AS name,"
        " string_agg(c.column_name, ', ') FILTER (WHERE c.column_name <> ALL(%s)) AS key"
        " FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE t.table_type = 'BASE TABLE' GROUP BY 1, c.table_schema"
        " HAVING bool_or(c.column_name = 'n') AND c.table_schema = ANY(%s)",
        [["n", "number", "message", "as_of"], list(service.installed())],
    )
    counted = {
        row["name"]: f"SELECT {row['key']}, sum(n) AS n FROM {row['name']} GROUP BY {row['key']} HAVING sum(n) <> 0"
        for row in rows
    }
    return counted | dict(KEPT)


def a_rebuild_changes_nothing(county: SimulatedCounty) -> Found:
    """What was folded is what comes of being told everything anew; nothing more is said by that."""
    names = [name for name, each in county.office.services.items() if each.forget is not None]
    found: Found = []
    for name in names:
        with _undone(county) as transaction:
            folds = {table: each for table, each in _folds(transaction).items() if table.startswith(f"{name}.")}
            before = {table: _rows(transaction, statement) for table, statement in folds.items()}
            rebuild(transaction, county.office, name, actor="test")
            for table, statement in folds.items():
                after = _rows(transaction, statement)
                missing, new = before[table] - after, after - before[table]
                found += [(table, "folded", row) for row in missing] + [(table, "rebuilt", row) for row in new]
    return found


@contextlib.contextmanager
def _undone(county: SimulatedCounty) -> Iterator[Transaction]:
    """Give a transaction of which nothing stays."""
    with contextlib.suppress(_UndoneError), county.transaction() as transaction:
        yield transaction
        raise _UndoneError


class _UndoneError(Exception):
    """Nothing went wrong: the transaction is rolled back."""


def _rows(transaction: Transaction, statement: str) -> Counter[str]:
    return Counter(json.dumps({name: str(value) for name, value in row.items()}) for row in transaction.rows(statement))


def every_question_is_answered(county: SimulatedCounty) -> Found:
    """No question fails, of those that need to name nothing but the county."""
    _, failed = answers(county)
    return failed


GIVEN: Mapping[str, Mapping[str, str]] = {"subsidy_preview": {"period": "2022"}}
"""What questions have to be told besides the county."""


def answers(county: SimulatedCounty) -> tuple[dict[str, list[Any]], Found]:
    """Return the rows of each answer about the whole county by address, and what failed."""
    found: dict[str, list[Any]] = {}
    failed: Found = []
    for address, query in service.queries().items():
        named = {each.name for each in query.parameters if each.required} - {"region"}
        if named or query.document:
            continue
        try:
            found[address] = county.ask(address, **GIVEN.get(address, {}))
        except HuilianError as error:
            failed.append((address, error.code, str(error)))
        except Exception as error:  # noqa: BLE001  # whatever it is, no question may end so
            failed.append((address, type(error).__name__, str(error)))
    return found, failed


INVARIANTS: Iterable[Callable[[SimulatedCounty], Found]] = (
    nothing_broke,
    every_message_is_answered,
    the_audit_chain_is_whole,
    the_books_balance,
    entries_are_booked_as_they_were_approved,
    reservations_are_what_is_open,
    applications_went_the_policys_way,
    ratings_are_as_the_policy_wants_them,
    losses_are_shared_and_recovered_once,
    subsidies_are_paid_once_and_within_their_caps,
    what_was_told_is_what_stands,
    a_rebuild_changes_nothing,
    every_question_is_answered,
)
"""In this order; the first that does not hold is told."""
