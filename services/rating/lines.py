"""What banks and townships add to ratings: lines, marks of villages, the blacklist, what borrowers did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from huilian.core import money
from huilian.core.error_texts import Bilingual
from huilian.core.errors import MessageRefused, reason, refused_for
from huilian.county.members import persons
from huilian.county.procedure.acts import check_region, enter, taking
from huilian.policy.reading import Reading
from huilian.policy.tables import MissingFactError
from services.rating import assessments, awards, consequences, marks
from services.rating.awards import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from decimal import Decimal

    from huilian.county.context import Context
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy, Product
    from huilian.wire.envelope import Draft, Message

__all__ = ["on_blacklist_entry", "on_borrower_deed", "on_collective_credit", "on_credit_line"]


def on_credit_line(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterable[Draft]:
    """Enter the line that a bank sets for a rated borrower: within the grade's line, and while the rating holds."""
    with taking(record, message, transaction, persons.APPROVE, assessments.hold) as taken:
        row = transaction.row(
            "SELECT number, borrower, household_kind, region, age, score, grade, line, refused, valid_from, valid_until"
            " FROM rating.assessment"
            " WHERE borrower = %(borrower)s AND borrower_no = %(borrower_no)s AND state = 'active'",
            record,
        )
        if row is None:
            raise MessageRefused("HL1058", borrower_no=record["borrower_no"])
        if record["from_date"] < row["valid_from"]:
            taken.refuse("HL1058", borrower_no=record["borrower_no"])
        most = _ceiling(context.policy, row, taken)
        if most is not None and record["amount"] > most:
            taken.refuse("HL1065", amount=money.text(record["amount"]), line=money.text(most))
        elif most is not None:
            others = _lines_of_others(transaction, row["number"], taken)
            if others + record["amount"] > most:
                taken.refuse(
                    "HL1067", amount=money.text(record["amount"]), others=money.text(others), line=money.text(most)
                )
        if row["valid_until"] is not None and record["until_date"] > row["valid_until"]:
            taken.refuse("HL1066", until=row["valid_until"].isoformat())
    transaction.execute(
        """
        INSERT INTO rating.credit_line AS l (institution, borrower, borrower_no, amount, from_date, until_date,
                                             assessment, date, member, person, message)
        VALUES (%(member)s, %(borrower)s, %(borrower_no)s, %(amount)s, %(from_date)s, %(until_date)s, %(assessment)s,
                %(date)s, %(member)s, %(person)s, %(message)s)
        ON CONFLICT (borrower_no, borrower, institution, from_date) DO UPDATE
        SET amount = excluded.amount, until_date = excluded.until_date, assessment = excluded.assessment,
            date = excluded.date, person = excluded.person, message = excluded.message
        WHERE l.date <= excluded.date
        """,
        taken.facts | {"assessment": row["number"]},
    )
    return ()


def _lines_of_others(transaction: Transaction, rating: int, taken: Taken) -> Decimal:
    """Return the sum of what other banks have set on a rating that holds beside the line, each bank's newest."""
    found: Decimal = transaction.value(
        """
        SELECT coalesce(sum(amount), 0) FROM (
            SELECT DISTINCT ON (institution) amount, until_date FROM rating.credit_line
            WHERE assessment = %(rating)s AND institution <> %(member)s AND from_date < %(until_date)s
            ORDER BY institution, from_date DESC
        ) newest WHERE until_date > %(from_date)s
        """,
        taken.facts | {"rating": rating},
    )
    return found


def _ceiling(policy: Policy, rating: Mapping[str, Any], taken: Taken) -> Decimal | None:
    """Return the lower of the rating's line and the largest loan that an open product lets; None without either.

    Where no rule gives a line it is the bank's word; where a rule gives none, there is none.
    """
    line: Decimal | None = rating["line"]
    if line is None and (rating["refused"] or "rating.line" in policy.general.rules):
        return money.ZERO
    facts = {name: rating[name] for name in ("borrower", "household_kind", "score", "grade", "age")}
    facts |= {"signed": taken.record["from_date"], "bank": taken.member.code, "amount": taken.record["amount"]}
    facts |= {"region_list": policy.vocabulary.region_list_of(rating["region"])}
    loans = [
        _largest_loan(policy, product, facts)
        for product in policy.products.values()
        if rating["borrower"] in product.borrowers and product.open is not None and product.open.has(facts["signed"])
    ]
    if not policy.products or None in loans:
        return line
    largest = max((loan for loan in loans if loan is not None), default=money.ZERO)
    return largest if line is None else min(line, largest)


def _largest_loan(policy: Policy, product: Product, facts: Mapping[str, Any]) -> Decimal | None:
    """Return the most that a product lends such a borrower; None where the plan has no limit."""
    rule = "lending.amount_maximum"
    table = product.rules.get(rule)
    if table is None:
        return None
    try:
        found: Decimal | None = Reading(policy, product).value(rule, facts)
    except MissingFactError:
        # It depends on the loan, as on its term: a line is for whichever loan is largest.
        return max((row.value for row in table.rows if row.value is not None), default=money.ZERO)
    return money.ZERO if found is None else found


def on_collective_credit(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter how a township marks a village."""
    with taking(record, message, transaction, persons.APPROVE, assessments.hold) as taken:
        enter(transaction, "rating.collective_credit", ("region", "date"), ("credit", "committee"), taken)
    return ()


def on_blacklist_entry(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterator[Draft]:
    """Enter, or end, an entry of the blacklist; a malicious one has what the policy says of malicious default."""
    with taking(record, message, transaction, persons.APPROVE, assessments.hold) as taken:
        facts = taken.facts
        stands = transaction.value(
            "SELECT (borrower, borrower_no, malicious) = (%(borrower)s, %(borrower_no)s, %(malicious)s)"
            " FROM rating.blacklist WHERE member = %(member)s AND entry_no = %(entry_no)s",
            facts,
        )
        if stands is False:
            taken.refuse("HL1059", number=record["entry_no"])
    transaction.execute(
        """
        INSERT INTO rating.blacklist AS b (entry_no, borrower, borrower_no, malicious, from_date, until_date, reason,
                                           date, member, person, message)
        VALUES (%(entry_no)s, %(borrower)s, %(borrower_no)s, %(malicious)s, %(from_date)s, %(until_date)s, %(reason)s,
                %(date)s, %(member)s, %(person)s, %(message)s)
        ON CONFLICT (member, entry_no) DO UPDATE
        SET until_date = excluded.until_date, date = excluded.date, person = excluded.person, message = excluded.message
        WHERE b.date <= excluded.date
        """,
        facts,
    )
    transaction.execute(
        "CREATE TEMPORARY TABLE touched ON COMMIT DROP AS SELECT DISTINCT borrower, borrower_no FROM rating.statement"
        " WHERE borrower = %(borrower)s AND borrower_no = %(borrower_no)s",
        facts,
    )
    is_new = stands is None and facts["until_date"] is not None and facts["until_date"] > facts["from_date"]
    borrower, cause = (facts["borrower"], facts["borrower_no"]), Cause(None, None, facts["member"], facts["entry_no"])
    if facts["malicious"] == "yes" and (facts["until_date"] is None or is_new):
        consequences.stop(transaction, borrower, facts)
        yield from consequences.follow(transaction, context, borrower, "malicious_default", taken.date, cause=cause)
    elif facts["until_date"] is not None and facts["until_date"] <= facts["from_date"]:
        # It ends on the day it began: it was taken back.
        yield from awards.lift(transaction, borrower, cause, taken.date)
    assessments.assess(transaction, context)
    transaction.execute("DROP TABLE touched")
    yield from marks.of_borrower(transaction, facts["borrower"], facts["borrower_no"], taken.date)


def on_borrower_deed(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterator[Draft]:
    """Enter what a borrower did, and let what the policy says of it follow; no later record takes it back."""
    with taking(record, message, transaction, persons.APPROVE, assessments.hold) as taken:
        region = transaction.value(
            "SELECT region FROM rating.assessment WHERE borrower = %(borrower)s AND borrower_no = %(borrower_no)s"
            " ORDER BY number DESC LIMIT 1",
            record,
        )
        taken.check(check_region, taken.member, region)
        if taken.member.kind == "bank" and record["institution"] not in (None, taken.member.code):
            what = Bilingual("不是本机构的贷款", "the loan is another's")
            taken.refuse("HL1052", member=taken.member.code, what=what)
        loan = ("institution", "loan_no")
        if record["deed"] == "force_majeure" and (lacking := [name for name in loan if record[name] is None]):
            taken.note(refused_for([reason("HL2001", name) for name in lacking]))
        # Two may find the same of a loan: it counts once.
        known = transaction.value(
            "SELECT true FROM rating.deed WHERE borrower = %(borrower)s AND borrower_no = %(borrower_no)s"
            " AND deed = %(deed)s AND institution = %(institution)s AND loan_no = %(loan_no)s LIMIT 1",
            record,
        )
        fields = ("borrower", "borrower_no", "deed", *loan)
        counts = enter(transaction, "rating.deed", ("member", "reference"), fields, taken) and not known
    if record["deed"] == "force_majeure":
        if counts:
            yield from consequences.spare(transaction, taken.date)
        yield from marks.of_borrower(transaction, record["borrower"], record["borrower_no"], taken.date)
    elif counts:
        borrower = record["borrower"], record["borrower_no"]
        cause = Cause(record["institution"], record["loan_no"], taken.member.code, record["reference"])
        yield from consequences.follow(
            transaction, context, borrower, record["deed"], context.clock.today(), cause=cause
        )
