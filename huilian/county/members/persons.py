"""Persons who act for members: who may enter and who may approve, from when until when.

A record that has a field `person` names the person who took the step by her code at the member that sent it; the
member's seal says that it was so. Her name is kept in the county's database alone: records, refusals, logs and the
audit log have the code. A code stays one person's for ever, so that what she did can be followed back.

A service checks a step with `check_person`, and with `check_four_eyes` one that approves what somebody entered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian.core.errors import AccessDenied, MessageRefused, UsageError, refused_for
from huilian.county import audit
from huilian.county.members import directory
from huilian.wire.names import is_code

if TYPE_CHECKING:
    import datetime as dt

    from huilian.database.connection import Transaction

__all__ = ["APPROVE", "ENTER", "RIGHTS", "Person", "add", "check_four_eyes", "check_person", "end", "persons"]


ENTER: Final = "enter"
APPROVE: Final = "approve"
RIGHTS: Final[dict[str, str]] = {ENTER: "录入", APPROVE: "审批"}
"""What a person may do, and its Chinese name."""
NAME_LONGEST: Final = 60
_CODE_SHOWN: Final = 20
"""Characters of a code that was made up; none that is entered has more."""


@dataclass(frozen=True)
class Person:
    """One person of a member.

    Args:
        member: the code of the member she acts for.
        code: hers, unique within the member.
        name: hers.
        may: of `RIGHTS`, in their order.
        from_date: the first day on which she may act.
        until_date: the first day on which she may no more; None while that is open.
    """

    member: str
    code: str
    name: str
    may: tuple[str, ...]
    from_date: dt.date
    until_date: dt.date | None = None

    def acts_on(self, day: dt.date) -> bool:
        """Return whether she may act on a day."""
        return self.from_date <= day and (self.until_date is None or day < self.until_date)


def add(transaction: Transaction, person: Person, *, now: dt.datetime, actor: str) -> None:
    """Enter a person.

    Raises:
        AccessDenied: HL4001, there is no such member; HL4016, it has left.
        UsageError: HL7001, code, name, rights or dates are none; HL7022, the code is or was another's.
    """
    _check(person)
    if directory.find(transaction, person.member).left:
        raise AccessDenied("HL4016", member=person.member, what="已退出 (has left)")
    may = [right for right in RIGHTS if right in person.may]
    added = transaction.execute(
        "INSERT INTO huilian.person (member, code, name, may, from_date, until_date) VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (member, code) DO NOTHING",
        [person.member, person.code, person.name, may, person.from_date, person.until_date],
    )
    if not added:
        raise UsageError("HL7022", what=f"{person.member} {person.code}")
    until = person.until_date and person.until_date.isoformat()
    detail = {"person": person.code, "may": may, "from": person.from_date.isoformat(), "until": until}
    audit.append(transaction, now=now, actor=actor, action="person.added", subject=person.member, detail=detail)


def _check(person: Person) -> None:
    what = None
    if not is_code(person.code):
        what = "人员代码应为 1 至 20 位字母、数字或 _ (a person's code is 1 to 20 letters, digits or _)"
    elif not (person.name.isprintable() and person.name.strip() and len(person.name) <= NAME_LONGEST):
        what = f"姓名应为 1 至 {NAME_LONGEST} 个可显示的字 (a name has 1 to {NAME_LONGEST} characters)"
    elif not person.may or set(person.may) - set(RIGHTS):
        what = f"权限应为 (a person may): {', '.join(RIGHTS)}"
    elif person.until_date is not None and person.until_date <= person.from_date:
        what = "终止日期应晚于起始日期 (she must begin before she ends)"
    if what:
        raise UsageError("HL7001", what=what)


def end(transaction: Transaction, member: str, code: str, on: dt.date, *, now: dt.datetime, actor: str) -> Person:
    """Let a person do nothing more from a day on; what she did before stays. An earlier day counts if ended again.

    Raises:
        UsageError: HL7024, there is no such person; HL7001, she ended before that day already.
    """
    person = _find(transaction, member, code, lock=True)
    if person is None:
        raise UsageError("HL7024", member=member, person=code[:_CODE_SHOWN])
    if person.until_date is not None and person.until_date <= on:
        what = f"{member} {code} 已于 {person.until_date} 终止 (ended on that day already)"
        raise UsageError("HL7001", what=what)
    # One who never began ends on the day she would have.
    until = max(on, person.from_date)
    transaction.execute(
        "UPDATE huilian.person SET until_date = %s WHERE member = %s AND code = %s", [until, member, code]
    )
    detail = {"person": code, "until": until.isoformat()}
    audit.append(transaction, now=now, actor=actor, action="person.ended", subject=member, detail=detail)
    return Person(member, code, person.name, person.may, person.from_date, until)


def persons(transaction: Transaction, member: str | None = None) -> list[Person]:
    """Return the persons of a member, or of all, by member and code; those that ended, too."""
    rows = transaction.rows(
        "SELECT member, code, name, may, from_date, until_date FROM huilian.person"
        " WHERE %(member)s::text IS NULL OR member = %(member)s ORDER BY member, code",
        {"member": member},
    )
    return [Person(**row | {"may": tuple(row["may"])}) for row in rows]


def check_person(transaction: Transaction, member: str, code: str, right: str, on: dt.date) -> None:
    """Let a step pass that was taken by a person who may take it.

    Args:
        transaction: the transaction.
        member: whose person she is: the sender of the message.
        code: hers, as the record has it.
        right: what the step takes, `ENTER` or `APPROVE`.
        on: the day of the step.

    Raises:
        MessageRefused: HL1031, the member has no such person; HL1032, not on that day; HL1033, she has not the right;
            HL1035, neither.
    """
    person = _find(transaction, member, code)
    if person is None:
        # It may be anything, a name, too.
        raise MessageRefused("HL1031", member=member, person=code if is_code(code) else "?")
    refusals = []
    if not person.acts_on(on):
        refusals.append(MessageRefused("HL1032", member=member, person=code, date=on.isoformat()))
    if right not in person.may:
        refusals.append(MessageRefused("HL1033", member=member, person=code, right=right))
    if refusals:
        raise refused_for(refusals)


def check_four_eyes(entered: tuple[str, str], approving: tuple[str, str]) -> None:
    """Let an approval pass that is not by the person who entered; each is given as (member, code).

    Raises:
        MessageRefused: HL1034, it is the same person.
    """
    if entered == approving:
        raise MessageRefused("HL1034", member=approving[0], person=approving[1])


def _find(transaction: Transaction, member: str, code: str, *, lock: bool = False) -> Person | None:
    row = transaction.row(
        "SELECT member, code, name, may, from_date, until_date FROM huilian.person WHERE member = %s AND code = %s"
        + (" FOR UPDATE" if lock else ""),
        [member, code],
    )
    return None if row is None else Person(**row | {"may": tuple(row["may"])})
