"""Where grades go: the registry's households, the banks that lend there, the credit-information platform."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from huilian.county import service
from huilian.county.jobs import run_due
from huilian.county.members import directory
from huilian.county.members.directory import Member
from huilian.county.rebuild import rebuild
from huilian.county.service import installed
from huilian.wire import envelope
from tests.support.ratings import COUNTY, DAY, OTHER_VILLAGE, VILLAGE, deed, household, indicators, loan

if TYPE_CHECKING:
    from tests.support.ratings import RatingCounty

PLATFORM: Final = "XY_341599"
IN_FORCE: Final = {
    "borrower": "household", "region": VILLAGE, "status": "in_force", "score": "80.00", "grade": "AA",
    "credit_line": "40000.00", "valid_from": "2024-03-08", "valid_until": "2025-03-08",
}  # fmt: skip
LOAN: Final = {
    "household_no": "H9", "borrower_name": "某人", "identity_type": "resident", "identity_number": "0",
    "region": VILLAGE, "product": "A", "principal": "1.00", "balance": "1.00", "annual_rate_percent": "4.35",
    "start_date": "2024-01-01", "due_date": "2025-01-01", "five_tier_class": "normal", "overdue_days": 0,
    "overdue_principal": "0.00", "overdue_interest": "0.00", "status": "normal", "as_of": "2024-01-31",
    "submission": 0, "sequence": 0, "line": 2, "application": 1,
}  # fmt: skip
"""What the registry keeps of a loan."""
PERSON: Final = {
    "household_no": "H1", "identity_number": "34159919790301001X", "head_name": "王示例", "person_name": "王示例",
    "relation_to_head": "户主", "region": VILLAGE, "category": "ordinary", "is_head": "yes", "as_of": "2024-01-01",
    "submission": 0, "sequence": 0, "line": 2,
}  # fmt: skip
"""What the registry keeps of a person."""


def enter(county: RatingCounty, table: str, **row: Any) -> None:  # noqa: ANN401  # whatever the table has
    """Let the registry know a loan or a person."""
    with county.transaction() as transaction:
        values = ", ".join(f"%({name})s" for name in row)
        transaction.execute(f"INSERT INTO registry.{table} ({', '.join(row)}) VALUES ({values})", row)


def lend(county: RatingCounty, bank: str, loan_no: str, **fields: str) -> None:
    """Let the registry know a loan of a bank."""
    enter(county, "loan", **LOAN | {"institution": bank, "loan_no": loan_no} | fields)


def run(county: RatingCounty) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Let the registry send what is due on another day; return type, receiver and records, held to their contracts."""
    with county.transaction() as transaction:
        transaction.execute("DELETE FROM huilian.job_run WHERE job = 'registry.grades'")
        before = transaction.value("SELECT coalesce(max(position), 0) FROM huilian.outbox")
    run_due(county.office, installed()["registry"].jobs)
    rows = county.rows(
        "SELECT m.type, m.subject, m.seal, m.payload FROM huilian.outbox o"
        " JOIN huilian.message m ON m.source = o.source AND m.id = o.message WHERE o.position > %s ORDER BY o.position",
        [before],
    )
    return [(row["type"], row["subject"], _records(county, row)) for row in rows]


def _records(county: RatingCounty, row: dict[str, Any]) -> list[dict[str, Any]]:
    message = envelope.read(row["seal"], bytes(row["payload"]))
    schema = county.office.context.catalogue.latest(message.type).schema()
    records = [json.loads(line) for line in message.body().splitlines()]
    assert [schema.validate(record) for record in records] == [{}] * len(records)
    return records


def grade(line: int, number: str, **fields: str) -> dict[str, Any]:
    """Return how a bank is told of a grade."""
    return {"line": line, "borrower_no": number} | IN_FORCE | fields


def households(county: RatingCounty) -> list[tuple[Any, ...]]:
    """Return what the feed of households says of ratings."""
    query = service.query("feed/households")
    with county.transaction() as transaction:
        answer = query.ask(
            transaction,
            {"region": "341599"},
            today=county.clock.today(),
            kinds=service.kinds(),
            context=lambda: county.office.context,
        )
        rows = list(answer.content)
    assert [query.row().validate(row) for row in rows] == [{}] * len(rows)
    return [
        tuple(row[name] for name in ("household_no", "score", "grade", "credit_line", "rated_until")) for row in rows
    ]


def test_the_feed_of_households_shows_grade_line_and_until_when(county: RatingCounty):
    """Who has none in force is shown without; made anew, the registry knows the same."""
    enter(county, "person", **PERSON)
    enter(county, "person", **PERSON | {"household_no": "H2", "identity_number": "2"})
    county.rate("H1")
    expected = [("H1", "80.00", "AA", "40000.00", "2025-03-08"), ("H2", None, None, None, None)]
    assert households(county) == expected
    with county.transaction() as transaction:
        rebuild(transaction, county.office, "registry", actor="test")
    assert households(county) == expected


def test_a_bank_is_told_of_the_villages_where_it_lends_and_of_its_customers(county: RatingCounty):
    """All of a village, and a customer who lives elsewhere; a bank without either is told nothing."""
    lend(county, "RCB01", "L1")
    county.rate("H1", "H2")
    county.collect([indicators("H3", village=OTHER_VILLAGE)], number=1)
    told = [grade(1, "H1"), grade(2, "H2")]
    assert run(county) == [("household_grades", "RCB01", told)]
    lend(county, "PSB01", "L2", household_no="H2", region=OTHER_VILLAGE)
    assert run(county) == [("household_grades", "PSB01", [grade(1, "H2")])]


def test_banks_that_share_grades_are_told_of_the_whole_county(county: RatingCounty):
    """Where the policy says so; a bank that lends nowhere yet, too."""
    county.use("shared")
    county.rate("H1")
    told = [grade(1, "H1")]
    assert run(county) == [("household_grades", bank, told) for bank in ("PSB01", "RCB01")]


def test_a_bank_is_told_what_has_changed_and_nothing_twice(county: RatingCounty):
    """A weaker grade, then the end of it; then the platform and the bank have nothing more to hear."""
    lend(county, "RCB01", "L1")
    county.rate("H1", "H2")
    assert [len(records) for _, _, records in run(county)] == [2]
    assert run(county) == []
    county.tell("loans_changed", 2, [loan("H1", "L1", {}, {"five_tier_class": "loss"})])
    weaker = {"score": "80.00", "grade": "A", "credit_line": "30000.00"}
    assert run(county) == [("household_grades", "RCB01", [grade(1, "H1", **weaker)])]
    county.run_calendar(366)
    ended = [grade(1, "H1", **weaker, status="ended"), grade(2, "H2", status="ended")]
    assert run(county) == [("household_grades", "RCB01", ended)]
    assert run(county) == []


@pytest.fixture
def platform(county: RatingCounty) -> RatingCounty:
    """Return the county with a credit-information platform."""
    with county.transaction() as transaction:
        if not transaction.value("SELECT true FROM huilian.member WHERE code = %s", [PLATFORM]):
            member = Member(PLATFORM, "credit_bureau", "平台", None, None, suspended=False)
            directory.add(transaction, member, now=county.clock.now(), actor="test")
    return county


def test_what_was_posted_is_published_once_with_a_masked_number(platform: RatingCounty):
    """While it is posted nothing is; when it ends, the same household is published without a grade."""
    enter(platform, "person", **PERSON)
    platform.rate("H1", "H2")
    published = {
        "line": 1, "subject": "household", "name": "王示例", "masked_number": "341599********001X", "grade": "AA",
        "credit_line": "40000.00", "decided_date": "2024-03-08", "valid_until": "2025-03-08", "award": None,
        "award_reason": None, "posted_days": 7,
    }  # fmt: skip
    assert run(platform) == [("credit_records", PLATFORM, [published])]
    assert run(platform) == []
    platform.run_calendar(366)
    day = platform.clock.today().isoformat()
    over = {"grade": None, "credit_line": None, "decided_date": day, "valid_until": day}
    assert run(platform) == [("credit_records", PLATFORM, [published | over])]


def test_what_no_policy_had_posted_is_not_published(platform: RatingCounty):
    """A rating that is still posted has no grade in force either."""
    enter(platform, "person", **PERSON)
    platform.collect([indicators("H1")])
    platform.file_groups()
    for member, step in (("VILL1", "village_review"), ("TOWN1", "township_review"), ("341599", "county_review")):
        assert platform.step(member, step) is None
    assert platform.post() is None
    assert run(platform) == []


def test_reward_and_punishment_is_published_once_its_posting_is_over(platform: RatingCounty):
    """With masked number, kind, reason and how long it was posted; nothing goes out twice, or before."""
    enter(platform, "person", **PERSON)
    platform.use("yanchi")
    platform.tell("households_changed", 2, [household("H1", "ordinary")])
    wrong = deed("1", "wrong_use", institution="RCB01", loan_no="L1")
    assert platform.send("borrower_deed", COUNTY, **wrong) is None
    posting = {
        "posting_no": "G1", "region": VILLAGE, "first_day": "2024-03-01", "last_day": "2024-03-07",
        "complaint_line": "0564-1234567", "count": 4,
    }  # fmt: skip
    assert run(platform) == []
    assert platform.send("consequence_posting", "VILL1", **posting) is None
    assert run(platform) == []
    platform.clock.advance(7 * DAY)
    [(kind, receiver, records)] = run(platform)
    assert (kind, receiver) == ("credit_records", PLATFORM)
    assert [each["award"] for each in records] == ["惩戒：信用等级", "惩戒：授信额度", "惩戒：贴息", "惩戒：富农卡"]
    assert records[0] == {
        "line": 1, "subject": "household", "name": "王示例", "masked_number": "341599********001X", "grade": None,
        "credit_line": None, "decided_date": "2024-03-01", "valid_until": None, "award": "惩戒：信用等级",
        "award_reason": "挪用贷款，从严：篇二 三（贷款用途规范使用情况）", "posted_days": 7,
    }  # fmt: skip
    assert run(platform) == []
