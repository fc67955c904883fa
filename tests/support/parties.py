"""A county with a roster, whose members enter consents, enterprises, agreements, lead banks and suspensions."""

from __future__ import annotations

from typing import Any, Final

from tests.support.builders.delimited_files import identity_number
from tests.support.carried_county import CLERK, COUNTY, HEAD, MEMBERS, OTHER_VILLAGE, VILLAGE, CarriedCounty

ENTERPRISE: Final = "91110000600037341L"
OTHER_ENTERPRISE: Final = "91340100MA2N0L1X33"
TAKING_PART: Final = MEMBERS | {
    "GUA01": ("guarantor", None),
    "INS01": ("insurer", None),
    "CRB01": ("credit_bureau", None),
}
HEADS: Final = {"H1": identity_number(1), "H2": identity_number(2), "H3": identity_number(3), "K1": identity_number(4)}
"""Numbers of the heads of three households of a village, and of one of the other village."""
SPOUSE: Final = identity_number(11)
"""That of another member of H1."""


class PartiesCounty(CarriedCounty):
    """A county with four households on its roster."""

    members = TAKING_PART

    def empty(self) -> None:
        """Forget everything but who takes part, and have the households on the roster again."""
        super().empty()
        for number, head in HEADS.items():
            self.enrol_household(number, head, home(number))
        self.enrol_household("H1", SPOUSE, VILLAGE, person_name="配偶", relation_to_head="spouse", is_head="no")

    def enrol_household(self, number: str, identity: str, region: str, **person: object) -> None:
        """Have a person on the newest roster, by default the head of a household with a need."""
        row = {
            "household_no": number, "identity_number": identity, "head_name": f"户主{number}",
            "person_name": f"户主{number}", "relation_to_head": "head", "region": region,
            "category": "out_of_poverty", "is_head": "yes", "needs": f"养殖{number}", "as_of": "2024-01-01",
            "submission": 0, "sequence": 0, "line": 2,
        } | person  # fmt: skip
        marks = ", ".join(["%s"] * len(row))
        self.rows(f"INSERT INTO registry.person ({', '.join(row)}) VALUES ({marks}) RETURNING 1", list(row.values()))

    # -- records -----------------------------------------------------------------------------------------------------

    def consent(self, number: str = "C1", member: str = "VILL1", **fields: Any) -> str | None:  # noqa: ANN401
        """Send a consent of the head of H1 to credit inquiry by all, open; return the code of a refusal."""
        household = fields.get("household_no", "H1")
        record = {
            "consent_no": number, "household_no": household, "identity_number": HEADS.get(household, HEADS["H1"]),
            "scope": "credit_inquiry", "institution": None, "from_date": "2024-03-01", "until_date": None,
            "document": None,
        }  # fmt: skip
        return self.send("consent", member, **{"person": CLERK} | record | fields)

    def enterprise(self, number: str = ENTERPRISE, member: str = "TOWN1", **fields: Any) -> str | None:  # noqa: ANN401
        """Send an enterprise of the village, open; return the code of a refusal."""
        record = {
            "enterprise_no": number, "name": "示例养殖专业合作社", "region": VILLAGE, "kind": "co_operative",
            "from_date": "2020-01-01", "until_date": None,
        }  # fmt: skip
        return self.send("enterprise", member, **{"person": CLERK} | record | fields)

    def lead(self, household: str, enterprise: str = ENTERPRISE, member: str = "TOWN1", **fields: Any) -> str | None:  # noqa: ANN401
        """Send that an enterprise leads a household by shares from March on; return the code of a refusal."""
        record = {
            "enterprise_no": enterprise, "household_no": household, "way": "shares", "orders": None, "shares": "RG-1",
            "shares_amount": "5000.00", "from_date": "2024-03-01", "until_date": None,
        }  # fmt: skip
        return self.send("led_household", member, **{"person": CLERK} | record | fields)

    def benefit(self, reference: str, household: str = "H1", member: str = "TOWN1", **fields: Any) -> str | None:  # noqa: ANN401
        """Send that a household received a dividend today; return the code of a refusal."""
        record = {
            "enterprise_no": ENTERPRISE, "reference": reference, "household_no": household,
            "received": self.clock.today(), "kind": "dividend", "amount": "600.00",
        }  # fmt: skip
        return self.send("enterprise_benefit", member, **{"person": CLERK} | record | fields)

    def agree(self, number: str = "A1", member: str = "TOWN1", **fields: Any) -> str | None:  # noqa: ANN401
        """Send a joint guarantee of two households to a bank; return the code of a refusal."""
        record = {
            "agreement_no": number, "kind": "joint_guarantee", "region": VILLAGE, "members": "RCB01",
            "households": "H2;H1", "enterprises": None, "application_no": "SQ1", "institution": None, "loan_no": None,
            "reports": "村服务部每季度报告经营情况", "document": "联保2024-1", "from_date": "2024-03-01",
            "until_date": None,
        }  # fmt: skip
        return self.send("agreement", member, **{"person": CLERK} | record | fields)

    def area(self, region: str, institution: str = "RCB01", member: str = COUNTY, **fields: Any) -> str | None:  # noqa: ANN401
        """Send that a bank leads in an area from March on; return the code of a refusal."""
        record = {
            "institution": institution, "region": region, "branch": "示例支行", "responsible": HEAD,
            "from_date": "2024-03-01", "until_date": None,
        }  # fmt: skip
        return self.send("service_area", member, **record | fields)

    def suspend(self, number: str = "S1", region: str = VILLAGE, member: str = COUNTY, **fields: Any) -> str | None:  # noqa: ANN401
        """Send that all lending stops in an area from March on; return the code of a refusal."""
        record = {
            "suspension_no": number, "region": region, "institution": None, "product": None,
            "reason": "当年到期贷款收回率低于98%", "from_date": "2024-03-01", "until_date": None,
        }  # fmt: skip
        return self.send("lending_suspension", member, **record | fields)


def home(household: str) -> str:
    """Return the village in which a household lives."""
    return OTHER_VILLAGE if household == "K1" else VILLAGE
