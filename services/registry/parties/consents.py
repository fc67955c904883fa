"""Consents: what somebody of a household lets others do with its data, until when, and who asks whether she did."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from huilian.county.members import directory, persons
from huilian.county.procedure.acts import taking
from services.registry.parties import periods
from services.registry.parties.homes import Homes
from services.registry.parties.periods import HOLDS, Periods

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from huilian.county.context import Context
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["SCOPES_OF", "Asked", "enter", "in_force", "on_consent", "stands"]

SCOPES_OF: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "bank": frozenset({"credit_inquiry", "share_with_bank"}),
        "guarantor": frozenset({"credit_inquiry", "share_with_guarantor"}),
        "insurer": frozenset({"share_with_insurer"}),
        "credit_bureau": frozenset({"publish"}),
    }
)
"""What may be consented to a kind of member."""
_FIELDS: Final = ("household_no", "identity_number", "scope", "institution", "document", "from_date")
_KEPT: Final = Periods("consent", ("consent_no",), _FIELDS)


@dataclass(frozen=True)
class Asked:
    """A question about one household.

    Args:
        household_no: the household.
        identity_number: who must have consented; None: anybody of the household.
        institution: to whom; None: only who consented to all counts.
        day: on which it must hold.
    """

    household_no: str
    identity_number: str | None
    institution: str | None
    day: dt.date


def in_force(transaction: Transaction, scope: str, asked: Sequence[Asked]) -> list[bool]:
    """Return for each question whether a consent holds, in their order, by one statement for all.

    Args:
        transaction: in which it is read.
        scope: one code of `CONSENT_SCOPE`.
        asked: the questions.
    """
    rows = transaction.rows(
        f"""
        SELECT EXISTS ({stands("a.household_no", "a.institution", "a.day")}
                       AND (a.identity_number IS NULL OR c.identity_number = a.identity_number)) AS stands
        FROM unnest(%(households)s::text[], %(persons)s::text[], %(institutions)s::text[], %(days)s::date[])
             WITH ORDINALITY AS a (household_no, identity_number, institution, day, place)
        ORDER BY place
        """,
        {
            "scope": scope,
            "households": [each.household_no for each in asked],
            "persons": [each.identity_number for each in asked],
            "institutions": [each.institution for each in asked],
            "days": [each.day for each in asked],
        },
    )
    return [row["stands"] for row in rows]


def stands(household: str, institution: str, day: str) -> str:
    """Return SQL for the consents `c` of a household to `%(scope)s` that hold, to be used with EXISTS.

    Args:
        household: SQL for its number.
        institution: SQL for to whom it consents; a null is only who consented to all.
        day: SQL for the day.
    """
    return (
        f"SELECT FROM registry.consent c WHERE c.household_no = {household} AND %(scope)s = ANY(c.scope)"
        f" AND (c.institution IS NULL OR c.institution = {institution}) AND {HOLDS.format('c', day)}"
    )


def on_consent(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter a consent, or the day on which one is withdrawn."""
    with taking(record, message, transaction, persons.ENTER, periods.hold) as taken:
        enter(transaction, [taken])
    return ()


def enter(transaction: Transaction, consents: Sequence[Taken]) -> int:
    """Enter consents and withdrawals, in their order; return how many changed anything.

    What is wrong with one is noted with it, and it changes nothing. Notes HL1052, it lies in another's region, or is
    not the sender's own business; HL1059, HL1098, as `Periods.enter`; HL1090, the roster has no such household; HL1091,
    who consents is not of it; HL1092, nobody consents to that to such a member.
    """
    periods.hold(transaction)
    records = [taken.record for taken in consents]
    known = _KEPT.known(transaction, records)
    homes = Homes(transaction, (record["household_no"] for record in records))
    members = {member.code: member.kind for member in directory.all_members(transaction)}
    of_household = _of_households(transaction, records)
    entries = []
    for taken in consents:
        record = taken.record
        # Who has left the roster since can still withdraw.
        is_new = (record["consent_no"],) not in known
        if not homes.check(taken, record["household_no"], listed=is_new):
            continue
        scope = sorted(set(record["scope"].split(";")))
        _check_institution(taken, scope, members)
        if is_new and (record["household_no"], record["identity_number"]) not in of_household:
            taken.refuse("HL1091", household_no=record["household_no"])
        entries.append((taken, taken.facts | {"scope": scope}))
    return _KEPT.enter(transaction, entries)


def _check_institution(taken: Taken, scope: Sequence[str], members: Mapping[str, str]) -> None:
    institution = taken.record["institution"]
    if taken.member.kind in SCOPES_OF and institution != taken.member.code:
        what = "只能登记向本机构的授权 (it enters consents to itself only)"
        taken.refuse("HL1052", member=taken.member.code, what=what)
    if institution is not None and not set(scope) <= SCOPES_OF.get(members.get(institution, ""), frozenset()):
        taken.refuse("HL1092", institution=institution, scope=", ".join(scope))


def _of_households(transaction: Transaction, records: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Return which of the records' households and persons belong together by the newest roster."""
    rows = transaction.rows(
        "SELECT household_no, identity_number FROM registry.person WHERE missing_since IS NULL AND"
        " (household_no, identity_number) IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
        [[record[name] for record in records] for name in ("household_no", "identity_number")],
    )
    return {(row["household_no"], row["identity_number"]) for row in rows}
