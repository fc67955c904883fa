"""The roster of its villages, for each bank: the households whose lead bank it is, and what has become of them.

The plans have the township hand it to the bank (篇一, 篇三), which sets lines by it. It has who the programme is for,
and where they live; what else the roster knows of them needs their consent.
"""

from __future__ import annotations

from typing import Any, Final

from schemas.outgoing import HouseholdServedRecord
from services.registry.deliveries.delivery import Delivery, daily, takes_part
from services.registry.parties.service_areas import lead_bank

__all__ = ["JOB", "SERVED"]

SERVED: Final = "households_served"
_TOLD: Final = ("head_name", "identity_number", "category", "village_group", "labour_skill")
_SERVED: Final = f"""
    SELECT m.code AS member, h.household_no, h.region,
           md5(ROW({", ".join(f"h.{name}" for name in _TOLD)})::text) AS digest
    FROM (SELECT region, {lead_bank("v.region", "%(day)s::date")} AS bank
          FROM (SELECT DISTINCT region FROM registry.household) v) village
    JOIN huilian.member m ON m.code = village.bank AND {takes_part("bank")}
    JOIN registry.person h ON h.region = village.region AND h.is_head = 'yes' AND h.missing_since IS NULL
"""
_HEAD: Final = """
    LEFT JOIN registry.person h
      ON NOT t.ended AND h.household_no = t.household_no AND h.is_head = 'yes' AND h.missing_since IS NULL
"""


def _household(row: dict[str, Any], day: str) -> dict[str, Any]:
    """Return a household as it is listed; of one that has ended neither name nor number, as both come from its row."""
    return {
        "household_no": row["household_no"],
        "status": "ended" if row["ended"] else "listed",
        "region": row["region"],
        **{name: row[name] for name in _TOLD},
        "as_of": day if row["ended"] else row["as_of"].isoformat(),
    }


JOB: Final = daily(
    "registry.households",
    Delivery(
        "bank",
        SERVED,
        HouseholdServedRecord,
        sent="registry.household_sent",
        key=("household_no",),
        state=("region", "digest"),
        concerned=_SERVED,
        ended="NOT EXISTS (SELECT FROM now WHERE now.member = sent.member AND now.household_no = sent.household_no)",
        order="region, household_no",
        details=", ".join(f"h.{name}" for name in (*_TOLD, "as_of")),
        joined=_HEAD,
        as_record=_household,
    ),
)
"""Banks get one file a day at most, however much the roster and the service areas changed."""
