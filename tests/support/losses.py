"""A county whose fund makes losses good: the registry's and the insurer's word is made up by the test."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from huilian.county.forms import print_form
from huilian.county.service import kinds, query
from huilian.wire import envelope
from huilian.wire.envelope import Draft
from tests.support.builders.statements import compensation, guarantee
from tests.support.carried_county import CLERK, COUNTY, HEAD, TOWNSHIP, VILLAGE
from tests.support.funds import BANK, FINANCE, MEMBERS, TODAY, FundCounty
from tests.support.funds import loan as told_loan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huilian.county.forms import Form

GUARANTOR, REGUARANTOR, INSURER, VILLAGE_STATION, TOWNSHIP_STATION = "GUA01", "REG01", "INS01", "VILL1", "TOWN1"
LOSERS: Mapping[str, tuple[str, str | None]] = MEMBERS | {
    GUARANTOR: ("guarantor", None),
    REGUARANTOR: ("reguarantor", None),
    INSURER: ("insurer", None),
    VILLAGE_STATION: ("village", VILLAGE),
    TOWNSHIP_STATION: ("township", TOWNSHIP),
}
EVIDENCE: Mapping[str, str] = {
    "xingan": "贷款合同和台账;催收记录;保险赔付证明",
    "lushi": "贷款合同和台账;催收记录;担保合同;保险赔付证明",
    "yanchi": "重大灾病等不可抗力的证明材料;保险赔付证明;贷款合同和台账",
    "huangping": "催收记录",
    "anhui": "扶贫小额信贷风险补偿资金审批表（附件2）;丧失还款能力的证明材料;保险赔付证明",
}
REVIEWERS: Mapping[str, str] = {
    "village_review": VILLAGE_STATION, "township_review": TOWNSHIP_STATION, "county_approval": COUNTY,
}  # fmt: skip


class LossCounty(FundCounty):
    """A county with everybody who bears a part of a loss."""

    members: ClassVar[Mapping[str, tuple[str, str | None]]] = LOSERS
    noted: ClassVar[str] = "compensations_changed"
    by: str = "xingan"

    def lend(self, loan_no: str = "L1", balance: str = "50000.00", **fields: Any) -> None:  # noqa: ANN401
        """Have the registry tell of a loan that is overdue."""
        known = {
            "household_no": f"H{loan_no}", "signed": "2025-01-02", "start_date": "2025-01-02",
            "due_date": "2026-01-02", "status": "overdue", "overdue_days": 59, "confirmation_no": None,
            "continuation": None, "original_loan_no": None,
        }  # fmt: skip
        change = told_loan(loan_no, None, balance)
        self.tell_loans(change | {"after": change["after"] | known | fields})

    def run_by(self, policy: str) -> None:
        """Have the county run by a policy that comes with Huilian."""
        self.by = policy
        self.use(policy)

    def claim(self, number: str = "C1", loan_no: str = "L1", member: str = BANK, **fields: Any) -> str | None:  # noqa: ANN401
        """Ask for compensation of a loan; return the code of a refusal."""
        record = {
            "claim_no": number, "filed_by": "bank", "institution": BANK, "loan_no": loan_no, "borrower_no": None,
            "overdue_since": "2026-01-02", "principal": "50000.00", "interest": "2175.00", "cause": "force_majeure",
            "insurance_paid": "0.00", "collections": 3, "evidence": EVIDENCE[self.by], "signed": "yes",
        }  # fmt: skip
        return self.send("compensation_claim", member, **record | fields)

    def review(self, step: str, number: str = "C1", decision: str = "approve", **fields: Any) -> str | None:  # noqa: ANN401
        """Take a step of a case; return the code of a refusal."""
        record = {
            "claim_no": number, "step": step, "decision": decision, "back_to": None, "reason": None, "sealed": "yes",
            "document": None,
        }  # fmt: skip
        said = {"person": HEAD} | record | fields
        return self.send("compensation_step", said.pop("member", REVIEWERS[step]), **said)

    def approve_case(self, number: str = "C1") -> None:
        """Have a case approved step by step."""
        steps = ("county_approval",) if self.by == "huangping" else REVIEWERS
        for step in steps:
            assert self.review(step, number) is None

    def pay(self, number: str, amount: str, party: str = "fund", member: str = FINANCE, **fields: Any) -> str | None:  # noqa: ANN401
        """Enter what a party pays of the case C1; return the code of a refusal."""
        record = {
            "payment_no": number, "claim_no": "C1", "party": party, "amount": amount, "person": CLERK,
            "institution": BANK if party == "fund" else None, "effective_date": self.clock.today().isoformat(),
        }  # fmt: skip
        said = record | fields
        return self.send("compensation_payment", member, **said)

    def hand_back(self, number: str, amount: str, party: str = "fund", member: str = BANK, **fields: Any) -> str | None:  # noqa: ANN401
        """Enter what is handed back of the case C1; return the code of a refusal."""
        record = {
            "return_no": number, "claim_no": "C1", "party": party, "amount": amount, "person": CLERK,
            "institution": BANK if party == "fund" else None, "effective_date": self.clock.today().isoformat(),
        }  # fmt: skip
        return self.send("recovery_return", member, **record | fields)

    def recover(self, number: str, principal: str, day: str | None = None, **fields: Any) -> str | None:  # noqa: ANN401
        """Have the bank say what it recovered of the loan L1; return the code of a refusal."""
        record = {
            "institution": BANK, "loan_no": "L1", "transaction_no": number, "principal": principal, "interest": "0.00",
            "recovered_date": day or self.clock.today().isoformat(),
        }  # fmt: skip
        body = json.dumps(record | fields).encode()
        return self.deliver(self.seal(BANK, Draft("recovery", "recovery/v1", BANK, body)))

    def guarantee(self, loan_no: str = "L1", paid: str | None = None, as_of: str = TODAY) -> None:
        """Have the guarantor's book of a day say that it guarantees a loan, and what it paid in the debtor's place."""
        row = guarantee("G1", loan_no, institution=BANK, line=1)
        instead = (
            []
            if paid is None
            else [
                compensation(
                    "G1",
                    loan_no,
                    line=1,
                    compensated_date="2026-03-03",
                    principal=paid,
                    interest="0.00",
                    recovered="0.00",
                )
            ]
        )
        for each in (row, *instead):
            del each["type"]
        parts = {"guarantees": [row], "guarantee_compensations": instead, "guarantee_releases": []}
        totals = {f"guarantees.{name}": row[name] for name in ("guaranteed_amount", "outstanding_amount")}
        totals |= {"guarantee_compensations.principal": paid or "0.00", "guarantee_compensations.interest": "0.00"}
        totals |= {"guarantee_releases.released_amount": "0.00"}
        name = f"G{as_of}{paid}.xlsx"
        receipt = self.submit(self.seal_submission(GUARANTOR, "guarantee_book", parts, file_name=name, totals=totals))
        assert receipt["status"] == "accepted", receipt

    def results(self, member: str) -> list[dict[str, Any]]:
        """Return the results that a member was sent, in order."""
        rows = self.rows(
            "SELECT seal, payload FROM huilian.message WHERE type = 'compensation_results' ORDER BY time, id"
        )
        messages = [envelope.read(row["seal"], bytes(row["payload"])) for row in rows]
        mine = {each.id: each for each in messages if each.subject == member}
        return [json.loads(line) for each in mine.values() for line in each.body().splitlines()]

    def document(self, address: str, **given: str) -> dict[str, Any]:
        """Return a document, as a caller of the whole county gets it; it holds to its schema."""
        asked = query(address)
        with self.transaction() as transaction:
            answer = asked.ask(
                transaction,
                given,
                today=self.clock.today(),
                kinds=kinds(),
                context=lambda: self.office.context,
            )
        assert asked.row().validate(answer.content) == {}
        content: dict[str, Any] = answer.content
        return content

    def printed(self, form: Form, answer: Mapping[str, Any]) -> bytes:
        """Return a form as PDF."""
        return print_form(form, answer, own=self.office.home.folder / "forms", on=self.clock.today())

    def tell_insured(self, claim_no: str, status: str, amount: str, before: tuple[str, str] | None = None) -> None:
        """Have the insurer's service tell of a claim on the loan L1, which was in another state before."""

        def state(status: str, amount: str) -> dict[str, Any]:
            return {
                "policy_no": "P1", "loan_no": "L1", "event_date": "2026-01-01", "force_majeure": "yes",
                "status": status, "amount": amount, "paid_date": TODAY if status == "settled" else None,
            }  # fmt: skip

        change = {"insurer": INSURER, "claim_no": claim_no, "as_of": TODAY, "until": None}
        former = None if before is None else state(*before)
        self.tell(
            "claims_changed", 1, [change | {"before": former, "after": state(status, amount)}],
            service="insurance_claim",
        )  # fmt: skip

    def case(self, number: str = "C1") -> dict[str, Any]:
        """Return a case as its table has it."""
        [row] = self.rows("SELECT * FROM risk_fund.compensation_case WHERE claim_no = %s", [number])
        return row
