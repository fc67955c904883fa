"""Payments: a bank is told to pay what was approved, says what became of it, and what bounced is paid again once."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.core import money
from huilian.core.clock import CHINA
from huilian.core.error_texts import Bilingual
from huilian.core.errors import MessageRefused
from huilian.county.members import directory, persons
from huilian.county.procedure.acts import check_kind, check_region, enter, taking
from huilian.county.submissions import entries
from huilian.county.submissions.kinds import Counts, Kind, Part, Refusal
from huilian.policy.reading import Reading
from huilian.wire.batches import Batcher, wire_types
from huilian.wire.envelope import Draft
from schemas.submission_kinds import PAYMENT_RESULTS
from schemas.subsidies import PaymentOrderRecord, PaymentResultRecord
from services.subsidy import items
from services.subsidy.payout import results
from services.subsidy.payout.approvals import NO_CASE, check_sum
from services.subsidy.payout.postings import facts_of, find_run
from services.subsidy.payout.procedure import Procedures

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from huilian.county.context import Context
    from huilian.county.submissions.kinds import Records, Submission
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Message

__all__ = ["KIND", "ORDERS", "on_payee", "on_payment"]

ORDERS: Final = "payment_orders"
_BANK, _COUNTY = "bank", "county"
_PAID: Final = ("run_no", "institution", "count", "amount")
_READY: Final = f"""
    WITH ready AS (
        SELECT i.number, i.institution, i.loan_no, i.policy, i.product, i.borrower, i.state, i.approved, i.period_end
        FROM subsidy.item i WHERE i.run_no = %(run_no)s AND i.state IN ('approved', 'bounced') AND {NO_CASE}
    )
    SELECT r.*, p.number AS payee, s.signed,
           -- What bounced is paid again when there is a card that came after the one that it bounced from.
           (SELECT max(coalesce(o.payee, 0)) FROM subsidy.payment_item t
            JOIN subsidy.payment_order o USING (payment_no, line) WHERE t.item = r.number) AS bounced_from
    FROM ready r
    LEFT JOIN LATERAL (SELECT number FROM subsidy.payee p WHERE p.institution = r.institution AND p.loan_no = r.loan_no
                       ORDER BY number DESC LIMIT 1) p ON true
    LEFT JOIN LATERAL (SELECT coalesce(l.signed, l.start_date) AS signed FROM subsidy.loan_step l
                       WHERE l.institution = r.institution AND l.loan_no = r.loan_no AND l.n > 0
                       ORDER BY l.day DESC, l.number DESC LIMIT 1) s ON true
    ORDER BY r.institution, r.loan_no, r.number
"""
# What earlier periods of these loans got too much is kept back.
_KEPT_BACK: Final = f"""
    SELECT i.number, i.institution, i.loan_no, i.approved FROM subsidy.item i
    JOIN unnest(%(institutions)s::text[], %(loans)s::text[]) AS l (institution, loan_no) USING (institution, loan_no)
    WHERE i.state IN ('approved', 'bounced') AND i.approved < 0 AND i.run_no <> %(run_no)s AND {NO_CASE}
"""
_ORDERED: Final = """
    SELECT o.line, o.payment_no AS batch_no, p.payee_name, p.payee_account, p.payee_bank, o.amount::text AS amount,
           o.purpose, o.loan_no
    FROM subsidy.payment_order o LEFT JOIN subsidy.payee p ON p.number = o.payee
    WHERE o.payment_no = %s ORDER BY o.line
"""


def on_payment(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterable[Draft]:
    """Tell a bank to pay what of a run is approved and can be paid by it; each loan is one payment."""
    with taking(record, message, transaction, persons.APPROVE, items.hold) as taken:
        if transaction.value("SELECT true FROM subsidy.payment WHERE payment_no = %(payment_no)s", record):
            enter(transaction, "subsidy.payment", ("payment_no",), _PAID, taken)
            return ()
        run = find_run(transaction, taken)
        payers = [each for each in directory.all_members(transaction) if each.code == record["institution"]]
        if not any(each.kind == _BANK and each.takes_part for each in payers):
            taken.refuse("HL1078", institution=record["institution"])
        procedures = Procedures(context, taken.date)
        ready = [each for each in _ready(transaction, context, record) if procedures.of(each) is not None]
        allowed, others = procedures.by_kind(ready, taken.member.kind, "payers")
        payable = [each for each in allowed if _is_payable(each, record["institution"])]
        payments = list(_payments(transaction, payable, record))
        if not payments:
            for each in others:
                check_kind(taken, each.payers, Bilingual("贴息拨付", "payment of subsidies"))
            if not taken.refusals:
                raise MessageRefused("HL1146", run_no=record["run_no"], institution=record["institution"])
        else:
            amounts = [each["amount"] for each in payments if each["amount"]]
            check_sum(taken.refuse, record, len(amounts), sum(amounts, money.ZERO))
    enter(transaction, "subsidy.payment", ("payment_no",), _PAID, taken)
    numbers = [number for payment in payments for number in payment["items"]]
    of_all = {"payment_no": record["payment_no"], "purpose": f"{run['period']} 贴息"}
    orders = [
        payment | of_all | {"line": line}
        for line, payment in enumerate((each for each in payments if each["amount"]), start=1)
    ]
    transaction.many(
        "INSERT INTO subsidy.payment_order (payment_no, line, institution, loan_no, payee, amount, purpose)"
        " VALUES (%(payment_no)s, %(line)s, %(institution)s, %(loan_no)s, %(payee)s, %(amount)s, %(purpose)s)",
        orders,
    )
    transaction.many(
        "INSERT INTO subsidy.payment_item (item, payment_no, line)"
        " SELECT unnest(%(items)s::bigint[]), %(payment_no)s, %(line)s",
        orders,
    )
    # What bounced before is told again if it bounces once more.
    transaction.execute("UPDATE subsidy.item SET told = NULL WHERE number = ANY(%s)", [numbers])
    facts = facts_of(taken)
    told = items.move(transaction, numbers, "order", facts)
    # What is kept back of one period and owed for another adds up to nought: nobody has to pay.
    even = [number for payment in payments if not payment["amount"] for number in payment["items"]]
    told += items.move(transaction, even, "pay", facts)
    return [*told, *_orders(transaction, record), *results.tell(transaction)]


def _ready(transaction: Transaction, context: Context, record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what of a run could be paid, with its card: none where the plan has it paid to the bank."""
    to_bank: dict[tuple[Any, ...], bool] = {}
    for row in transaction.rows(_READY, record):
        key = row["policy"], row["product"], row["borrower"], row["signed"]
        if key not in to_bank:
            policy = context.rules.named(row["policy"])
            product = policy.products.get(row["product"])
            facts = {"signed": row["signed"], "borrower": row["borrower"]}
            to_bank[key] = product is not None and Reading(policy, product).value("subsidy.paid_to", facts) == _BANK
        yield row | ({"payee": None} if to_bank[key] else {})


def _is_payable(item: Mapping[str, Any], payer: str) -> bool:
    """Return whether a bank can pay: there is a card, a newer one for what bounced, or the customer is its own."""
    if item["state"] == "bounced":
        return item["payee"] is not None and item["payee"] > item["bounced_from"]
    return item["payee"] is not None or item["institution"] == payer


def _payments(
    transaction: Transaction, payable: Sequence[Mapping[str, Any]], record: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield a payment for each loan: its items, and their sum, nought or more."""
    loans = {(each["institution"], each["loan_no"]): each["payee"] for each in payable}
    kept = transaction.rows(
        _KEPT_BACK,
        {
            "institutions": [institution for institution, _ in loans],
            "loans": [loan_no for _, loan_no in loans],
            "run_no": record["run_no"],
        },
    )
    by_loan: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for each in (*payable, *kept):
        by_loan.setdefault((each["institution"], each["loan_no"]), []).append(each)
    for (institution, loan_no), several in by_loan.items():
        amount = sum((each["approved"] for each in several), money.ZERO)
        # Less than nought waits for what the loan earns later.
        if amount >= 0:
            yield {
                "institution": institution,
                "loan_no": loan_no,
                "payee": loans[institution, loan_no],
                "amount": amount,
                "items": [each["number"] for each in several],
            }


def _orders(transaction: Transaction, record: Mapping[str, Any]) -> Iterator[Draft]:
    """Yield the orders of a payment to the bank that pays."""
    batcher, types = Batcher(), wire_types(PaymentOrderRecord)
    rows = transaction.rows(_ORDERED, [record["payment_no"]])
    frame = pl.DataFrame(rows, schema=types) if rows else pl.DataFrame(schema=types)
    for _, body in (*batcher.add(frame), *batcher.flush()):
        yield Draft(ORDERS, f"{ORDERS}/v1", record["institution"], body, bulk=True)


def on_payee(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Note the card to which the subsidy of a loan is paid from now on; the same again changes nothing."""
    with taking(record, message, transaction, persons.ENTER, items.hold) as taken:
        region = find_loan(transaction, record)
        check_loan(taken.member, record["institution"], region)
    known = transaction.row(
        "SELECT payee_name, payee_account, payee_bank FROM subsidy.payee WHERE institution = %(institution)s"
        " AND loan_no = %(loan_no)s ORDER BY number DESC LIMIT 1",
        record,
    )
    if known is None or any(known[name] != record[name] for name in known):
        transaction.execute(
            "INSERT INTO subsidy.payee (institution, loan_no, payee_name, payee_account, payee_bank, date, member,"
            " person, message) VALUES (%(institution)s, %(loan_no)s, %(payee_name)s, %(payee_account)s,"
            " %(payee_bank)s, %(date)s, %(member)s, %(person)s, %(message)s)",
            taken.facts,
        )
    return ()


def find_loan(transaction: Transaction, record: Mapping[str, Any]) -> str:
    """Return the region of a loan of which something was computed or asked.

    Raises:
        MessageRefused: HL1151, there is none.
    """
    region = transaction.value(
        "SELECT region FROM subsidy.item WHERE institution = %(institution)s AND loan_no = %(loan_no)s"
        " ORDER BY number DESC LIMIT 1",
        record,
    )
    if region is None:
        raise MessageRefused("HL1151", loan_no=record["loan_no"])
    return str(region)


def check_loan(member: directory.Member, institution: str, region: str) -> None:
    """Let pass what a member does about a loan: a bank about its own, a station where it lies.

    Raises:
        MessageRefused: HL1052, it is another's.
    """
    check_region(member, region)
    if member.kind == _BANK and member.code != institution:
        what = Bilingual(f"借据属于 {institution}", f"the loan is of {institution}")
        raise MessageRefused("HL1052", member=member.code, what=what)


_STATED: Final = """
    SELECT s.*, o.payment_no IS NOT NULL AS is_known, m.institution AS payer, o.result AS known_result,
           o.paid_date AS known_date,
           array_remove(ARRAY[
               CASE WHEN s.loan_no <> o.loan_no THEN 'loan_no' END, CASE WHEN s.amount <> o.amount THEN 'amount' END,
               CASE WHEN s.payee_account IS DISTINCT FROM p.payee_account THEN 'payee_account' END,
               CASE WHEN s.payee_name IS DISTINCT FROM p.payee_name THEN 'payee_name' END
           ], NULL) AS differing,
           (SELECT array_agg(t.item) FROM subsidy.payment_item t
            WHERE t.payment_no = o.payment_no AND t.line = o.line) AS items,
           EXISTS (SELECT FROM subsidy.payment_item t JOIN subsidy.payment_item n ON n.item = t.item AND NOT n.bounced
                   WHERE t.payment_no = o.payment_no AND t.line = o.line
                     AND (n.payment_no, n.line) <> (t.payment_no, t.line)) AS is_ordered_anew
    FROM {table} s
    LEFT JOIN subsidy.payment_order o ON o.payment_no = s.batch_no AND o.line = s.order_line
    LEFT JOIN subsidy.payment m ON m.payment_no = o.payment_no
    LEFT JOIN subsidy.payee p ON p.number = o.payee
    ORDER BY s.line
"""


def _apply(
    transaction: Transaction, submission: Submission, records: Records, _context: Context
) -> Generator[Draft, None, Counts]:
    """Take what became of payments; a line that does not fit what was ordered is answered by itself."""
    items.hold(transaction)
    member = directory.find(transaction, submission.member)
    messages = {batch.sequence: batch.message for batch in entries.batches(transaction, submission.number)}
    refused: list[Refusal] = []
    refused_records, fits = 0, []
    for row in transaction.rows(_STATED.format(table=records.table(PAYMENT_RESULTS.name))):
        if refusal := _refusal(row, member):
            refused_records += 1
            refused += Refusal.of(refusal, PAYMENT_RESULTS.name, row["line"], row["batch_no"])
        elif (row["known_result"], row["known_date"]) != (row["result"], row["paid_date"]):
            fits.append(row)
    answered = [row | {"member": member.code, "message": messages[row["sequence"]]} for row in fits]
    transaction.many(
        "UPDATE subsidy.payment_order SET result = %(result)s, reason = %(reason)s, paid_date = %(paid_date)s,"
        " answered_by = %(member)s, answer_message = %(message)s"
        " WHERE payment_no = %(batch_no)s AND line = %(order_line)s",
        answered,
    )
    transaction.many(
        "UPDATE subsidy.payment_item SET bounced = %(result)s = 'bounced'"
        " WHERE payment_no = %(batch_no)s AND line = %(order_line)s",
        answered,
    )
    sealed_on = submission.stated_at.astimezone(CHINA).date()
    # A payment whose day alone is corrected was paid before.
    moved = [row for row in fits if row["known_result"] != row["result"]]

    def alike(row: Mapping[str, Any]) -> tuple[Any, ...]:
        return row["result"], row["paid_date"] or submission.as_of, row["reason"] or "", row["sequence"]

    for (result, day, reason, part), rows in itertools.groupby(sorted(moved, key=alike), key=alike):
        facts = {"date": day, "entered": sealed_on, "member": member.code, "message": messages[part]}
        numbers = [number for row in rows for number in row["items"]]
        move = "pay" if result == "paid" else "bounce"
        yield from items.move(transaction, numbers, move, facts | {"reason": reason or None})
    yield from results.tell(transaction)
    changed = len(fits)
    return Counts(changed, submission.accepted - changed - refused_records, 0, refused)


def _refusal(row: Mapping[str, Any], member: directory.Member) -> MessageRefused | None:
    """Return why a result is not taken."""
    number = f"{row['batch_no']}/{row['order_line']}"
    # Nothing is told of another bank's payments.
    if not row["is_known"] or (member.kind == _BANK and row["payer"] != member.code):
        return MessageRefused("HL1147", number=number, institution=member.code)
    if row["differing"]:
        return MessageRefused("HL1148", number=number, fields=", ".join(row["differing"]))
    if row["result"] == "paid" and row["known_result"] == "bounced" and row["is_ordered_anew"]:
        return MessageRefused("HL1149", number=number)
    return None


KIND: Final = Kind(
    declared=PAYMENT_RESULTS,
    parts={PAYMENT_RESULTS.name: Part(PaymentResultRecord, PAYMENT_RESULTS.records[PAYMENT_RESULTS.name])},
    apply=_apply,
    standing=lambda _transaction, submission: submission.accepted,
)
"""What banks say, or the county enters, of payments."""
