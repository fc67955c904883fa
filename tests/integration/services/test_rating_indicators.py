"""Forms of rating on their way into the county: sent for a station from the county office, merged by whoever rates."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING, Final

import openpyxl
import pytest
from rich.console import Console

from huilian.adapters import loading
from huilian.cli.push import Answer
from huilian.core.clock import FixedClock
from huilian.core.errors import MessageRefused, describe, reason, refused_for
from huilian.county.members.directory import Member
from huilian.county.service import Service
from huilian.county.submissions.kinds import Counts, Kind, Part, Refusal
from huilian.hosts.embedded import EmbeddedHost, EmbeddedTransport
from huilian.institution import push
from huilian.settings import Settings
from huilian.wire import catalogue
from schemas.ratings import RatingIndicatorsRecord
from schemas.submission_kinds import RATING_INDICATORS
from services.statistics import service as statistics
from tests.support.builders.rating_forms import FORM, VILLAGE, form, household
from tests.support.county import COUNTY, NOW, new_office

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from huilian.county.context import Context
    from huilian.county.office import Office
    from huilian.county.submissions.kinds import Records, Submission
    from huilian.database.connection import Transaction
    from huilian.institution.push import Pushed
    from huilian.wire.envelope import Draft

STATION: Final = "V341599101201"
BANK: Final = "RCB01"


class Raters:
    """A service that keeps of every household the last word of each sender and source on each indicator."""

    def __init__(self) -> None:
        self.points: dict[tuple[str, str, str, str], str] = {}
        self.persons: set[str] = set()
        self.unknown: set[str] = set()
        """Households of which nothing is taken."""

    def apply(
        self, _transaction: Transaction, submission: Submission, records: Records, _context: Context
    ) -> Generator[Draft, None, Counts]:
        """Take the indicators in; what a record does not name stands as it was."""
        yield from ()
        changed = 0
        refused: list[Refusal] = []
        for frame in records.frames("rating_indicators"):
            for row in frame.iter_rows(named=True):
                if row["borrower_no"] in self.unknown:
                    error = refused_for([reason("HL2005", "kind"), reason("HL2084")])
                    refused += Refusal.of(error, "rating_indicators", row["line"], row["borrower_no"])
                    continue
                self.persons.add(row["person"])
                said = dict(each.split("=") for each in (row["indicators"] or "").split(";") if each)
                said |= {"exclusions": row["exclusions"]} if row["exclusions"] else {}
                of = submission.member, row["source"], row["borrower_no"]
                new = {(*of, name): points for name, points in said.items()}
                changed += any(self.points.get(key) != points for key, points in new.items())
                self.points |= new
        taken = submission.accepted - len({each.record for each in refused})
        return Counts(changed, taken - changed, 0, refused)


@pytest.fixture
def raters() -> Raters:
    """What keeps the indicators."""
    return Raters()


@pytest.fixture
def office(fresh_database: str, tmp_path: Path, raters: Raters) -> Iterator[Office]:
    """An office that holds the keys of a village's station and of a bank, with a service that takes indicators."""
    members = [
        Member(STATION, "village", "甲村服务部", "county_forms", VILLAGE, suspended=False),
        Member(BANK, "bank", "农村商业银行", None, COUNTY, suspended=False),
    ]
    settings = Settings(COUNTY, "anhui", database_url=fresh_database)
    parts = {"rating_indicators": Part(RatingIndicatorsRecord, RATING_INDICATORS.records["rating_indicators"])}
    kind = Kind(RATING_INDICATORS, parts, raters.apply, standing=lambda _transaction, taken: taken.accepted)
    service = Service("raters", statistics.component, kinds=(kind,))
    with new_office(tmp_path / "office", settings, members, clock=FixedClock(NOW)) as opened:
        opened.__dict__["services"] = {"raters": service}
        yield opened


def sent(office: Office, path: Path, member: str = STATION) -> tuple[str, int, int, int]:
    """Push a form as the county office does for a station; return what the receipt says."""
    receipt = pushed(office, path, member).receipt
    return receipt["status"], receipt["accepted"], receipt["rejected"], receipt["changed"]


def pushed(office: Office, path: Path, member: str = STATION) -> Pushed:
    """Push a form as the county office does for a station."""
    adapter = loading.find("county_forms")
    with EmbeddedHost(office):
        return push.push(
            path,
            adapter=adapter,
            member=member,
            home=office.home,
            settings=loading.settings_for(adapter, COUNTY, {}),
            catalogue=catalogue.installed(),
            clock=office.clock,
            transport=EmbeddedTransport(office),
            seconds=30,
        )


def test_a_stations_form_is_sealed_with_its_key_and_taken(office: Office, raters: Raters, tmp_path: Path):
    """The kernel was not told of this kind: it is declared where contracts are."""
    assert sent(office, form(tmp_path, household(1), household(2, 诚信="x"))) == ("accepted", 1, 1, 1)
    first = f"{VILLAGE}-0001"
    assert {key: points for key, points in raters.points.items() if key[2] == first} == {
        (STATION, "village", first, "integrity"): "85",
        (STATION, "village", first, "labour"): "70.5",
        (STATION, "village", first, "income"): "60",
        (STATION, "village", first, "exclusions"): "none",
    }
    assert raters.persons == {"p01"}
    with office.database.transaction() as transaction:
        rows = transaction.rows("SELECT DISTINCT source, type FROM huilian.message WHERE type = 'rating_indicators'")
    assert rows == [{"source": STATION, "type": "rating_indicators"}]


def test_the_same_form_changes_nothing_and_a_later_one_only_what_it_says(
    office: Office, raters: Raters, tmp_path: Path
):
    """Saved anew it says nothing new; a later one of the same village and day leaves what it does not name."""
    first = form(tmp_path / "1", household(1), household(2))
    assert sent(office, first) == ("accepted", 2, 0, 2)
    assert sent(office, first) == ("accepted", 2, 0, 2)
    assert sent(office, form(tmp_path / "saved", household(1), household(2), name="另存")) == ("accepted", 2, 0, 0)
    later = form(tmp_path / "2", household(1, 诚信=90, 劳动能力=None))
    assert sent(office, later) == ("accepted", 1, 0, 1)
    said = {key[3]: points for key, points in raters.points.items() if key[2] == f"{VILLAGE}-0001"}
    assert said == {"integrity": "90", "labour": "70.5", "income": "60", "exclusions": "none"}


def test_what_police_know_stands_beside_what_the_village_says(office: Office, raters: Raters, tmp_path: Path):
    """The county office sends it, under its own key."""
    sent(office, form(tmp_path, household(1)))
    groups = dict.fromkeys(("户编号", "村代码", "扣分", "违法犯罪", "采集日期", "采集人代码"), "")
    name = "公安评级数据_341599_20240331.xlsx"
    police = form(tmp_path, household(1, 扣分=10, 违法犯罪="是"), groups=groups, file=name)
    assert sent(office, police, COUNTY) == ("accepted", 1, 0, 1)
    said = {key[:2]: points for key, points in raters.points.items() if key[3] == "exclusions"}
    assert said == {(STATION, "village"): "none", (COUNTY, "police"): "crime"}


def test_a_bank_may_not_state_what_a_household_is_worth(office: Office, tmp_path: Path):
    """Whatever adapter it uses."""
    with pytest.raises(MessageRefused, match="HL1004 member RCB01 may not send rating_indicators"):
        sent(office, form(tmp_path, household(1), file=FORM), BANK)


def test_what_the_county_refuses_comes_back_in_the_stations_own_workbook(
    office: Office, raters: Raters, tmp_path: Path
):
    """Beside the rows that were rejected before they left, with code and reason; put right, that file is the retry."""
    first, second, third = (f"{VILLAGE}-{number:04d}" for number in (1, 2, 3))
    raters.unknown = {second}
    told = pushed(office, form(tmp_path, household(1), household(2), household(3, 诚信="x")))
    assert (told.receipt["rows"], told.receipt["accepted"], told.receipt["rejected"]) == (3, 1, 2)
    assert told.rejections is not None
    assert told.rejections.name == f"退回_{FORM}"
    sheet = openpyxl.load_workbook(told.rejections).active
    assert sheet is not None
    head = [cell.value or sheet[2][place].value for place, cell in enumerate(sheet[3])]
    rows = [dict(zip(head, cells, strict=True)) for cells in sheet.iter_rows(min_row=4)]
    assert [(row["户编号"].value, row["错误代码"].value) for row in rows] == [
        (second, "HL2005；HL2084"),
        (third, "HL2083"),
    ]
    assert rows[0]["户类型"].comment is not None
    assert rows[0]["户类型"].comment.text == f"HL2005 {describe('HL2005')}"
    assert rows[0]["户编号"].fill.fgColor.rgb == rows[0]["户类型"].fill.fgColor.rgb == "00FFC7CE"
    raters.unknown = set()
    rows[1]["诚信"].value = 80
    retry = tmp_path / "retry" / told.rejections.name
    retry.parent.mkdir()
    sheet.parent.save(retry)
    assert sent(office, retry) == ("accepted", 2, 0, 2)
    assert {key[2] for key in raters.points} == {first, second, third}


def test_a_receipt_with_refused_records_is_answered_again_as_it_was(office: Office, raters: Raters, tmp_path: Path):
    """Whoever pushes the same file again gets the same returned file, from another machine without the spool, too."""
    raters.unknown = {f"{VILLAGE}-0002"}
    file = form(tmp_path, household(1), household(2))
    first = pushed(office, file)
    assert first.rejections is not None
    made = first.rejections.read_bytes()
    again = pushed(office, file)
    assert (again.receipt, again.rejections) == (first.receipt, first.rejections)
    assert first.rejections.read_bytes() == made
    shutil.rmtree(office.home.spool)
    anew = pushed(office, file)
    assert anew.receipt == first.receipt
    assert anew.rejections is not None
    assert anew.rejections.read_bytes() == made


def test_a_push_prints_what_the_county_refused(office: Office, raters: Raters, tmp_path: Path):
    """For people line by line, for programs as the receipt has it."""
    raters.unknown = {f"{VILLAGE}-0002"}
    file = form(tmp_path, household(1), household(2))
    answer = Answer.of_receipt(file, pushed(office, file))
    assert answer.as_json()["refusals"] == answer.refusals
    told = {"type": "rating_indicators", "line": 5, "reference": f"{VILLAGE}-0002"}
    assert answer.refusals == [
        told | {"field": "kind", "code": "HL2005", "message": describe("HL2005")},
        told | {"field": None, "code": "HL2084", "message": describe("HL2084")},
    ]
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(answer.as_table())
    text = console.export_text()
    assert "县里退回的记录 (refused by the county)" in text
    assert f"{VILLAGE}-0002" in text
    assert "HL2084" in text
