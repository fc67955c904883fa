"""Acts: a step that a person of a member took, checked for everything that can be wrong with it, and entered once."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from huilian.core.clock import CHINA
from huilian.core.error_texts import Bilingual
from huilian.core.errors import MessageRefused, refused_for
from huilian.county.members import directory, persons
from huilian.wire.access import KINDS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterator, Mapping

    from huilian.county.members.directory import Member
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Message

__all__ = ["Acts", "Taken", "check_kind", "check_region", "enter", "taking"]


@dataclass(frozen=True)
class Taken:
    """A step as it was taken: its record, who sealed it, in which message and when, and what is wrong so far."""

    record: dict[str, Any]
    member: Member
    message: str
    entered: dt.date
    refusals: list[MessageRefused] = field(default_factory=list)

    @property
    def facts(self) -> dict[str, Any]:
        """Return what SQL is given of it: the record's fields, member and message."""
        return self.record | {"member": self.member.code, "message": self.message}

    @property
    def who(self) -> tuple[str, str]:
        """Return the member and the person who took it."""
        return self.member.code, self.record["person"]

    @property
    def date(self) -> dt.date:
        """Return the day it was taken."""
        day: dt.date = self.record["date"]
        return day

    def refuse(self, code: str, **facts: object) -> None:
        """Note that something is wrong with it."""
        self.note(MessageRefused(code, **facts))

    def check(self, rule: Callable[..., None], *facts: object) -> None:
        """Note what a rule refuses."""
        try:
            rule(*facts)
        except MessageRefused as refusal:
            self.note(refusal)

    def note(self, refusal: MessageRefused) -> None:
        """Note a refusal; the same again is noted once."""
        if all((each.code, each.facts) != (refusal.code, refusal.facts) for each in self.refusals):
            self.refusals.append(refusal)


class Acts:
    """The acts of one member in one message or list; what is known of a person and a day is asked once.

    Args:
        transaction: in which they are taken.
        member: who sealed them.
        sealed_on: the day on which they were sealed.
        right: what they take, `ENTER` or `APPROVE`.
    """

    def __init__(self, transaction: Transaction, member: Member, sealed_on: dt.date, right: str) -> None:
        self._transaction = transaction
        self._member = member
        self._sealed_on = sealed_on
        self._right = right
        self._known: dict[tuple[str, dt.date], MessageRefused | None] = {}

    def taken(self, record: Mapping[str, Any], message: str) -> Taken:
        """Return an act, with what is wrong with its person and its day.

        Notes HL1031 to HL1033, the person; HL1062, the day.
        """
        taken = Taken(dict(record), self._member, message, self._sealed_on)
        refusal = self._refusal(record["person"], taken.date)
        if refusal is not None:
            taken.note(refusal)
        if taken.date > self._sealed_on:
            taken.refuse("HL1062", date=taken.date.isoformat())
        return taken

    def _refusal(self, person: str, day: dt.date) -> MessageRefused | None:
        key = person, day
        if key not in self._known:
            try:
                persons.check_person(self._transaction, self._member.code, person, self._right, day)
                self._known[key] = None
            except MessageRefused as refusal:
                self._known[key] = refusal
        return self._known[key]


@contextlib.contextmanager
def taking(
    record: Mapping[str, Any],
    message: Message,
    transaction: Transaction,
    right: str,
    hold: Callable[[Transaction], None],
) -> Iterator[Taken]:
    """Give one act to be checked; at the end of the block it is refused for all that was found wrong with it.

    A refusal that is raised in the block ends the checks: what comes after it cannot be judged.

    Args:
        record: of the act; it has `date` and `person`.
        message: that carried it.
        transaction: in which it is taken.
        right: what it takes, `ENTER` or `APPROVE`.
        hold: keeps others from changing what the act is about until the transaction ends.

    Raises:
        MessageRefused: HL1031 to HL1033, the person; HL1052, the region; HL1062, the day; what the block refuses;
            HL1035, several of them.
    """
    member = directory.find(transaction, message.source)
    taken = Acts(transaction, member, message.time.astimezone(CHINA).date(), right).taken(record, message.id)
    hold(transaction)
    try:
        # Nothing is told of what lies in another's region.
        check_region(taken.member, record.get("region"))
        yield taken
    except MessageRefused as refusal:
        taken.note(refusal)
    if taken.refusals:
        raise refused_for(taken.refusals)


def check_region(member: Member, region: str | None) -> None:
    """Let pass what lies where a member acts; one without a region acts in the whole county.

    Raises:
        MessageRefused: HL1052, it lies elsewhere.
    """
    if region is not None and member.region is not None and not region.startswith(member.region):
        what = Bilingual(f"区划 {region} 不在其辖区内", f"region {region} is not its own")
        raise MessageRefused("HL1052", member=member.code, what=what)


def check_kind(taken: Taken, by: Collection[str], step: str) -> None:
    """Note HL1052 where other kinds of member take a step; with none named any may."""
    if by and taken.member.kind not in by:
        called = step if isinstance(step, Bilingual) else Bilingual(step, step)
        takers = Bilingual("、".join(KINDS.get(kind, kind) for kind in by), ", ".join(by))
        what = Bilingual(f"“{called.chinese}”由{takers.chinese}办理", f"{called.english} is taken by {takers.english}")
        taken.refuse("HL1052", member=taken.member.code, what=what)


def enter(transaction: Transaction, table: str, key: tuple[str, ...], fields: tuple[str, ...], taken: Taken) -> bool:
    """Write a record, return whether it is new; the same again changes nothing. What else is wrong undoes it.

    Raises:
        MessageRefused: HL1059, another record has its key.
    """
    taken_by = ("date", "member", "person", "message")
    columns = (*key, *fields, *(name for name in taken_by if name not in key))
    values = ", ".join(f"%({name})s" for name in columns)
    facts = taken.facts
    written = transaction.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values}) ON CONFLICT DO NOTHING", facts
    )
    compared = (*key, *fields, "member")
    same = " AND ".join(f"{name} IS NOT DISTINCT FROM %({name})s" for name in compared)
    if not written and not transaction.value(f"SELECT true FROM {table} WHERE {same}", facts):
        raise MessageRefused("HL1059", number=" ".join(str(facts[name]) for name in key))
    return bool(written)
