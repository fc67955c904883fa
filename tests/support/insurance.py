"""A county with an insurer, a bank and a finance bureau; nobody but the service of insurance hears anything."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from tests.support.builders import statements
from tests.support.carried_county import CLERK, COUNTY, HEAD, VILLAGE, CarriedCounty
from tests.support.reporting import TOTALS, TYPES

if TYPE_CHECKING:
    from huilian.county import service
    from huilian.wire.envelope import Message

FINANCE, INSURER, BANK = "FIN01", "INS01", "RCB01"
BEGIN = dt.datetime(2022, 1, 10, 1, tzinfo=dt.UTC)
"""Nine o'clock on a Monday morning in China."""


class InsuranceCounty(CarriedCounty):
    """The county."""

    policy = "yanchi"
    members: ClassVar = {
        FINANCE: ("finance", None), INSURER: ("insurer", None), "INS02": ("insurer", None), BANK: ("bank", None),
    }  # fmt: skip
    begin = BEGIN
    noted = "insurance_results_changed"

    def takers(self, message: Message) -> list[service.Service]:
        """Return the service of insurance, if it takes the message."""
        return [taker for taker in super().takers(message) if taker.name == "insurance_claim"]

    def package(self, *records: dict[str, Any], member: str = INSURER, number: int = 0) -> None:
        """Have the insurer state records in one package of today."""
        parts: dict[str, list[dict[str, Any]]] = {}
        for line, record in enumerate(records, start=1):
            parts.setdefault(record["type"], []).append(
                {"line": line} | {name: value for name, value in record.items() if name != "type"}
            )
        totals = {
            f"{kind}.{name}": f"{sum(Decimal(row[name]) for row in parts.get(kind, ())):.2f}"
            for kind in TYPES["insurance_package"]
            for name in TOTALS[kind]
        }
        more = {"file_name": "p.xml", "number": number, "totals": totals}
        receipt = self.submit(self.seal_submission(member, "insurance_package", parts, **more))
        assert receipt["status"] == "accepted", receipt

    def settle(self, period: str = "2021", member: str = FINANCE, **fields: Any) -> str | None:  # noqa: ANN401
        """Approve the result of a period; return the code of a refusal."""
        figures = {"premiums": "1000000.00", "claims": "1300000.00", "decision": "approve", "reason": None}
        known = {"institution": INSURER, "period": period}
        return self.send("period_settlement", member, **{"person": HEAD} | known | figures | fields)

    def pay(self, number: str, amount: str, member: str = FINANCE, **fields: Any) -> str | None:  # noqa: ANN401
        """Enter what was paid of premiums; return the code of a refusal."""
        record = {
            "payment_no": number, "institution": INSURER, "payer": "finance", "policy_no": None, "amount": amount,
            "paid_date": self.clock.today(), "reverses": None, "document": None,
        }  # fmt: skip
        return self.send("premium_payment", member, **{"person": CLERK} | record | fields)

    def offer(self, product: str, cover: str | None, member: str = COUNTY, **fields: Any) -> str | None:  # noqa: ANN401
        """Enter a product of the insurer; return the code of a refusal."""
        record = {
            "institution": INSURER, "product": product, "title": "意外伤害", "kind": "accident", "cover": cover,
            "from_date": "2016-01-01", "until_date": None,
        }  # fmt: skip
        return self.send("insurance_product", member, **{"person": CLERK} | record | fields)

    def lend(self, loan_no: str, household_no: str = "H1", status: str = "normal") -> None:
        """Have the registry tell of a loan."""
        state = {
            "household_no": household_no, "region": VILLAGE, "product": "A", "principal": "50000.00",
            "balance": "50000.00", "annual_rate_percent": "4.35", "start_date": "2021-12-01",
            "due_date": "2022-12-01", "settled_date": None, "five_tier_class": "normal", "overdue_days": 0,
            "overdue_principal": "0.00", "overdue_interest": "0.00", "status": status,
        }  # fmt: skip
        change = {"institution": BANK, "loan_no": loan_no, "as_of": "2022-01-01", "until": None, "before": None}
        self.tell("loans_changed", 3, [change | {"after": state}])


def policy(number: str, loan: str | None = None, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever it has
    """Return a policy of accident cover in force, its premium paid as the plan says."""
    paid = {"premium": "100.00", "premium_finance": "80.00", "premium_household": "20.00", "premium_insurer": "0.00"}
    known = {"kind": "accident", "product": "ACC1", "region": VILLAGE, "start_date": "2021-12-01"}
    return statements.policy(number, loan, **paid | known | {"end_date": "2022-11-30"} | changes)
