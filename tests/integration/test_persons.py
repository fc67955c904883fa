"""Persons who act for members: entered, ended, and what a step of theirs is held to."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from huilian.core.errors import AccessDenied, MessageRefused, UsageError, reasons_of, refused_for
from huilian.county import audit
from huilian.county.members import persons
from huilian.county.members.persons import APPROVE, ENTER, Person, check_four_eyes, check_person
from tests.support.county import BANK, COUNTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.county import County

JUNE, JULY = dt.date(2024, 6, 1), dt.date(2024, 7, 1)
CLERK = Person(BANK, "LH01", "禾谷一", ("enter",), JUNE)
DAY = dt.timedelta(days=1)


def add(county: County, *entered: Person) -> None:
    """Enter persons."""
    with county.transaction() as transaction:
        for person in entered:
            persons.add(transaction, person, now=county.clock.now(), actor="operator:test")


def end(county: County, on: dt.date, code: str = "LH01") -> Person:
    """End a person of the bank."""
    with county.transaction() as transaction:
        return persons.end(transaction, BANK, code, on, now=county.clock.now(), actor="operator:test")


def entered(county: County, member: str | None = None) -> list[Person]:
    """Return the persons there are."""
    with county.transaction() as transaction:
        return persons.persons(transaction, member)


def code_of(work: Callable[[], object]) -> str | None:
    """Return the code with which a step is refused, or None."""
    try:
        work()
    except MessageRefused as refused:
        return refused.code
    return None


def step(county: County, code: str, right: str, on: dt.date, member: str = BANK) -> str | None:
    """Return the code with which a person's step is refused, or None."""
    with county.transaction() as transaction:
        return code_of(lambda: check_person(transaction, member, code, right, on))


def audited(county: County) -> list[dict[str, Any]]:
    """Return what the audit log says of persons, the chain having been walked."""
    with county.transaction() as transaction:
        audit.verify(transaction)
    statement = "SELECT actor, action, subject, detail FROM huilian.audit WHERE action LIKE 'person.%' ORDER BY number"
    return county.rows(statement)


def test_a_person_is_found_as_she_was_entered(county: County):
    """The same code at another member is somebody else; rights stand in one order."""
    both = Person(COUNTY, "LH01", "禾谷二", ("approve", "enter"), JUNE, JULY)
    add(county, CLERK, both)
    assert entered(county) == [Person(COUNTY, "LH01", "禾谷二", ("enter", "approve"), JUNE, JULY), CLERK]
    assert entered(county, BANK) == [CLERK]


def test_the_audit_log_tells_of_a_person_without_her_name(county: County):
    """Adding and ending, by code."""
    add(county, CLERK)
    end(county, JULY)
    detail = {"person": "LH01", "may": ["enter"], "from": "2024-06-01", "until": None}
    assert audited(county) == [
        {"actor": "operator:test", "action": "person.added", "subject": BANK, "detail": detail},
        {
            "actor": "operator:test",
            "action": "person.ended",
            "subject": BANK,
            "detail": {"person": "LH01", "until": "2024-07-01"},
        },
    ]


def test_a_step_is_held_to_person_day_and_right(county: County):
    """From the first day until the day before the last, and what she may; a made-up code is not repeated."""
    add(county, CLERK, Person(BANK, "LH02", "禾谷二", ("enter", "approve"), JUNE, JULY))
    assert [step(county, "LH01", ENTER, day) for day in (JUNE - DAY, JUNE, JULY)] == ["HL1032", None, None]
    assert [step(county, "LH02", APPROVE, day) for day in (JUNE, JULY - DAY, JULY)] == [None, None, "HL1032"]
    assert step(county, "LH01", APPROVE, JUNE) == "HL1033"
    assert step(county, "LH01", ENTER, JUNE, member=COUNTY) == "HL1031"
    with county.transaction() as transaction, pytest.raises(MessageRefused) as refused:
        check_person(transaction, BANK, "禾谷一", ENTER, JUNE)
    assert refused.value.chinese == "机构 RCB01 没有代码为 ? 的人员；请县里用 huilian person add 登记"


def test_a_person_that_ended_does_nothing_more(county: County):
    """From that day on; an earlier day counts if she is ended again, a later one does not."""
    add(county, CLERK)
    assert end(county, JULY).until_date == JULY
    assert [step(county, "LH01", ENTER, day) for day in (JULY - DAY, JULY)] == [None, "HL1032"]
    assert end(county, JUNE - 5 * DAY).until_date == JUNE
    assert step(county, "LH01", ENTER, JUNE) == "HL1032"
    with pytest.raises(UsageError, match="HL7001"):
        end(county, JULY)
    with pytest.raises(UsageError, match="HL7024"):
        end(county, JULY, "LH09")


def test_a_code_is_one_persons_for_ever(county: County):
    """Whoever follows a step back must not come to another person."""
    add(county, CLERK)
    end(county, JULY)
    with pytest.raises(UsageError, match="HL7022"):
        add(county, Person(BANK, "LH01", "禾谷九", ("enter",), JULY))


@pytest.mark.parametrize(
    "wrong",
    [
        Person(BANK, "LH 1", "禾谷一", ("enter",), JUNE),
        Person(BANK, "LH01", " ", ("enter",), JUNE),
        Person(BANK, "LH01", "禾谷一\n", ("enter",), JUNE),
        Person(BANK, "LH01", "禾谷一", (), JUNE),
        Person(BANK, "LH01", "禾谷一", ("read",), JUNE),
        Person(BANK, "LH01", "禾谷一", ("enter",), JUNE, JUNE),
    ],
)
def test_what_is_no_person_is_not_entered(county: County, wrong: Person):
    """Nor is her name repeated."""
    with pytest.raises(UsageError, match="HL7001") as refused:
        add(county, wrong)
    assert "禾谷一" not in refused.value.chinese
    assert entered(county) == []


def test_a_person_belongs_to_a_member_that_takes_part(county: County):
    """Not to one that nobody knows."""
    with pytest.raises(AccessDenied, match="HL4001"):
        add(county, Person("RCB09", "LH01", "禾谷一", ("enter",), JUNE))


def test_who_entered_does_not_approve():
    """Two persons are compared by member and code: the same code at another member is another pair of eyes."""
    assert code_of(lambda: check_four_eyes((BANK, "LH01"), (BANK, "LH01"))) == "HL1034"
    assert code_of(lambda: check_four_eyes((BANK, "LH01"), (BANK, "LH02"))) is None
    assert code_of(lambda: check_four_eyes((BANK, "LH01"), (COUNTY, "LH01"))) is None


def test_several_reasons_are_told_as_one_refusal():
    """Each with its code and both texts; a single one stays what it is."""
    one = MessageRefused("HL1010", line=1, field="person", what="HL2001")
    other = MessageRefused("HL1034", member=BANK, person="LH01")
    assert refused_for([one]) is one
    both = refused_for([one, other])
    assert (both.code, [reason["code"] for reason in reasons_of(both)]) == ("HL1035", ["HL1010", "HL1034"])
    assert reasons_of(both)[0] == {
        "field": "person",
        "code": "HL1010",
        "message": "报文第 1 行字段 person 不符合约定：HL2001",
        "message_en": "line 1, field person breaks the contract: HL2001",
    }
    assert both.chinese == (
        "记录未被接收，原因：HL1010 person 报文第 1 行字段 person 不符合约定：HL2001；"
        "HL1034 录入人不能审批本人录入的事项：RCB01 LH01"
    )
