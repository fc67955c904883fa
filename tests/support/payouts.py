"""A county that pays subsidies; what a run computed is put there by the test."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from services.subsidy import items
from tests.support.applications import ALL_MEMBERS
from tests.support.carried_county import CLERK, COUNTY, VILLAGE
from tests.support.subsidy_county import BANK, FINANCE, MEMBERS, SubsidyCounty

if TYPE_CHECKING:
    from huilian.wire.envelope import Message

__all__ = ["ACCOUNT", "PayoutCounty"]

ACCOUNT = "6228480000000000"
PERIOD_START, PERIOD_END = dt.date(2021, 4, 1), dt.date(2021, 7, 1)
PHONE = "0953-6012345"


class PayoutCounty(SubsidyCounty):
    """A county with its finance bureau, two banks, a township and two villages."""

    members = ALL_MEMBERS | MEMBERS

    def __init__(self, *given: Any) -> None:  # noqa: ANN401  # of its parent
        super().__init__(*given)
        self.sent: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        """What members were sent, by type: to whom, and the record."""

    def empty(self) -> None:
        """Forget what was computed, posted, paid and told."""
        super().empty()
        self.sent.clear()

    def _waiting(self) -> list[Message]:
        waiting = super()._waiting()
        for message in waiting:
            if message.type in {"subsidy_results", "payment_orders", "notices"} and message.source == items.OWN:
                records = [json.loads(line) for line in message.body().splitlines()]
                self.sent.setdefault(message.type, []).extend((message.subject, each) for each in records)
        return waiting

    def compute(
        self,
        *loans: str,
        run_no: str = "R1",
        own: str = "100.00",
        card: bool = True,
        person: str = CLERK,
        institution: str = BANK,
        policy: str = "yanchi",
        adjusts: int | None = None,
        region: str = VILLAGE,
    ) -> list[int]:
        """Put there what a run of the county found to agree, one item a loan; return their numbers."""
        today, numbers = self.clock.today(), []
        with self.transaction() as transaction:
            revision = items.new_revision(transaction)
            facts: dict[str, Any] = {
                "run_no": run_no, "institution": institution, "today": today, "start": PERIOD_START, "end": PERIOD_END,
                "own": own, "county": COUNTY, "person": person, "region": region, "policy": policy,
                "adjusts": adjusts, "revision": revision,
            }  # fmt: skip
            transaction.execute(
                "INSERT INTO subsidy.run (run_no, period, since, until, known, estimated, date, entered, member,"
                " person, message) VALUES (%(run_no)s, '2021-Q2', %(start)s, %(end)s, 0, false, %(today)s, %(today)s,"
                " %(county)s, %(person)s, 'm') ON CONFLICT DO NOTHING",
                facts,
            )
            for loan_no in loans:
                of_loan = facts | {"loan_no": loan_no, "account": ACCOUNT + loan_no[-3:].rjust(3, "0")}
                claim = transaction.value(
                    "INSERT INTO subsidy.claim (institution, loan_no, borrower_no, period_start, period_end, amount,"
                    " member, date, entered, message) VALUES (%(institution)s, %(loan_no)s, 'H' || %(loan_no)s,"
                    " %(start)s, %(end)s, greatest(%(own)s::numeric, 0), %(institution)s, %(today)s, %(today)s, 'm')"
                    " RETURNING filed",
                    of_loan,
                )
                if card:
                    transaction.execute(
                        "INSERT INTO subsidy.payee (institution, loan_no, payee_name, payee_account, date, member,"
                        " message) VALUES (%(institution)s, %(loan_no)s, '户主甲', %(account)s, %(today)s,"
                        " %(institution)s, 'm')",
                        of_loan,
                    )
                numbers.append(
                    transaction.value(
                        "INSERT INTO subsidy.item (run_no, institution, loan_no, borrower, borrower_no, household_no,"
                        " region, policy, product, period_start, period_end, claim, filed, asked, own, by_payer,"
                        " reasons, segments, policy_version, estimated, state, revision, adjusts) VALUES (%(run_no)s,"
                        " %(institution)s, %(loan_no)s, 'household', 'H' || %(loan_no)s, 'H' || %(loan_no)s,"
                        " %(region)s, %(policy)s, 'household', %(start)s, %(end)s, %(claim)s, %(claim)s,"
                        " greatest(%(own)s::numeric, 0), %(own)s, '{}', '[]', %(segments)s, 'yanchi 2', false,"
                        " 'computed', %(revision)s, %(adjusts)s) RETURNING number",
                        of_loan | {"claim": claim, "segments": json.dumps([SEGMENT])},
                    )
                )
            items.note_new(transaction, revision, {"date": today, "entered": today, "member": COUNTY, "person": person})
        return numbers

    # -- steps -------------------------------------------------------------------------------------------------------

    def post(self, count: int, posting_no: str = "P1", *, days: int = 7, **fields: Any) -> str | None:  # noqa: ANN401
        """Post what run R1 found in the whole county, from today; return the code of a refusal."""
        first = self.clock.today()
        record = {
            "posting_no": posting_no, "run_no": "R1", "region": COUNTY, "first_day": first,
            "last_day": first + dt.timedelta(days - 1), "complaint_line": PHONE, "count": count,
        }  # fmt: skip
        return self.send("subsidy_posting", COUNTY, **{"person": CLERK} | record | fields)

    def object_to(self, loan_no: str, objection_no: str = "O1", **fields: Any) -> str | None:  # noqa: ANN401
        """Object to what is posted of a loan; return the code of a refusal."""
        record = {
            "objection_no": objection_no, "run_no": "R1", "institution": BANK, "loan_no": loan_no, "reason": "已搬走",
        }  # fmt: skip
        return self.send("subsidy_objection", "VILL1", **{"person": CLERK} | record | fields)

    def answer(self, objection_no: str, upheld: str, **fields: Any) -> str | None:  # noqa: ANN401
        """Answer an objection; return the code of a refusal."""
        record = {"objection_no": objection_no, "upheld": upheld, "answer": "经核实"}
        return self.send("subsidy_answer", "TOWN1", **record | fields)

    def approve(self, count: int, amount: str, decision: str = "approve", **fields: Any) -> str | None:  # noqa: ANN401
        """Approve run R1 as the county's head; return the code of a refusal."""
        record = {"run_no": "R1", "count": count, "amount": amount, "decision": decision, "reason": None}
        return self.send("subsidy_approval", fields.pop("member", COUNTY), **record | fields)

    def pay(self, count: int, amount: str, payment_no: str = "PAY1", **fields: Any) -> str | None:  # noqa: ANN401
        """Order the payment of run R1 from the rural bank, as the finance bureau; return the code of a refusal."""
        record = {"payment_no": payment_no, "run_no": "R1", "institution": BANK, "count": count, "amount": amount}
        return self.send("subsidy_payment", fields.pop("member", FINANCE), **record | fields)

    def approved(self, *loans: str, **more: Any) -> list[int]:  # noqa: ANN401
        """Bring loans of one run through posting and approval; return the numbers of the items."""
        numbers = self.compute(*loans, **more)
        assert self.post(len(loans)) is None
        self.clock.advance(dt.timedelta(7))
        amount = sum(float(row["own"]) for row in self.rows("SELECT own FROM subsidy.item WHERE state = 'posted'"))
        assert self.approve(len(loans), f"{amount:.2f}") is None
        return numbers

    def ordered(self, payment_no: str = "PAY1") -> list[dict[str, Any]]:
        """Return the orders of a payment as the bank was sent them."""
        return [record for _, record in self.sent["payment_orders"] if record["batch_no"] == payment_no]

    def results(self, payment_no: str, *results: str, reason: str | None = None, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
        """Have the bank say what became of the orders of a payment, in their order; return the receipt."""
        member, number = fields.pop("member", BANK), fields.pop("number", 0)
        rows = [
            order
            | {
                "line": order["line"] + 1,
                "order_line": order["line"],
                "result": result,
                "reason": reason if result == "bounced" else None,
                "paid_date": self.clock.today().isoformat() if result == "paid" else None,
            }
            | fields
            for order, result in zip(self.ordered(payment_no), results, strict=True)
        ]
        total = f"{sum(float(row['amount']) for row in rows):.2f}"
        parts = {"payment_results": rows}
        more = {"file_name": "PAYRESULT.csv", "totals": {"amount": total}, "number": number}
        return self.submit(self.seal_submission(member, "payment_results", parts, **more))

    def new_card(self, loan_no: str, account: str = "6228480009999", **fields: Any) -> str | None:  # noqa: ANN401
        """Have the bank state another card; return the code of a refusal."""
        record = {
            "institution": BANK, "loan_no": loan_no, "payee_name": "户主甲", "payee_account": account,
            "payee_bank": None,
        }  # fmt: skip
        return self.send("payee", fields.pop("member", BANK), **{"person": CLERK} | record | fields)

    # -- what stands -------------------------------------------------------------------------------------------------

    def states(self) -> dict[str, str]:
        """Return the state of each loan's newest item."""
        rows = self.rows("SELECT DISTINCT ON (loan_no) loan_no, state FROM subsidy.item ORDER BY loan_no, number DESC")
        return {row["loan_no"]: row["state"] for row in rows}

    def paid(self) -> str:
        """Return what was paid in all, by the items."""
        [row] = self.rows("SELECT sum(paid)::text AS n FROM subsidy.item")
        return str(row["n"])

    def told_of(self, loan_no: str) -> list[str]:
        """Return what the claimant was told of a loan, in order."""
        return [each["status"] for _, each in self.sent.get("subsidy_results", ()) if each["loan_no"] == loan_no]


SEGMENT = {
    "from": "2021-04-01", "to": "2021-07-01", "days": 91, "principal": "50000.00", "rate_percent": "3.85",
    "amount": "486.597222",
}  # fmt: skip
