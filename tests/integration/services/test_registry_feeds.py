"""Guarantees, policies and claims beside their loans: newest state, loan, scope and origin, asked in every way."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from structlog.testing import capture_logs

from huilian.cli.application import run
from huilian.cli.queries import Reader
from huilian.core.errors import AccessDenied, UsageError
from huilian.county.members import tokens
from huilian.county.submissions.queries import ScoreboardFeedRow
from huilian.http.server import HttpServer
from services.insurance_claim.feeds import ClaimRow, PolicyRow
from services.risk_fund.feeds import GuaranteeRow
from tests.support.builders.loans import VILLAGES, state
from tests.support.builders.statements import claim, guarantee, policy
from tests.support.reporting import BANKS, COUNTY, GUARANTOR, INSURER, NOW, ReportingCounty, Submission, open_county

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgresql import PostgreSQLNode

OTHER_BANK, BANK = BANKS
TOWNSHIP = "341599001"
JANUARY, FEBRUARY = dt.date(2025, 1, 31), dt.date(2025, 2, 28)
SHAPES = {"guarantees": GuaranteeRow, "policies": PolicyRow, "claims": ClaimRow}
NUMBERS = {"guarantees": "guarantee_no", "policies": "policy_no", "claims": "claim_no"}
NUMBER = "341599199001011234"
LEDGERS = (
    Submission(BANK, JANUARY, [{"loan_no": loan} | state() for loan in ("L1", "L2", "TWICE", "SHARED")]),
    Submission(
        OTHER_BANK,
        JANUARY,
        [{"loan_no": "TWICE"} | state(household_no="H2", region=VILLAGES[2]), {"loan_no": "SHARED"} | state()],
    ),
)
BOOKS = (
    Submission(
        GUARANTOR,
        JANUARY,
        [guarantee("G1", "L1"), guarantee("G2", "L2", outstanding_amount="40000.00")],
        kind="guarantee_book",
    ),
    Submission(
        GUARANTOR,
        FEBRUARY,
        [
            guarantee("G1", "L1", outstanding_amount="12345.60", guaranteed_number=NUMBER, fee_rate_percent="0.5"),
            guarantee("G3", "NONE"),
            guarantee("G4", "TWICE", institution=OTHER_BANK, region=VILLAGES[2], outstanding_amount="0.00"),
        ],
        kind="guarantee_book",
    ),
)
PACKAGES = (
    Submission(
        INSURER,
        FEBRUARY,
        [
            *(policy("P1", "L1"), policy("P2"), policy("P3", "NONE"), policy("P4", "SHARED")),
            policy("P5", "TWICE", household_no="H2", region=VILLAGES[2], insured_number=NUMBER),
            *(claim("C1", "P1"), claim("C2", "P2"), claim("C3", "GONE"), claim("C4", "GONE", loan_no="L2")),
        ],
        kind="insurance_package",
        part_rows=5,
    ),
    Submission(
        INSURER,
        JANUARY,
        [policy("P1", "L2"), claim("C5", "P5", status="settled", amount="3000.00", paid_date="2025-01-25")],
        kind="insurance_package",
    ),
)


@pytest.fixture(scope="module")
def county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportingCounty]:
    """A county where two banks, a guarantor and an insurer have reported."""
    url = postgresql_node.create_database("registry_feeds")
    with open_county(url, tmp_path_factory.mktemp("home")) as opened:
        for submission in (*LEDGERS, *BOOKS, *PACKAGES):
            assert opened.push(submission)["status"] == "accepted"
        yield opened


@pytest.fixture(scope="module")
def secrets(county: ReportingCounty) -> dict[str, str]:
    """Tokens of every scope."""
    scopes = {"county": {"region": COUNTY}, "township": {"region": TOWNSHIP}}
    scopes |= {code: {"member": code} for code in (*BANKS, GUARANTOR, INSURER)}
    made = {}
    for label, scope in scopes.items():
        with county.transaction() as transaction:
            made[label] = tokens.add(transaction, label, now=NOW, actor="test", purpose="核对", **scope)
    return made


@pytest.fixture(scope="module")
def url(county: ReportingCounty) -> Iterator[str]:
    """The county's server."""
    with HttpServer(county.office, "127.0.0.1:0") as server:
        yield server.url


@pytest.fixture(autouse=True)
def _logs_apart(county: ReportingCounty, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server runs in this process: what it logs is not what a command prints. Commands find the county's data."""
    monkeypatch.setenv("HUILIAN_HOME", str(county.office.home.folder))
    with capture_logs():
        yield


def rows(county: ReportingCounty, feed: str, region: str = COUNTY, **scope: str) -> list[dict[str, Any]]:
    """Return what the registry answers, each row held to its published shape."""
    query = {"guarantees": "guarantee_feed", "policies": "policy_feed", "claims": "claim_feed"}[feed]
    with county.transaction() as transaction:
        found = list(county.registry[query](transaction, region=region, **scope))
    assert [SHAPES[feed]().validate(row) for row in found] == [{}] * len(found)
    return found


def loans(
    county: ReportingCounty, feed: str, region: str = COUNTY, **scope: str
) -> dict[str, tuple[str | None, str | None]]:
    """Return by number the loan a record belongs to, and the bank that has it."""
    return {
        row[NUMBERS[feed]]: (row["loan_no"], row["loan_institution"]) for row in rows(county, feed, region, **scope)
    }


def test_each_guarantee_is_as_last_stated_and_says_its_loan_and_whether_it_is_in_force(county: ReportingCounty):
    """G2 is gone from the newest book, G3's bank has no such loan, of G4 nothing is left."""
    found = rows(county, "guarantees")
    assert loans(county, "guarantees") == {
        "G1": ("L1", BANK),
        "G2": ("L2", BANK),
        "G3": ("NONE", None),
        "G4": ("TWICE", OTHER_BANK),
    }
    assert [(row["guarantee_no"], row["as_of"], row["outstanding_amount"], row["in_force"]) for row in found] == [
        ("G1", "2025-02-28", "12345.60", "yes"),
        ("G2", "2025-01-31", "40000.00", "no"),
        ("G3", "2025-02-28", "50000.00", "yes"),
        ("G4", "2025-02-28", "0.00", "no"),
    ]


def test_a_guarantee_is_told_whole_with_the_line_it_was_read_from(county: ReportingCounty):
    """Numbers of persons are masked; the source leads to submission, message, file and line."""
    book = BOOKS[1]
    [message] = county.rows(f"SELECT id FROM huilian.message WHERE submission = '{book.name}' AND type = 'guarantees'")
    assert rows(county, "guarantees")[0] == {
        "institution": GUARANTOR,
        "guarantee_no": "G1",
        "loan_no": "L1",
        "bank": BANK,
        "loan_institution": BANK,
        "guaranteed_name": "张三",
        "guaranteed_number": "341599********1234",
        "subject": "household",
        "region": VILLAGES[0],
        "guaranteed_amount": "50000.00",
        "outstanding_amount": "12345.60",
        "fee_rate_percent": "0.500000",
        "start_date": "2024-01-10",
        "due_date": "2026-01-10",
        "counter_guarantee": None,
        "government_share_percent": "20.000000",
        "bank_share_percent": "10.000000",
        "guarantor_share_percent": "50.000000",
        "re_guarantor_share_percent": "20.000000",
        "in_force": "yes",
        "as_of": "2025-02-28",
        "source": {
            "submission": book.name,
            "message": message["id"],
            "file_name": f"{book.name}.csv",
            "file_sha256": book.sha256,
            "line": 2,
        },
    }


def test_a_policy_belongs_to_the_only_loan_of_its_number_or_of_several_to_its_households(county: ReportingCounty):
    """Both banks have a loan SHARED of one household: there is no telling which. January's package is older."""
    assert loans(county, "policies") == {
        "P1": ("L1", BANK),
        "P2": (None, None),
        "P3": ("NONE", None),
        "P4": ("SHARED", None),
        "P5": ("TWICE", OTHER_BANK),
    }
    told = rows(county, "policies")[4]
    assert told["insured_number"] == "341599********1234"
    assert [told[name] for name in ("premium", "premium_finance", "premium_household", "premium_insurer")] == [
        *("100.00", "60.00", "30.00", "10.00")
    ]
    package = PACKAGES[0]
    assert told["source"] == rows(county, "policies")[0]["source"] | {"line": 6}
    assert (told["source"]["submission"], told["source"]["file_sha256"]) == (package.name, package.sha256)


def test_a_claim_belongs_to_its_own_loan_or_its_policys_and_lies_where_that_does(county: ReportingCounty):
    """C3 is of a policy that nobody stated, and of no loan: it lies nowhere."""
    assert loans(county, "claims") == {
        "C1": ("L1", BANK),
        "C2": (None, None),
        "C3": (None, None),
        "C4": ("L2", BANK),
        "C5": ("TWICE", OTHER_BANK),
    }
    found = {row["claim_no"]: row for row in rows(county, "claims")}
    assert {number: row["region"] for number, row in found.items()} == {
        **dict.fromkeys(("C1", "C2", "C4"), VILLAGES[0]),
        "C3": None,
        "C5": VILLAGES[2],
    }
    assert {name: found["C5"][name] for name in ("status", "amount", "paid_date", "household_no", "as_of")} == {
        "status": "settled",
        "amount": "3000.00",
        "paid_date": "2025-01-25",
        "household_no": "H2",
        "as_of": "2025-01-31",
    }
    assert "payee_account_last_four" not in found["C5"]
    # The second batch of the package brought it: its own message, the lines counted on.
    ids = county.rows(f"SELECT id FROM huilian.message WHERE submission = '{PACKAGES[0].name}' AND type = 'claims'")
    assert found["C1"]["source"]["message"] == ids[0]["id"]
    assert found["C1"]["source"]["line"] == 7


def test_a_region_sees_what_lies_in_it(county: ReportingCounty):
    """What lies nowhere is for the whole county."""
    assert set(loans(county, "guarantees", TOWNSHIP)) == {"G1", "G2", "G3"}
    assert set(loans(county, "policies", VILLAGES[2])) == {"P5"}
    assert set(loans(county, "claims", TOWNSHIP)) == {"C1", "C2", "C4"}
    with pytest.raises(UsageError, match="HL7002"):
        rows(county, "claims", "34")


@pytest.mark.parametrize(
    ("member", "seen"),
    [
        (GUARANTOR, {"G1", "G2", "G3", "G4"}),
        (INSURER, {"P1", "P2", "P3", "P4", "P5", "C1", "C2", "C3", "C4", "C5"}),
        (BANK, {"G1", "G2", "P1", "C1", "C4"}),
        (OTHER_BANK, {"G4", "P5", "C5"}),
    ],
)
def test_a_member_sees_what_it_stated_and_a_bank_what_is_beside_its_own_loans(
    county: ReportingCounty, url: str, secrets: dict[str, str], member: str, seen: set[str]
):
    """By its token, whatever it asks for; a guarantee that names a bank without having its loan is not the bank's."""
    told = set()
    for feed, number in NUMBERS.items():
        with Reader(url, secrets[member]).rows(f"feed/{feed}") as answer:
            told |= {json.loads(line)[number] for line in answer.lines}
        assert {*loans(county, feed, institution=member)} <= told
        with (
            pytest.raises(AccessDenied, match="HL4008"),
            Reader(url, secrets[member]).rows(f"feed/{feed}", institution="X"),
        ):
            pass
    assert told == seen


@pytest.mark.parametrize("feed", SHAPES)
def test_a_township_reads_its_own_part_and_no_other(url: str, secrets: dict[str, str], feed: str):
    """Asked for more it is refused; without a token nobody is answered."""
    with Reader(url, secrets["township"]).rows(f"feed/{feed}") as answer:
        regions = {json.loads(line)["region"] for line in answer.lines}
    assert regions == {VILLAGES[0]}
    with (
        pytest.raises(AccessDenied, match="HL4003"),
        Reader(url, secrets["township"]).rows(f"feed/{feed}", region=COUNTY),
    ):
        pass
    assert httpx.get(f"{url}/api/v1/feed/{feed}").status_code == 401


@pytest.mark.parametrize("feed", SHAPES)
def test_the_command_prints_the_same_from_here_and_from_the_server(
    county: ReportingCounty, url: str, secrets: dict[str, str], feed: str, capsysbinary: pytest.CaptureFixture[bytes]
):
    """NDJSON and CSV, byte for byte; nothing on standard error, for there is no cursor to keep."""
    there = ["--to", url, "--token", secrets["county"]]
    asked = ["feed", feed, "--region", COUNTY]
    for form in ("ndjson", "csv"):
        printed = []
        for way in ([], there):
            assert run([*asked, "--format", form, "--header", "names", *way]) == 0
            printed.append(capsysbinary.readouterr())
        assert printed[0] == printed[1]
        assert printed[0].err == b""
        text = printed[0].out.decode("utf-8-sig")
        found = rows(county, feed)
        if form == "ndjson":
            assert [json.loads(line) for line in text.splitlines()] == found
        else:
            table = list(csv.DictReader(io.StringIO(text)))
            assert [row[NUMBERS[feed]] for row in table] == [row[NUMBERS[feed]] for row in found]
            assert [row["loan_institution"] or None for row in table] == [row["loan_institution"] for row in found]
            assert [row["source_line"] for row in table] == [str(row["source"]["line"]) for row in found]


@pytest.mark.parametrize("feed", SHAPES)
def test_a_wrong_question_is_refused_before_anything_is_printed(
    url: str, secrets: dict[str, str], feed: str, capsys: pytest.CaptureFixture[str]
):
    """Another county, another format, a cursor where there is none."""
    assert run(["feed", feed, "--region", "110101"]) == 2
    assert run(["feed", feed, "--region", COUNTY, "--format", "xml"]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "HL7017" in streams.err
    assert "HL7001" in streams.err
    headers = {"Authorization": f"Bearer {secrets['county']}"}
    answer = httpx.get(f"{url}/api/v1/feed/{feed}", params={"since": "1"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "HL7011")


def test_the_scoreboard_is_a_feed_of_lines(county: ReportingCounty, url: str, secrets: dict[str, str]):
    """A line for each institution and kind, with its month; in the published shape, and as the scoreboard has it."""
    with Reader(url, secrets["county"]).rows("feed/scoreboard", month="2025-02") as answer:
        found = [json.loads(line) for line in answer.lines]
    assert [ScoreboardFeedRow().validate(row) for row in found] == [{}] * len(found)
    shown = [(row["institution"], row["kind"], row["status"], row["files"], row["rows"]) for row in found]
    assert shown == [
        (GUARANTOR, "guarantee_book", "late", 1, 3),
        (INSURER, "insurance_package", "late", 1, 9),
        (OTHER_BANK, "loan_ledger", "missing", 0, 0),
        (BANK, "loan_ledger", "missing", 0, 0),
    ]
    assert {(row["month"], row["due_date"]) for row in found} == {("2025-02", "2025-03-10")}
    with county.transaction() as transaction:
        board = county.registry["scoreboard"](transaction, month="2025-02")
    numbers = {"missing_files": None, "repeated_files": None}
    head = {name: board[name] for name in ("month", "due_date")}
    assert found == [head | row | numbers for row in board["rows"]]


def test_a_member_has_its_own_line_of_the_scoreboard_and_a_township_none(url: str, secrets: dict[str, str]):
    """As the scoreboard itself is answered."""
    with Reader(url, secrets[BANK]).rows("feed/scoreboard", month="2025-01") as answer:
        assert [json.loads(line)["institution"] for line in answer.lines] == [BANK]
    with pytest.raises(AccessDenied, match="HL4008"):
        Reader(url, secrets[BANK]).rows("feed/scoreboard", month="2025-01", institution=INSURER).__enter__()
    with pytest.raises(AccessDenied, match="HL4003"):
        Reader(url, secrets["township"]).rows("feed/scoreboard", month="2025-01").__enter__()
    with pytest.raises(UsageError, match="HL7003"):
        Reader(url, secrets["county"]).rows("feed/scoreboard", month="2025-13").__enter__()


def test_the_command_prints_the_scoreboard_from_here_and_from_the_server(
    url: str, secrets: dict[str, str], capsysbinary: pytest.CaptureFixture[bytes]
):
    """The same bytes; a wrong month is told as a wrong call."""
    there = ["--to", url, "--token", secrets["county"]]
    for form in ("ndjson", "csv"):
        asked = ["feed", "scoreboard", "--month", "2025-01", "--format", form, "--header", "names"]
        assert run(asked) == 0
        here = capsysbinary.readouterr().out
        assert run([*asked, *there]) == 0
        assert capsysbinary.readouterr().out == here
    lines = here.decode("utf-8-sig").splitlines()
    assert lines[0] == (
        "month,due_date,institution,institution_kind,kind,status,as_of,received_at,applied_at,files,rows,"
        "rejected_rows,refused_files,missing_files,repeated_files,stated_rows,taken_rows,stated_amount,taken_amount,"
        "untaken_amount"
    )
    moment = "2026-01-05T08:00:00+00:00"
    assert lines[1] == (
        f"2025-01,2025-02-10,{GUARANTOR},guarantor,guarantee_book,late,2025-01-31,{moment},{moment},1,2,0,0,,,2,2,,90000.00,"
    )
    assert run(["feed", "scoreboard", "--month", "2025-13"]) == 2
    assert "HL7003" in capsysbinary.readouterr().err.decode()


def test_without_a_month_the_scoreboard_is_the_last_months_that_is_over(url: str, secrets: dict[str, str]):
    """By the office's clock, which stands in January 2026."""
    with Reader(url, secrets["county"]).rows("feed/scoreboard") as answer:
        assert {json.loads(line)["month"] for line in answer.lines} == {"2025-12"}


def test_numbers_missing_and_repeated_are_texts_in_the_feed(county: ReportingCounty):
    """As a spreadsheet shows them."""
    march = dt.date(2025, 3, 31)
    for number in (2, 2, 5):
        county.push(Submission(BANK, march, [{"loan_no": "L1"} | state()], file_sequence=number))
    with county.transaction() as transaction:
        [row] = county.registry["scoreboard_feed"](transaction, month="2025-03", institution=BANK)
    assert (row["missing_files"], row["repeated_files"]) == ("2025-03-31 1；2025-03-31 3-4", "2025-03-31 2")
