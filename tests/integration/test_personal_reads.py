"""Reads of personal data: each is in the audit log, who, what and why, before anything of it is answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from structlog.testing import capture_logs

from adapters import sample_county
from huilian.cli.application import run
from huilian.county import audit, service
from huilian.county.members import tokens
from tests.support.county_over_http import (
    BANK,
    COUNTY,
    HOUSEHOLDS,
    OTHER_BANK,
    PURPOSE,
    TOWNSHIP,
    CountyOverHttp,
    county_over_http,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.county.queries import Query
    from tests.support.servers.postgresql import PostgreSQLNode

NUMBER = "341599199001011234"
"""An identity number, mistyped: its check digit is wrong."""
FULL_WIDTH = "".join(chr(ord(digit) + 0xFEE0) for digit in NUMBER)
PERSONAL = sorted(address for address, query in service.queries().items() if query.personal)
TELL_OF_ONE = {
    *("household_no", "borrower_no", "households", "application_no", "number", "loan_no", "identity_number"),
    *("borrower_name", "head_name", "insured_name", "holder_name", "guaranteed_name", "name"),
}
"""Fields that say of whom a row is; the number of a posting or of an entry in the fund's books is nobody's."""
OF_NOBODY = {"rating_postings", "rated_villages", "statistics", "feed/fund_postings"}


@pytest.fixture(scope="module")
def county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountyOverHttp]:
    """A county with a roster and one ledger, and tokens of which two have no purpose."""
    postgresql_node.start()
    url = postgresql_node.create_database("personal_reads")
    files = sample_county.make(tmp_path_factory.mktemp("files"), households=HOUSEHOLDS)
    with county_over_http(tmp_path_factory.mktemp("home"), url) as served:
        for file in [file for file in files if file.member in (COUNTY, BANK)][:2]:
            served.push(file)
        for label, scope in (("无用途", {"member": BANK}), ("县无用途", {"region": COUNTY})):
            with served.office.database.transaction() as transaction:
                now = served.office.clock.now()
                served.secrets[label] = tokens.add(transaction, label, now=now, actor="test", **scope)
        yield served
    postgresql_node.drop_database("personal_reads")


@pytest.fixture(autouse=True)
def _commands_find_the_county(county: CountyOverHttp, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HUILIAN_HOME", str(county.office.home.folder))
    monkeypatch.setattr("huilian.cli.session.actor", lambda: "operator:test")
    with capture_logs():  # the server runs in this process
        yield


def newest(county: CountyOverHttp) -> int:
    """Return how many records the audit log has."""
    return int(county.value("SELECT count(*) FROM huilian.audit"))


def records(county: CountyOverHttp, since: int) -> list[dict[str, Any]]:
    """Return the records after so many: who, what, of whom, and the detail."""
    with county.office.database.transaction() as transaction:
        audit.verify(transaction)
        return transaction.rows(
            "SELECT actor, action, subject, detail FROM huilian.audit WHERE number > %s ORDER BY number", [since]
        )


def ask(county: CountyOverHttp, address: str, label: str = "county", why: str | bytes | None = None, **given: str):
    """Ask over HTTP, saying why where that is given."""
    headers: dict[str, Any] = dict(county.headers(label))
    if why is not None:
        headers["Huilian-Purpose"] = why.encode() if isinstance(why, str) else why
    return httpx.get(f"{county.url}/api/v1/{address}", params=given, headers=headers)


def some_household(county: CountyOverHttp) -> str:
    """Return a household that has a loan."""
    return str(county.value("SELECT min(household_no) FROM registry.loan"))


def needed(query: Query, household: str) -> dict[str, str]:
    """Return the parameters that a query cannot do without."""
    found = {parameter.name: household for parameter in query.parameters if parameter.required}
    # What would be computed now is of a period.
    return found | ({"period": "2024-Q1"} if query.needs_context else {})


def test_a_feed_read_with_a_banks_token_is_one_record(county: CountyOverHttp):
    """Who by member and token, what with all that it was narrowed to, why by the token, and how many rows."""
    before = newest(county)
    rows = ask(county, "feed/loans", BANK).text.splitlines()
    assert records(county, before) == [
        {
            "actor": f"member:{BANK}:{BANK}",
            "action": "read.feed/loans",
            "subject": COUNTY,
            "detail": {
                "parameters": {"region": COUNTY, "institution": BANK},
                "why": PURPOSE,
                "said": "token",
                "rows": len(rows),
            },
        }
    ]
    assert len(rows) > 10


def test_what_a_read_says_itself_stands_before_what_its_token_is_for(county: CountyOverHttp):
    """As it is in UTF-8, percent-encoded, or by the command of another machine."""
    before, household = newest(county), some_household(county)
    assert ask(county, "household_story", "township", "入户核实", household=household).status_code == 200
    assert ask(county, "household_story", "无用途", b"%E8%B4%B7%E5%89%8D 1", household=household).status_code == 200
    there = ["--to", county.url, "--token", county.secrets["县无用途"]]
    assert run(["household", "show", household, "--why", "信访 3 号", *there]) == 0
    made = records(county, before)
    assert [(each["actor"], each["subject"], each["detail"]["why"], each["detail"]["said"]) for each in made] == [
        (f"region:{TOWNSHIP}:township", household, "入户核实", "read"),
        (f"member:{BANK}:无用途", household, "贷前 1", "read"),
        (f"region:{COUNTY}:县无用途", household, "信访 3 号", "read"),
    ]
    assert made[1]["detail"]["parameters"] == {"household": household, "region": COUNTY, "institution": BANK}


@pytest.mark.parametrize("address", PERSONAL)
def test_a_read_of_which_nobody_says_why_is_refused(county: CountyOverHttp, address: str):
    """The answer says what to do; nothing is read, nothing recorded. With a purpose entered it goes through."""
    before, query = newest(county), service.query(address)
    refused = ask(county, address, "县无用途", **needed(query, some_household(county)))
    assert (refused.status_code, refused.json()["code"]) == (403, "HL4040")
    assert "Huilian-Purpose" in refused.json()["message"]
    assert "huilian token purpose 县无用途" in refused.json()["message"]
    assert newest(county) == before


def test_a_purpose_can_be_entered_afterwards(county: CountyOverHttp, capsys: pytest.CaptureFixture[str]):
    """By a command, which is in the log too; what is not personal never needed one."""
    with county.office.database.transaction() as transaction:
        secret = tokens.add(transaction, "后补", now=county.office.clock.now(), actor="test", region=COUNTY)
    county.secrets["后补"] = secret
    assert ask(county, "statistics", "后补", month="2024-01").status_code == 200
    assert ask(county, "feed/households", "后补").status_code == 403
    before = newest(county)
    assert run(["token", "purpose", "后补", "月度监测"]) == 0
    assert ask(county, "feed/households", "后补").status_code == 200
    entered, read = records(county, before)
    assert entered == {
        "actor": "operator:test",
        "action": "token.purpose_entered",
        "subject": "后补",
        "detail": {"purpose": "月度监测", "before": None},
    }
    assert (read["action"], read["detail"]["why"], read["detail"]["said"]) == (
        "read.feed/households",
        "月度监测",
        "token",
    )
    assert run(["token", "purpose", "无此令牌", "监测"]) == 2
    assert "没有名为 无此令牌 的令牌" in capsys.readouterr().err


@pytest.mark.parametrize(
    "why",
    [
        "",
        "%20%20",
        "x" * 121,
        "a%0Ab",
        "a%00b",
        NUMBER,
        "核对 341599 19900101 1234",
        FULL_WIDTH,
        "%1B[2J",
    ],
)
def test_a_purpose_that_is_none_is_refused(county: CountyOverHttp, why: str):
    """The log names no person by number, and no character steers a terminal."""
    before = newest(county)
    refused = ask(county, "feed/loans", "county", why)
    assert (refused.status_code, refused.json()["code"]) == (400, "HL4041")
    assert newest(county) == before


@pytest.mark.parametrize(
    ("household", "subject"),
    [
        (NUMBER, "341599********1234"),
        (f"x{NUMBER}9", "x341599********12349"),
        ("王小明", "?"),
        ("'; DROP TABLE huilian.audit; --", "?"),
        ("HH%", "?"),
        ("no_such_household", "no_such_household"),
    ],
)
def test_whatever_is_asked_the_record_names_nobody(county: CountyOverHttp, household: str, subject: str):
    """An identity number is masked; what is no number at all may be a name and is left out."""
    before = newest(county)
    assert ask(county, "household_story", household=household).text == ""
    [made] = records(county, before)
    assert (made["subject"], made["detail"]["parameters"]) == (subject, {"household": subject, "region": COUNTY})
    assert made["detail"]["rows"] == 0


@pytest.mark.parametrize("address", PERSONAL)
def test_every_personal_query_makes_one_record_here_and_over_http(county: CountyOverHttp, address: str):
    """Also of an answer without rows. A form or case of which there is none is no answer, and leaves none."""
    query, household = service.query(address), some_household(county)
    given = needed(query, household)
    before = newest(county)
    answered = ask(county, address, **given)
    options = [part for name, value in given.items() if not positional(query, name) for part in (f"--{name}", value)]
    within = ["--region", COUNTY] if query.narrowing("region") and not query.narrowing("region").of_token else []
    status = run([*query.words, *(v for n, v in given.items() if positional(query, n)), *options, *within])
    made = records(county, before)
    if answered.status_code == 404:
        assert (status, made) == (2, [])
        return
    assert (answered.status_code, status) == (200, 0)
    assert [(each["actor"], each["action"]) for each in made] == [
        (f"region:{COUNTY}:county", f"read.{address}"),
        ("operator:test", f"read.{address}"),
    ]
    assert made[0]["detail"]["rows"] == made[1]["detail"]["rows"] == len(answered.text.splitlines())
    of_one = any(parameter.is_subject for parameter in query.parameters if parameter.required)
    assert {each["subject"] for each in made} == {household if of_one else COUNTY}


def positional(query: Query, name: str) -> bool:
    """Return whether the command takes a parameter without its name."""
    return any(parameter.name == name and parameter.positional for parameter in query.parameters)


def test_a_query_that_tells_of_households_one_by_one_is_declared_personal():
    """By its fields: a new one without the declaration would be read without a trace."""
    one_by_one = {
        address
        for address, query in service.queries().items()
        if TELL_OF_ONE.intersection(column.name for column in query.columns)
    }
    assert one_by_one - OF_NOBODY == set(PERSONAL)


def test_the_operators_read_says_that_no_purpose_was_said(county: CountyOverHttp):
    """At the county's own machine it may be left out; the record has that, not a purpose of ours."""
    before, household = newest(county), some_household(county)
    assert run(["household", "show", household]) == 0
    assert run(["household", "show", household, "--why", "回访"]) == 0
    assert run(["household", "show", household, "--why", NUMBER]) == 2
    details = [each["detail"] for each in records(county, before)]
    assert [(each["why"], each["said"]) for each in details] == [
        ("县级本机操作，未说明用途 (at the county's own machine, no purpose said)", "default"),
        ("回访", "read"),
    ]


def test_who_asks_for_the_head_alone_reads_nobody(county: CountyOverHttp):
    """No row leaves; a refused question leaves no record either."""
    before = newest(county)
    url, headers = f"{county.url}/api/v1/feed/loans", county.headers()
    assert httpx.head(url, headers=headers).status_code == 200
    assert httpx.get(url, params={"region": "110101"}, headers=headers).status_code == 403
    assert httpx.get(url, params={"since": "x"}, headers=headers).status_code == 400
    assert newest(county) == before


def test_what_cannot_be_recorded_is_not_answered(county: CountyOverHttp, capfdbinary: pytest.CaptureFixture[bytes]):
    """Rows, documents and commands alike."""

    def refuse(statement: str) -> None:
        with county.office.database.transaction() as transaction:
            transaction.execute(statement)

    refuse(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$;"
        "CREATE TRIGGER disk_full BEFORE INSERT ON huilian.audit FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    try:
        refused = ask(county, "feed/loans")
        assert (refused.status_code, refused.json()["code"]) == (500, "HL5007")
        assert "loan_no" not in refused.text
        with pytest.raises(Exception, match="the disk is full"):
            run(["feed", "households", "--region", COUNTY])
        assert capfdbinary.readouterr().out == b""
        assert ask(county, "statistics", month="2024-01").status_code == 200
    finally:
        refuse("DROP TRIGGER disk_full ON huilian.audit; DROP FUNCTION refuse()")
    assert ask(county, "feed/loans").status_code == 200


def test_a_longer_answer_has_a_record_of_its_end(
    county: CountyOverHttp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """The first, before its rows, cannot count them; two are one line of the list."""
    monkeypatch.setattr(audit, "_AHEAD", 5)
    before = newest(county)
    rows = len(ask(county, "feed/households", "township").text.splitlines())
    began, ended = records(county, before)
    assert (began["action"], began["detail"]["rows"], rows > 5) == ("read.feed/households", None, True)
    assert ended == {
        "actor": f"region:{TOWNSHIP}:township",
        "action": "read.ended",
        "subject": TOWNSHIP,
        "detail": {"read": before + 1, "rows": rows, "all": True},
    }
    capsys.readouterr()
    assert run(["audit", "reads", "--last", "1", "--json"]) == 0
    [listed] = json.loads(capsys.readouterr().out)
    assert {name: listed[name] for name in ("number", "address", "subject", "rows", "all", "why")} == {
        "number": before + 1,
        "address": "feed/households",
        "subject": TOWNSHIP,
        "rows": rows,
        "all": True,
        "why": PURPOSE,
    }


def test_who_read_of_a_household_can_be_asked(county: CountyOverHttp, capsys: pytest.CaptureFixture[str]):
    """Of the household by its number; with its village, also who read of the village, its township or the county."""
    household = some_household(county)
    village = county.value("SELECT region FROM registry.loan WHERE household_no = %s LIMIT 1", household)
    other = county.value("SELECT min(region) FROM registry.loan WHERE NOT starts_with(region, %s)", village[:9])
    before = newest(county)
    for given in ({"household": household}, {"household": "HH_OTHER"}):
        ask(county, "household_story", **given)
    for region in (village, village[:9], COUNTY, other):
        ask(county, "feed/loans", region=region)

    def listed(*options: str) -> list[int]:
        capsys.readouterr()
        assert run(["audit", "reads", *options, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        return [each["number"] - before for each in found if each["number"] > before]

    assert listed("--household", household) == [1]
    # The stories were read within the county, too: whoever asks for the region hears of them.
    assert listed("--household", household, "--region", village) == [1, 2, 3, 4, 5]
    assert listed("--since", "2124-01-01") == []
    assert listed("--last", "2") == [5, 6]
    assert run(["audit", "reads", "--since", "yesterday"]) == 2


def test_the_bytes_of_a_refused_message_are_personal_too(county: CountyOverHttp, tmp_path: Path):
    """Who writes them out is recorded before the file is written; who looks at the reason only, is not."""
    httpx.post(f"{county.url}/api/v1/messages", content=b"{}", headers={"Huilian-Seal": "x.y.z"})
    before = newest(county)
    assert run(["messages", "samples"]) == 0
    assert run(["messages", "samples", "--write", str(tmp_path / "samples"), "--why", "排查"]) == 0
    [made] = records(county, before)
    assert (made["action"], made["subject"], made["detail"]) == (
        "read.samples",
        "*",
        {"parameters": {}, "why": "排查", "said": "read", "rows": 1},
    )


def test_another_banks_rows_stay_with_it(county: CountyOverHttp):
    """Its token reads nothing of the first bank's, and the record says that nothing was read."""
    before = newest(county)
    for address in ("feed/loans", "feed/ratings"):
        assert ask(county, address, OTHER_BANK).text == ""
    assert [each["detail"]["rows"] for each in records(county, before)] == [0, 0]
