"""The scoreboard and the differences as institutions and the county's people ask for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from structlog.testing import capture_logs

from huilian.cli.application import run
from huilian.core.errors import AccessDenied
from huilian.county.members import directory
from huilian.county.members.directory import Member
from huilian.county.submissions.queries import Scoreboard
from schemas.differences import Difference
from tests.support.county_over_http import BANK, COUNTY, OTHER_BANK, CountyOverHttp, county_over_http

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.servers.postgresql import PostgreSQLNode

INSURER = "INS01"
_SUBMISSION = """
    INSERT INTO huilian.submission
        (submission, member, kind, as_of, manifest, manifest_message, status, received_at, applied_at, application,
         receipt)
    SELECT member || '-loan_ledger-' || number, member, 'loan_ledger', '2024-05-31',
           jsonb_build_object('rows', 9, 'accepted', 7, 'rejected', 2, 'adapter', 'a', 'file_sequence', number,
                              'file_sha256', number, 'totals', jsonb_build_object('balance', '70.00'),
                              'control_totals', '{"rows": 9, "amounts": {"balance": "90.00"}}'::jsonb), 'm',
           'accepted', '2024-06-08T02:00:00Z', '2024-06-08T02:01:00Z', application, '{"accepted": 7, "rejected": 2}'
    FROM (VALUES ('RCB01', 2, 1), ('RCB01', 5, 2), ('RCB02', 1, 3)) AS given (member, number, application)
"""
_LOANS = """
    INSERT INTO registry.loan (institution, loan_no, borrower_name, identity_type, identity_number, region, product,
        principal, balance, annual_rate_percent, start_date, due_date, five_tier_class, overdue_days, overdue_principal,
        overdue_interest, status, as_of, submission, sequence, line, application)
    SELECT bank, 'L' || number, '张三', 'other', 'A1', '341599101001', 'P', 1, 1, 4, '2024-01-01', '2025-01-01',
        'normal', 0, 0, 0, 'normal', '2024-05-31', 1, 0, 2, 1
    FROM unnest(ARRAY['RCB01', 'RCB02']) AS bank CROSS JOIN generate_series(1, 60) AS number
"""


@pytest.fixture(scope="module")
def county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountyOverHttp]:
    """A county over HTTP with two banks that have the same sixty loan numbers, and an insurer."""
    postgresql_node.start()
    url = postgresql_node.create_database("scoreboard_over_http")
    with county_over_http(tmp_path_factory.mktemp("home"), url) as served:
        with served.office.database.transaction() as transaction:
            insurer = Member(INSURER, "insurer", "保险公司", None, None, suspended=False)
            directory.add(transaction, insurer, now=served.office.clock.now(), actor="test")
            for statement in (_SUBMISSION, _LOANS):
                transaction.execute(statement)
        yield served
    postgresql_node.drop_database("scoreboard_over_http")


@pytest.fixture(autouse=True)
def _logs_apart() -> Iterator[None]:
    """The server runs in this process: what it logs is not what a command prints."""
    with capture_logs():
        yield


@pytest.fixture
def home(county: CountyOverHttp, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The county's data directory, where commands find it."""
    monkeypatch.setenv("HUILIAN_HOME", str(county.office.home.folder))
    return county.office.home.folder


def test_the_county_sees_every_institution(county: CountyOverHttp):
    """In the published shape, banks and insurers, whether they have reported or not."""
    answer = county.reader().ask("scoreboard", month="2024-05")
    assert Scoreboard().validate(answer) == {}
    assert (answer["month"], answer["due_date"]) == ("2024-05", "2024-06-10")
    shown = [(row["institution"], row["kind"], row["status"], row["files"]) for row in answer["rows"]]
    assert shown == [
        (INSURER, "insurance_package", "missing", 0),
        (BANK, "loan_ledger", "on_time", 2),
        (OTHER_BANK, "loan_ledger", "on_time", 1),
    ]
    assert answer["rows"][1] == {
        "institution": BANK,
        "institution_kind": "bank",
        "kind": "loan_ledger",
        "status": "on_time",
        "as_of": "2024-05-31",
        "received_at": "2024-06-08T02:00:00+00:00",
        "applied_at": "2024-06-08T02:01:00+00:00",
        "files": 2,
        "rows": 18,
        "rejected_rows": 4,
        "refused_files": 0,
        "missing_files": [
            {"as_of": "2024-05-31", "first": 1, "last": 1},
            {"as_of": "2024-05-31", "first": 3, "last": 4},
        ],
        "repeated_files": [],
        "stated_rows": 18,
        "taken_rows": 14,
        "stated_amount": "180.00",
        "taken_amount": "140.00",
        "untaken_amount": "40.00",
    }
    assert county.reader().ask("scoreboard", month="2024-05", institution=OTHER_BANK)["rows"] == answer["rows"][2:]


def test_a_member_sees_its_own_row_and_no_others(county: CountyOverHttp):
    """Asked for another's it is refused; a township has no part in it."""
    assert [row["institution"] for row in county.reader(BANK).ask("scoreboard", month="2024-05")["rows"]] == [BANK]
    with pytest.raises(AccessDenied, match="HL4008"):
        county.reader(BANK).ask("scoreboard", month="2024-05", institution=OTHER_BANK)
    with pytest.raises(AccessDenied, match="HL4003"):
        county.reader("township").ask("scoreboard", month="2024-05")


@pytest.mark.parametrize(
    ("query", "code"), [({}, "HL7011"), ({"month": "2024-13"}, "HL7003"), ({"moth": "x"}, "HL7011")]
)
def test_a_question_that_makes_no_sense_is_refused(county: CountyOverHttp, query: dict[str, str], code: str):
    """By its code, with status 400; and without a token nobody is answered."""
    address = f"{county.url}/api/v1/scoreboard"
    answer = httpx.get(address, params=query, headers=county.headers())
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert httpx.get(address, params={"month": "2024-05"}).status_code == 401


def test_the_command_prints_what_the_server_answers(
    county: CountyOverHttp, home: Path, capsys: pytest.CaptureFixture[str]
):
    """From this machine's data and over HTTP the same, as JSON and as a table in Chinese."""
    assert home.exists()
    there = ["--to", county.url, "--token", county.secrets["county"]]
    asked = ["scoreboard", "--month", "2024-05"]
    printed = []
    for way in ([], there):
        assert run([*asked, *way, "--json"]) == 0
        printed.append(json.loads(capsys.readouterr().out))
    assert printed[0] == printed[1] == county.reader().ask("scoreboard", month="2024-05")
    assert run([*asked, "--institution", BANK]) == 0
    table = capsys.readouterr().out
    assert "2024-05 报送考核，期限 2024-06-10" in table
    [line] = [line for line in table.splitlines() if BANK in line]
    assert line.split() == [
        *(BANK, "贷款台账", "及时", "2024-05-31", "2024-06-08", "10:01", "2", "18", "4", "0"),
        *("180.00", "40.00"),
        *("2024-05-31", "1；2024-05-31", "3-4", "—"),
    ]


@pytest.mark.parametrize("extra", [["--region", COUNTY], ["--by", "village"], ["--product", "P"]])
def test_a_scoreboard_takes_no_region_nor_breakdown(extra: list[str], capsys: pytest.CaptureFixture[str]):
    """And figures need a region: either is told as a wrong call, exit code 2."""
    assert run(["scoreboard", "--month", "2024-05", *extra]) == 2
    assert "没有这个选项" in capsys.readouterr().err
    assert run(["stats", "--month", "2024-05"]) == 2
    assert "缺少参数 (Missing option '--region'.)" in capsys.readouterr().err


def test_differences_are_told_in_the_published_shape_with_their_references(county: CountyOverHttp):
    """Of loans without one; every row fits the schema, each bank its own."""
    with county.reader(BANK).rows("differences") as found:
        rows = [json.loads(line) for line in found.lines]
    assert [Difference().validate(row) for row in rows] == [{}] * 120
    assert {(row["kind"], row["institution"], row["reference"]) for row in rows} == {
        ("household_not_on_roster", BANK, None),
        ("loan_number_at_two_banks", BANK, None),
    }
    for header, expected in (
        ("chinese", "情形,机构,借据号,户编号,行政区划代码,截止日期,业务编号,说明"),
        ("names", "kind,institution,loan_no,household_no,region,as_of,reference,detail"),
    ):
        with county.reader().rows("differences", format="csv", header=header) as answer:
            assert next(answer.lines).lstrip("\ufeff") == expected


def test_the_command_prints_differences_as_they_come(
    county: CountyOverHttp, home: Path, capsys: pytest.CaptureFixture[str]
):
    """All of them as JSON, fifty of them as a table with Chinese names, none as an empty list."""
    assert home.exists()
    there = ["--to", county.url, "--token", county.secrets["county"]]
    asked = ["differences", "--region", COUNTY]
    for way in ([], there):
        assert run([*asked, *way, "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)) == 240
        assert run([*asked, *way]) == 0
        table = capsys.readouterr().out
        assert "共 240 条 (in all)，此处 50 条，全部请用 --json (the first 50 are shown)" in table
        assert "户不在花名册" in table
        assert run([*asked, "--institution", INSURER, *way, "--json"]) == 0
        assert capsys.readouterr().out == "[]\n"


def test_an_unknown_region_is_refused_before_anything_is_printed(home: Path, capsys: pytest.CaptureFixture[str]):
    """Exit code 2, and no half of a list."""
    assert home.exists()
    assert run(["differences", "--region", "34", "--json"]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "错误 HL7002" in streams.err
