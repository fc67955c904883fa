"""A full list that lost most of itself is refused before anything changes, unless its sender says that it is so."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from stdnum.cn import ric

from huilian.core.errors import ConfigurationError
from huilian.settings import Home, Settings
from tests.support.builders.loans import VILLAGES, state
from tests.support.builders.statements import guarantee, release
from tests.support.reporting import COUNTY, GUARANTOR, ReportingCounty, Submission, again, open_county

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.support.servers.postgresql import PostgreSQLNode

JANUARY, FEBRUARY, MARCH = dt.date(2025, 1, 31), dt.date(2025, 2, 28), dt.date(2025, 3, 31)
BANK, NUMBERING_BANK = "RCB01", "PSB01"


@pytest.fixture(scope="module")
def opened(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportingCounty]:
    """A county with the shares of a new one, on a database of this module's own."""
    url = postgresql_node.create_database("shortfall")
    with open_county(url, tmp_path_factory.mktemp("home"), {}) as county:
        yield county


def ledger(as_of: dt.date, numbers: Iterable[int], **extra: Any) -> Submission:  # noqa: ANN401  # whatever it has
    """Return a ledger of loans with a balance."""
    member = NUMBERING_BANK if extra.get("file_sequence") else BANK
    return Submission(member, as_of, [{"loan_no": f"L{number}"} | state() for number in numbers], **extra)


def verdict(county: ReportingCounty, submission: Submission) -> tuple[str, str | None, int]:
    """Push a submission; return its status, code and how many records it misses."""
    receipt = county.push(submission)
    return receipt["status"], receipt["code"], receipt["missing"]


ACCEPTED = ("accepted", None)
REFUSED = ("refused", "HL3066", 0)


def test_nine_rows_for_six_hundred_are_refused_and_nothing_changes(county: ReportingCounty):
    """Registry and figures are as they were, and the receipt says how many are missing, and what to do."""
    county.push(ledger(JANUARY, range(600)))
    before = county.everything()
    few = ledger(FEBRUARY, range(9))
    receipt = county.push(few)
    assert (receipt["status"], receipt["code"], receipt["accepted"], receipt["rejected"]) == ("refused", "HL3066", 0, 9)
    assert "在册的 600 条中有 591 条" in receipt["message"]
    assert "--allow-missing 591" in receipt["message"]
    after = county.everything()
    assert {name: rows for name, rows in after.items() if name != "receipt"} == {
        name: rows for name, rows in before.items() if name != "receipt"
    }


@pytest.mark.parametrize(("left", "expected"), [(9, (*ACCEPTED, 1)), (8, REFUSED)])
def test_a_tenth_may_be_missing_and_one_more_may_not(county: ReportingCounty, left: int, expected: tuple[Any, ...]):
    """Of ten loans one, by default; two are too many."""
    county.push(ledger(JANUARY, range(10)))
    assert verdict(county, ledger(FEBRUARY, range(left))) == expected


@pytest.mark.parametrize(("allowed", "expected"), [(2, REFUSED), (3, (*ACCEPTED, 3)), (9, (*ACCEPTED, 3))])
def test_a_sender_that_knows_of_it_says_how_many_may_be_missing(
    county: ReportingCounty, allowed: int, expected: tuple[Any, ...]
):
    """At most so many: a file that lacks one more is refused all the same."""
    county.push(ledger(JANUARY, range(10)))
    assert verdict(county, ledger(FEBRUARY, range(7), allow_missing=allowed)) == expected


def test_settled_loans_are_not_lost(county: ReportingCounty):
    """Neither those that an earlier ledger settled, nor those this one does, count as standing or as missing."""
    settled = state(balance="0.00", settled_date="2025-01-20", status="settled")
    rows = [{"loan_no": f"L{number}"} | (settled if number < 90 else state()) for number in range(100)]
    county.push(Submission(BANK, JANUARY, rows))
    here = [{"loan_no": f"L{number}"} | settled for number in range(90, 100)]
    assert verdict(county, Submission(BANK, FEBRUARY, here)) == (*ACCEPTED, 90)


def test_rejected_rows_are_told_as_rejected_and_not_as_missing(county: ReportingCounty):
    """Ten loans, five of them unreadable: taken, with five rows not taken."""
    county.push(ledger(JANUARY, range(10)))
    file = ledger(FEBRUARY, range(5), rejected=[f"L{number}" for number in range(5, 10)])
    assert verdict(county, file) == (*ACCEPTED, 0)


def test_a_ledger_told_by_its_differences_is_judged_as_the_whole_is(county: ReportingCounty):
    """Two of ten gone are too many: refused for that, and not asked for as a whole."""
    january = ledger(JANUARY, range(10))
    county.push(january)
    assert verdict(county, ledger(FEBRUARY, range(8), base=january)) == REFUSED
    assert verdict(county, ledger(FEBRUARY, range(9), base=january)) == (*ACCEPTED, 1)


def test_a_late_ledger_is_held_against_what_stood_at_its_date(county: ReportingCounty):
    """January's ledger had ten loans, March's has five by leave: one of February with two of them is refused."""
    county.push(ledger(JANUARY, range(10)))
    county.push(ledger(MARCH, range(5), allow_missing=5))
    assert verdict(county, ledger(FEBRUARY, range(2))) == REFUSED
    assert verdict(county, ledger(FEBRUARY, range(9))) == (*ACCEPTED, 1)


def test_mended_rows_complete_the_ledger_of_their_day(county: ReportingCounty):
    """Alone they are few, but the day has the others already."""
    county.push(ledger(JANUARY, range(20)))
    county.push(ledger(FEBRUARY, range(18), rejected=["L18", "L19"]))
    assert verdict(county, ledger(FEBRUARY, [18, 19]))[:2] == ACCEPTED


def test_a_ledger_that_replaces_another_of_its_day_is_held_against_that(county: ReportingCounty):
    """Nine rows of six hundred; but the file that was right before comes back, whatever was accepted in between."""
    right = ledger(JANUARY, range(20))
    county.push(right)
    assert verdict(county, ledger(JANUARY, range(9))) == REFUSED
    assert verdict(county, ledger(JANUARY, range(19)))[:2] == ACCEPTED
    assert verdict(county, ledger(JANUARY, range(30)))[:2] == ACCEPTED
    again_right = again(right, stated={"file_sha256": right.sha256})
    assert verdict(county, again_right)[:2] == ACCEPTED
    assert [row["count"] for row in county.rows("SELECT count(*) FROM registry.loan")] == [20]


def test_a_bank_that_sends_three_files_a_day_is_judged_by_the_third(county: ReportingCounty):
    """As soon as its last day had three; the first day of three needs leave for the second."""
    county.push(ledger(JANUARY, range(30), file_sequence=1))
    county.push(ledger(FEBRUARY, range(10), file_sequence=1))
    county.push(ledger(FEBRUARY, range(10, 20), file_sequence=2, allow_missing=10))
    county.push(ledger(FEBRUARY, range(20, 30), file_sequence=3))
    for number in (1, 2):
        file = ledger(MARCH, range(10 * number - 10, 10 * number), file_sequence=number)
        assert verdict(county, file)[:2] == ACCEPTED
    assert verdict(county, ledger(MARCH, range(20, 22), file_sequence=3)) == REFUSED
    assert verdict(county, ledger(MARCH, range(20, 30), file_sequence=3))[:2] == ACCEPTED


def test_files_of_a_day_that_complete_one_another_are_judged_together(county: ReportingCounty):
    """Each has a half; the first cannot be judged, the second is, with it."""
    county.push(ledger(JANUARY, range(20), file_sequence=1))
    assert verdict(county, ledger(FEBRUARY, range(10), file_sequence=1))[:2] == ACCEPTED
    assert verdict(county, ledger(FEBRUARY, range(10, 15), file_sequence=2)) == REFUSED
    assert verdict(county, ledger(FEBRUARY, range(10, 20), file_sequence=3))[:2] == ACCEPTED
    assert verdict(county, ledger(FEBRUARY, [7], file_sequence=4))[:2] == ACCEPTED


def person(household: str) -> dict[str, Any]:
    """Return a household of one."""
    first = f"34159919700101{int(household[1:]):03}"
    return {
        "household_no": household,
        "head_name": "张三",
        "person_name": "张三",
        "identity_number": first + ric.calc_check_digit(first + "0"),
        "relation_to_head": "户主",
        "region": VILLAGES[0],
        "category": "out_of_poverty",
        "is_head": "yes",
        "health": None,
        "labour_skill": None,
        "household_size": 1,
        "annual_income": "12000.00",
        "phone": None,
        "account_last_four": None,
    }


def roster(as_of: dt.date, numbers: Iterable[int], **extra: Any) -> Submission:  # noqa: ANN401  # whatever it has
    """Return a roster of households of one."""
    return Submission(COUNTY, as_of, [person(f"H{number}") for number in numbers], kind="roster", **extra)


def present(county: ReportingCounty) -> int:
    """Return how many persons the roster has."""
    [row] = county.rows("SELECT count(*) FROM registry.person WHERE missing_since IS NULL")
    return int(row["count"])


@pytest.mark.parametrize("as_of", [JANUARY, FEBRUARY])
def test_mended_rows_pushed_alone_as_a_roster_are_refused(county: ReportingCounty, as_of: dt.date):
    """Of the same day or a later one: the persons that are not in it stay on the roster."""
    county.push(roster(JANUARY, range(60)))
    assert verdict(county, roster(as_of, range(3))) == REFUSED
    assert present(county) == 60
    assert verdict(county, roster(as_of, range(3), allow_missing=57)) == (*ACCEPTED, 57)
    assert present(county) == 3


def test_a_household_of_which_a_row_was_rejected_stays_on_the_roster(county: ReportingCounty):
    """It is told as rejected; what the roster said of it before stands."""
    county.push(roster(JANUARY, range(10)))
    assert verdict(county, roster(FEBRUARY, range(5), rejected=[f"H{number}" for number in range(5, 10)])) == (
        *ACCEPTED,
        0,
    )
    assert present(county) == 10


def test_an_older_roster_changes_nothing_that_stands_and_may_be_short(county: ReportingCounty):
    """It goes into history."""
    county.push(roster(MARCH, range(10)))
    assert verdict(county, roster(JANUARY, range(2)))[:2] == ACCEPTED
    assert present(county) == 10


def book(as_of: dt.date, rows: list[dict[str, Any]], **extra: Any) -> Submission:  # noqa: ANN401  # whatever it has
    """Return a guarantee book."""
    return Submission(GUARANTOR, as_of, rows, kind="guarantee_book", **extra)


def test_a_book_may_lack_what_was_released_or_has_nothing_left_and_no_more(county: ReportingCounty):
    """Of twenty, five have nothing left and five are released in the book itself: the other ten must be there."""
    spent = [guarantee(f"G{number}", f"L{number}", outstanding_amount="0.00") for number in range(5)]
    rest = [guarantee(f"G{number}", f"L{number}") for number in range(5, 20)]
    county.push(book(JANUARY, [*spent, *rest]))
    released = [release(f"G{number}", f"L{number}") for number in range(5, 10)]
    assert verdict(county, book(FEBRUARY, [*rest[5:13], *released])) == REFUSED
    assert verdict(county, book(FEBRUARY, [*rest[5:14], *released]))[:2] == ACCEPTED
    short = book(MARCH, [])
    assert verdict(county, short) == REFUSED
    assert verdict(county, again(short, allow_missing=9)) == (*ACCEPTED, 9)


def test_a_first_list_and_messages_lack_nothing(county: ReportingCounty):
    """There is nothing they could be held against."""
    assert verdict(county, ledger(JANUARY, [])) == (*ACCEPTED, 0)
    assert verdict(county, Submission(BANK, JANUARY, [], kind="repayment_journal")) == (*ACCEPTED, 0)


def test_the_share_is_a_setting_by_kind_and_survives_another_init(tmp_path: Path):
    """A kind or share that cannot be is refused; what is not set has the default."""
    home = Home(tmp_path / "home", {})
    home.create(Settings(COUNTY, "anhui", missing_at_most_percent={"loan_ledger": 25}))
    home.create(Settings(COUNTY, "anhui"))
    assert home.settings().missing_at_most_percent == {"loan_ledger": 25}
    text = home.file.read_text("utf-8")
    for wrong in ("loan_ledger = 101", "loan_ledger = 2.5", "loan_ledger = true", "policies = 5"):
        home.file.write_text(text.replace("loan_ledger = 25", wrong).replace('"loan_ledger": 25', wrong), "utf-8")
        with pytest.raises(ConfigurationError, match="HL6006"):
            home.settings()
