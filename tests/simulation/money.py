"""What must hold of the county's money at its end: losses shared and recovered once, subsidies paid once."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.county import SimulatedCounty

__all__ = ["losses_are_shared_and_recovered_once", "subsidies_are_paid_once_and_within_their_caps"]

ANHUIS_CAP = Decimal("3000.00")
"""What a household gets in all under that plan."""


def _amounts(kept: dict[str, Any]) -> dict[str, Decimal]:
    return {party: Decimal(str(amount)) for party, amount in kept.items()}


def losses_are_shared_and_recovered_once(county: SimulatedCounty) -> list[Any]:
    """Shares add up to what is made good, no party pays more, no more comes back than was paid, and books say so."""
    moved = {
        (row["claim_no"], row["kind"], row["party"]): row["amount"]
        for row in county.rows(
            "SELECT claim_no, kind, party, sum(amount) AS amount FROM risk_fund.case_payment WHERE state = 'booked'"
            " GROUP BY 1, 2, 3"
        )
    }
    booked = {
        row["reference"]: row["amount"]
        for row in county.rows(
            "SELECT reference, sum(amount) AS amount FROM risk_fund.posting WHERE account = 'deposit'"
            " AND reference IS NOT NULL GROUP BY 1"
        )
    }
    found: list[Any] = []
    for case in county.rows("SELECT * FROM risk_fund.compensation_case ORDER BY claim_no"):
        number = case["claim_no"]
        paid, returned = _amounts(case["paid"]), _amounts(case["returned"])
        found += [(number, *wrong) for wrong in _wrong_shares(case)]
        for kind, kept in (("payment", paid), ("return", returned)):
            told = {party: amount for (claim, k, party), amount in moved.items() if (claim, k) == (number, kind)}
            if not _same(kept, told):
                found.append((number, kind, kept, told))
        if booked.get(number, Decimal()) != returned.get("fund", Decimal()) - paid.get("fund", Decimal()):
            found.append((number, "books", booked.get(number), paid, returned))
    return found


def _wrong_shares(case: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield what is wrong with the amounts of a case among themselves."""
    shares, paid = _amounts(case["shares"]), _amounts(case["paid"])
    back, returned = _amounts(case["recovery_shares"]), _amounts(case["returned"])
    # The bank bears its own part: it pays nobody.
    borne = paid | {"bank": shares.get("bank", Decimal())}
    is_decided = case["state"] in ("approved", "paid", "recovered", "written_off")
    checks = (
        ("shares", is_decided and sum(shares.values()) != case["covered"]),
        ("more than was lost", (case["covered"] or 0) > case["principal"] + case["interest"]),
        ("more paid than owed", any(amount > shares.get(party, 0) for party, amount in paid.items())),
        ("not all paid", is_decided and case["state"] != "approved" and not _same(borne, shares)),
        ("more came back than was paid", any(amount > paid.get(party, 0) for party, amount in returned.items())),
        ("not all that came back is shared", sum(back.values()) != case["recovered"]),
    )
    for what, is_wrong in checks:
        if is_wrong:
            yield what, case["state"], shares, paid, back, returned, case["covered"], case["recovered"]


def _same(one: dict[str, Decimal], other: dict[str, Decimal]) -> bool:
    return {party: n for party, n in one.items() if n} == {party: n for party, n in other.items() if n}


def subsidies_are_paid_once_and_within_their_caps(county: SimulatedCounty) -> list[Any]:
    """What agrees is what was asked; what is paid was approved and ordered, once; nobody gets more than the cap."""
    found: list[Any] = county.rows(
        """
        SELECT number, 'agrees, yet differs' AS what FROM subsidy.item
        WHERE state = 'computed' AND adjusts IS NULL AND own IS DISTINCT FROM asked
        UNION ALL SELECT number, 'paid, not approved' FROM subsidy.item WHERE state = 'paid' AND paid <> approved
        UNION ALL SELECT number, 'not paid, yet money went' FROM subsidy.item
        WHERE state IN ('computed', 'differing', 'unclaimed', 'waiting', 'posted', 'objected', 'approved') AND paid <> 0
        UNION ALL SELECT o.line, 'order ' || o.payment_no FROM subsidy.payment_order o
        JOIN subsidy.payment_item p USING (payment_no, line) JOIN subsidy.item i ON i.number = p.item
        WHERE o.result = 'paid' AND NOT p.bounced
        GROUP BY o.payment_no, o.line, o.amount HAVING sum(i.paid) <> o.amount
        UNION ALL SELECT i.number, 'one person' FROM subsidy.item i
        JOIN subsidy.item_step s ON s.item = i.number AND s.move = 'approve' JOIN subsidy.run r ON r.run_no = i.run_no
        WHERE (s.member, s.person) = (r.member, r.person)
        UNION ALL SELECT min(number), 'less than nothing' FROM subsidy.item
        WHERE state IN ('posted', 'objected', 'approved', 'ordered', 'paid', 'bounced')
        GROUP BY institution, loan_no HAVING sum(own) < 0
        """
    )
    if county.policy == "anhui":
        found += county.rows(
            "SELECT household_no, sum(own) AS own FROM subsidy.item WHERE state NOT IN ('replaced', 'refused')"
            " AND household_no IS NOT NULL GROUP BY 1 HAVING sum(own) > %s",
            [ANHUIS_CAP],
        )
    return found
