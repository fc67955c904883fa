"""Where households live by the roster, and whether a member may act for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian.core.errors import MessageRefused, refused_for
from huilian.county.members import directory
from huilian.county.procedure.acts import check_region
from huilian.wire.access import KINDS

if TYPE_CHECKING:
    from collections.abc import Collection

    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction

__all__ = ["check_households", "check_member"]


def check_households(transaction: Transaction, households: Collection[str], taken: Taken, *, now: bool) -> None:
    """Let pass households of the member's region that the roster has.

    Args:
        transaction: in which the roster is read.
        households: their numbers.
        taken: the step that is about them.
        now: whether the newest roster must have them; else any may have had them.

    Raises:
        MessageRefused: HL1090, the roster has no such household; HL1052, it lies in another's region. What else is
            wrong with the step cannot be judged then.
    """
    rows = transaction.rows(
        "SELECT household_no, (array_agg(region ORDER BY missing_since DESC NULLS FIRST))[1] AS region,"
        " bool_or(missing_since IS NULL) AS now FROM registry.person"
        " WHERE household_no = ANY(%s) AND is_head = 'yes' GROUP BY 1",
        [sorted(households)],
    )
    known = {row["household_no"]: row["region"] for row in rows if row["now"] or not now}
    for region in known.values():
        check_region(taken.member, region)
    if missing := sorted(set(households) - set(known)):
        raise refused_for([MessageRefused("HL1090", household_no=each) for each in missing])


def check_member(transaction: Transaction, code: str, kinds: Collection[str], taken: Taken) -> None:
    """Note HL1099 where no member of one of some kinds has a code; with none named any will do."""
    found = {member.code: member.kind for member in directory.all_members(transaction)}.get(code)
    if found is None or (kinds and found not in kinds):
        taken.refuse("HL1099", institution=code, kind="、".join(KINDS[each] for each in kinds or KINDS))
