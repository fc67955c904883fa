"""Where households live by the roster, and whether a member may act for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian.core.errors import MessageRefused
from huilian.county.members import directory
from huilian.county.procedure.acts import check_region
from huilian.wire.access import KINDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction

__all__ = ["Homes", "check_member"]


class Homes:
    """Where some households live, or lived when they were last on the roster.

    Args:
        transaction: in which the roster is read.
        households: their numbers.
    """

    def __init__(self, transaction: Transaction, households: Iterable[str]) -> None:
        rows = transaction.rows(
            "SELECT household_no, (array_agg(region ORDER BY missing_since DESC NULLS FIRST))[1] AS region,"
            " bool_or(missing_since IS NULL) AS listed FROM registry.person"
            " WHERE household_no = ANY(%s) AND is_head = 'yes' GROUP BY 1",
            [sorted(set(households))],
        )
        self._regions = {row["household_no"]: row["region"] for row in rows}
        self._listed = {row["household_no"] for row in rows if row["listed"]}

    def check(self, taken: Taken, household_no: str, *, listed: bool) -> bool:
        """Return whether a household is the roster's and lives where the member acts; with a step note what is wrong.

        Notes HL1052, it lives in another's region; HL1090, the roster has no such household.

        Args:
            taken: the step that is about it.
            household_no: its number.
            listed: whether the newest roster must have it; else any may have had it.
        """
        region = self._regions.get(household_no)
        if region is None or (listed and household_no not in self._listed):
            taken.refuse("HL1090", household_no=household_no)
            return False
        try:
            check_region(taken.member, region)
        except MessageRefused as refusal:
            taken.note(refusal)
            return False
        return True


def check_member(transaction: Transaction, code: str, kinds: Collection[str], taken: Taken) -> None:
    """Note HL1099 where no member of one of some kinds has a code; with none named any will do."""
    found = {member.code: member.kind for member in directory.all_members(transaction)}.get(code)
    if found is None or (kinds and found not in kinds):
        taken.refuse("HL1099", institution=code, kind="、".join(f"{KINDS[each]} ({each})" for each in kinds or KINDS))
