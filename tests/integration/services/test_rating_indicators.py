"""Forms of rating on their way into the county: sent for a station from the county office, merged by whoever rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from huilian.adapters import loading
from huilian.core.clock import FixedClock
from huilian.core.errors import MessageRefused
from huilian.county.members.directory import Member
from huilian.county.service import Service
from huilian.county.submissions.kinds import Counts, Kind, Part
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
    from huilian.wire.envelope import Draft

STATION: Final = "V341599101201"
BANK: Final = "RCB01"


class Raters:
    """A service that keeps of every household the last word of each sender and source on each indicator."""

    def __init__(self) -> None:
        self.points: dict[tuple[str, str, str, str], str] = {}
        self.persons: set[str] = set()

    def apply(
        self, _transaction: Transaction, submission: Submission, records: Records, _context: Context
    ) -> Generator[Draft, None, Counts]:
        """Take the indicators in; what a record does not name stands as it was."""
        yield from ()
        changed = 0
        for frame in records.frames("rating_indicators"):
            for row in frame.iter_rows(named=True):
                self.persons.add(row["person"])
                said = dict(each.split("=") for each in (row["indicators"] or "").split(";") if each)
                said |= {"exclusions": row["exclusions"]} if row["exclusions"] else {}
                of = submission.member, row["source"], row["borrower_no"]
                new = {(*of, name): points for name, points in said.items()}
                changed += any(self.points.get(key) != points for key, points in new.items())
                self.points |= new
        return Counts(changed, submission.accepted - changed, 0)


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
    adapter = loading.find("county_forms")
    with EmbeddedHost(office):
        pushed = push.push(
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
    receipt = pushed.receipt
    return receipt["status"], receipt["accepted"], receipt["rejected"], receipt["changed"]


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
