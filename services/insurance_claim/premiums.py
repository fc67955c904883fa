"""Products that insurers offer, and premiums: who owes which share by the plan, and what was paid."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money, regions
from huilian.core.error_texts import Bilingual
from huilian.core.errors import AccessDenied, MessageRefused
from huilian.county.members import directory, persons
from huilian.county.procedure.acts import enter, taking
from huilian.policy.reading import Reading
from huilian.policy.tables import MissingFactError
from huilian.wire.access import KINDS
from schemas.insurance import PREMIUM_PAYER
from services.insurance_claim.results import hold

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping
    from decimal import Decimal

    from huilian.county.context import Context
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy
    from huilian.wire.envelope import Draft, Message

__all__ = ["on_payment", "on_product", "planned", "premium_differences", "premiums"]

_INSURER: Final = "insurer"
_PAYMENT: Final = ("institution", "payer", "policy_no", "amount", "paid_date", "reverses", "document")


def on_product(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter a product that an insurer offers; from the same day it is corrected."""
    with taking(record, message, transaction, persons.ENTER, hold) as taken:
        _check_insurer(transaction, taken)
    transaction.execute(
        """
        INSERT INTO insurance_claim.product AS p (institution, product, title, kind, cover, from_date, until_date,
                                                  date, member, person, message)
        VALUES (%(institution)s, %(product)s, %(title)s, %(kind)s, %(cover)s, %(from_date)s, %(until_date)s,
                %(date)s, %(member)s, %(person)s, %(message)s)
        ON CONFLICT (institution, product, from_date) DO UPDATE
        SET title = excluded.title, kind = excluded.kind, cover = excluded.cover, until_date = excluded.until_date,
            date = excluded.date, member = excluded.member, person = excluded.person, message = excluded.message
        WHERE p.date <= excluded.date
        """,
        taken.facts,
    )
    return ()


def on_payment(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter what a payer paid of premiums, or take a payment back, once; the same again changes nothing."""
    with taking(record, message, transaction, persons.ENTER, hold) as taken:
        _check_insurer(transaction, taken)
        if record["paid_date"] > taken.date:
            taken.refuse("HL1062", date=record["paid_date"].isoformat())
        facts = taken.facts
        if facts["policy_no"] is not None and not transaction.value(
            "SELECT true FROM insurance_claim.policy WHERE member = %(institution)s AND policy_no = %(policy_no)s"
            " LIMIT 1",
            facts,
        ):
            taken.refuse("HL1185", institution=facts["institution"], policy_no=facts["policy_no"])
        if facts["reverses"] is not None:
            _check_reversal(transaction, taken)
        enter(transaction, "insurance_claim.premium_payment", ("payment_no",), _PAYMENT, taken)
    return ()


def _check_insurer(transaction: Transaction, taken: Taken) -> None:
    """Note HL1099, it is no insurer; HL1052, an insurer speaks for another."""
    institution = taken.record["institution"]
    try:
        kind = directory.find(transaction, institution).kind
    except AccessDenied:
        kind = ""
    if kind != _INSURER:
        taken.refuse("HL1099", institution=institution, kind=f"{KINDS[_INSURER]} ({_INSURER})")
    elif taken.member.kind == _INSURER and taken.member.code != institution:
        what = Bilingual(f"不能代 {institution} 申报", f"it does not speak for {institution}")
        taken.refuse("HL1052", member=taken.member.code, what=what)


def _check_reversal(transaction: Transaction, taken: Taken) -> None:
    """Let a payment be taken back as it was entered, once.

    Raises:
        MessageRefused: HL1186, there is none such, or it was taken back.
    """
    stands = transaction.value(
        """
        SELECT true FROM insurance_claim.premium_payment p
        WHERE payment_no = %(reverses)s AND reverses IS NULL AND institution = %(institution)s AND payer = %(payer)s
          AND policy_no IS NOT DISTINCT FROM %(policy_no)s AND amount = %(amount)s
          AND NOT EXISTS (SELECT FROM insurance_claim.premium_payment r
                          WHERE r.reverses = p.payment_no AND r.payment_no <> %(payment_no)s)
        """,
        taken.facts,
    )
    if not stands:
        raise MessageRefused("HL1186", number=taken.record["reverses"])


def planned(policy: Policy, premium: Decimal, begins: dt.date) -> dict[str, Decimal] | None:
    """Return who pays a household's premium by the plan; None where the plan does not say.

    Whoever is neither household nor insurer is the public purse, which policies of insurance call finance.
    """
    try:
        weights = Reading(policy, None).value("insurance.premium_payers", {"event": begins, "borrower": "household"})
    except MissingFactError:
        return None
    if not weights:
        return None
    found = dict.fromkeys(PREMIUM_PAYER, money.ZERO)
    for party, amount in money.split(premium, weights).items():
        found[party if party in PREMIUM_PAYER else "finance"] += amount
    return found


def premiums(
    transaction: Transaction, *, policy: Policy, today: dt.date, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return by insurer and payer what of premiums is stated, what the plan says, what was paid and what is owed.

    Args:
        transaction: in which it is asked.
        policy: the county's.
        today: policies that begin later do not count.
        institution: this insurer only.
    """
    facts = {"today": today, "institution": institution}
    stated: defaultdict[str, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(PREMIUM_PAYER, money.ZERO))
    by_plan: defaultdict[str, dict[str, Decimal] | None] = defaultdict(lambda: dict.fromkeys(PREMIUM_PAYER, money.ZERO))
    counts: defaultdict[str, int] = defaultdict(int)
    for row in transaction.rows(
        """
        SELECT member, premium, start_date, count(*) AS policies, sum(premium_finance) AS finance,
               sum(premium_household) AS household, sum(premium_insurer) AS insurer
        FROM insurance_claim.newest_policy
        WHERE start_date <= %(today)s AND (%(institution)s::text IS NULL OR member = %(institution)s)
        GROUP BY 1, 2, 3 ORDER BY 1, 3, 2
        """,
        facts,
    ):
        insurer, shares = row["member"], planned(policy, row["premium"], row["start_date"])
        counts[insurer] += row["policies"]
        known = by_plan[insurer]
        for payer in PREMIUM_PAYER:
            stated[insurer][payer] += row[payer]
            if known is not None and shares is not None:
                known[payer] += shares[payer] * row["policies"]
        if shares is None:
            by_plan[insurer] = None
    paid = {
        (row["institution"], row["payer"]): row["paid"]
        for row in transaction.rows(
            "SELECT institution, payer, sum(CASE WHEN reverses IS NULL THEN amount ELSE -amount END) AS paid"
            " FROM insurance_claim.premium_payment"
            " WHERE %(institution)s::text IS NULL OR institution = %(institution)s GROUP BY 1, 2",
            facts,
        )
    }
    for insurer in sorted({*counts, *(name for name, _ in paid)}):
        plan = by_plan[insurer]
        for payer in PREMIUM_PAYER:
            there = paid.get((insurer, payer), money.ZERO)
            yield {
                "institution": insurer,
                "payer": payer,
                "policies": counts[insurer],
                "stated": money.text(stated[insurer][payer]),
                "by_plan": None if plan is None else money.text(plan[payer]),
                "paid": money.text(there),
                "owed": money.text(stated[insurer][payer] - there),
            }


def premium_differences(
    transaction: Transaction, *, region: str, policy: Policy, today: dt.date, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return the policies whose premium others pay than the plan says.

    Args:
        transaction: in which it is asked.
        region: a county, township or village.
        policy: the county's.
        today: policies that begin later do not count.
        institution: this insurer only.
    """
    shares = ("premium_finance", "premium_household", "premium_insurer")
    for row in transaction.rows(
        f"SELECT member, policy_no, household_no, region, premium, start_date, {', '.join(shares)}"
        " FROM insurance_claim.newest_policy WHERE region LIKE %(region)s AND start_date <= %(today)s"
        " AND (%(institution)s::text IS NULL OR member = %(institution)s) ORDER BY member, policy_no",
        {"region": regions.normalise(region) + "%", "today": today, "institution": institution},
    ):
        plan = planned(policy, row["premium"], row["start_date"])
        if plan is None or all(row[f"premium_{payer}"] == plan[payer] for payer in PREMIUM_PAYER):
            continue
        yield {
            "institution": row["member"],
            **{name: row[name] for name in ("policy_no", "household_no", "region")},
            "premium": money.text(row["premium"]),
            **{name: money.text(row[name]) for name in shares},
            **{f"plan_{payer}": money.text(plan[payer]) for payer in PREMIUM_PAYER},
        }
