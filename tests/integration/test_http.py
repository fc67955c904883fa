"""The HTTP interface as institutions meet it: real server, real database, real files."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import sample_county
from huilian.core.errors import AccessDenied, HostUnavailable, MessageRefused, UsageError
from huilian.county import service
from huilian.county.messages.dead_letters import Sample, all_samples
from huilian.county.messages.processor import Quotas
from huilian.http import answers, create_app
from huilian.wire import catalogue, envelope
from huilian.wire.envelope import Draft, Message
from huilian.wire.keys import SigningKey
from tests.support.county_over_http import (
    BANK,
    COUNTY,
    HOUSEHOLDS,
    OTHER_BANK,
    TOWNSHIP,
    CountyOverHttp,
    county_over_http,
)
from tests.support.push import receipt as wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import marshmallow as ma

    from tests.support.servers.postgresql import PostgreSQLNode

MEGABYTE = 1_000_000
ROSTER_ROWS, ROSTER_DIRT = 224, 10
LOANS_IN_FEBRUARY = 31
"""Of the sample county with sixty households: rows of its ledgers up to February, told of once each."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[sample_county.SampleFile]:
    """The county's and one bank's files; the first are the roster, January's ledger and journal, February's ledger."""
    made = sample_county.make(tmp_path_factory.mktemp("files"), households=HOUSEHOLDS)
    return [file for file in made if file.member in (COUNTY, BANK)]


@pytest.fixture(scope="module")
def county(
    postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory, files: list[sample_county.SampleFile]
) -> Iterator[CountyOverHttp]:
    """A county over HTTP to which roster and two months have been pushed."""
    postgresql_node.start()
    url = postgresql_node.create_database("http_interface")
    with county_over_http(tmp_path_factory.mktemp("home"), url) as served:
        for file in files[:4]:
            served.push(file)
        yield served
    postgresql_node.drop_database("http_interface")


def _get(county: CountyOverHttp, path: str, label: str = "county", **query: str) -> httpx.Response:
    return httpx.get(f"{county.url}/api/v1{path}", params=query, headers=county.headers(label))


def _rows(county: CountyOverHttp, label: str = "county", **query: str) -> list[dict[str, Any]]:
    with county.reader(label).rows("feed/loans", **query) as feed:  # type: ignore[arg-type]  # all are texts
        return [json.loads(line) for line in feed.lines]


def _load(schema: type[ma.Schema], value: object) -> None:
    """Hold an answer to its published schema: no field too many, none too few."""
    assert schema().validate(value) == {}  # type: ignore[arg-type]  # whatever came


# Messages in


def _message(county: CountyOverHttp, **changes: Any) -> Message:  # noqa: ANN401  # whatever a draft has
    """Return an empty manifest sealed by the bank, with parts of it changed."""
    key = changes.pop("key", None) or county.office.home.keys.current(BANK)
    draft = {
        "type": "submission_manifest",
        "dataschema": "submission_manifest/v1",
        "subject": BANK,
        "body": b"{}",
        "submission": f"{BANK}-nothing",
    }
    sealing = {"source": BANK, "time": county.office.clock.now()} | {
        name: changes.pop(name) for name in ("source", "time", "message_id") if name in changes
    }
    return envelope.seal(Draft(**(draft | changes)), key, **sealing)


def _post(county: CountyOverHttp, seal: str, body: bytes, **headers: str) -> httpx.Response:
    return httpx.post(f"{county.url}/api/v1/messages", content=body, headers={"Huilian-Seal": seal, **headers})


def _dead_letter(county: CountyOverHttp) -> dict[str, Any]:
    with county.office.database.transaction() as transaction:
        row = transaction.row("SELECT * FROM huilian.dead_letter ORDER BY last_received_at DESC, number DESC LIMIT 1")
    assert row is not None
    return row


def _sample(county: CountyOverHttp) -> Sample:
    with county.office.database.transaction() as transaction:
        return all_samples(transaction)[0]


def test_a_pushed_file_is_answered_with_its_receipt(county: CountyOverHttp, files: list[sample_county.SampleFile]):
    """The whole way over HTTP: roster of 224 rows, of which ten are dirty."""
    receipt = county.push(files[0])
    assert receipt["status"] == "accepted"
    assert (receipt["rows"], receipt["accepted"], receipt["rejected"]) == (
        ROSTER_ROWS,
        ROSTER_ROWS - ROSTER_DIRT,
        ROSTER_DIRT,
    )


def test_a_message_is_taken_once_and_repeated_after(county: CountyOverHttp):
    """Whoever got no answer sends again, and is told that nothing happened twice."""
    message = _message(county)
    first, second = (_post(county, message.seal, message.payload) for _ in range(2))
    assert (first.status_code, first.json()) == (202, {"message": message.id, "status": "taken"})
    assert (second.status_code, second.json()) == (202, {"message": message.id, "status": "repeated"})
    assert county.value("SELECT count(*) FROM huilian.message WHERE id = %s", message.id) == 1


def test_content_encoding_is_not_interpreted(county: CountyOverHttp):
    """The bytes that were signed are the bytes that are kept, whatever a client says of them."""
    message = _message(county)
    answer = _post(county, message.seal, message.payload, **{"Content-Encoding": "gzip", "ce-id": "another"})
    assert answer.json() == {"message": message.id, "status": "taken"}
    assert bytes(county.value("SELECT payload FROM huilian.message WHERE id = %s", message.id)) == b"{}"


def _altered(county: CountyOverHttp) -> tuple[str, bytes]:
    return _message(county).seal, b"{ }"


def _unknown_key(county: CountyOverHttp) -> tuple[str, bytes]:
    message = _message(county, key=SigningKey.generate())
    return message.seal, message.payload


def _key_of_another(county: CountyOverHttp) -> tuple[str, bytes]:
    message = _message(county, source=OTHER_BANK)
    return message.seal, message.payload


def _not_allowed(county: CountyOverHttp) -> tuple[str, bytes]:
    message = _message(county, type="roster", dataschema="roster/v1", bulk=True)
    return message.seal, message.payload


def _unknown_version(county: CountyOverHttp) -> tuple[str, bytes]:
    message = _message(county, dataschema="submission_manifest/v9")
    return message.seal, message.payload


def _no_seal(_: CountyOverHttp) -> tuple[str, bytes]:
    return "", b"{}"


def _replayed_id(county: CountyOverHttp) -> tuple[str, bytes]:
    first = _message(county)
    assert _post(county, first.seal, first.payload).status_code == httpx.codes.ACCEPTED
    other = _message(county, body=b"[]", message_id=first.id)
    return other.seal, other.payload


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        pytest.param(_not_allowed, 403, "HL1004", id="sender not allowed"),
        pytest.param(_unknown_version, 400, "HL1005", id="unknown version"),
        pytest.param(_replayed_id, 409, "HL1008", id="replayed id with other bytes"),
    ],
)
def test_a_refused_message_is_told_why_and_kept(
    county: CountyOverHttp, make: Callable[[CountyOverHttp], tuple[str, bytes]], status: int, code: str
):
    """Each refusal has its own code and status, in both languages, and leaves its bytes behind."""
    seal, body = make(county)
    answer = _post(county, seal, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    _load(answers.Error, answer.json())
    letter = _dead_letter(county)
    assert (letter["service"], letter["code"], letter["seal"], bytes(letter["payload"])) == ("intake", code, seal, body)
    assert ("WWW-Authenticate" in answer.headers) == (status == httpx.codes.UNAUTHORIZED)


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        pytest.param(_altered, 401, "HL1001", id="altered bytes"),
        pytest.param(_unknown_key, 401, "HL1002", id="unknown key"),
        pytest.param(_key_of_another, 401, "HL1002", id="another member's key"),
        pytest.param(_no_seal, 400, "HL1009", id="no seal"),
    ],
)
def test_what_anybody_may_have_sent_is_told_why_and_counted(
    county: CountyOverHttp, make: Callable[[CountyOverHttp], tuple[str, bytes]], status: int, code: str
):
    """It leaves a sample behind, and no dead letter."""
    letters = county.value("SELECT count(*) FROM huilian.dead_letter")
    seal, body = make(county)
    answer = _post(county, seal, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    _load(answers.Error, answer.json())
    sample = _sample(county)
    assert (sample.service, sample.code, sample.member, sample.payload) == ("intake", code, "", body)
    assert sample.seal == seal
    assert ("WWW-Authenticate" in answer.headers) == (status == httpx.codes.UNAUTHORIZED)
    assert county.value("SELECT count(*) FROM huilian.dead_letter") == letters


def test_a_refusal_reaches_the_sender_as_the_error_it_is(county: CountyOverHttp):
    """The transport raises what the server said, with both texts."""
    message = _message(county, dataschema="submission_manifest/v9")
    with pytest.raises(MessageRefused) as refused:
        county.transport().send(message)
    assert refused.value.code == "HL1005"
    assert refused.value.chinese == "不支持的报文类型或版本 submission_manifest submission_manifest/v9"
    assert refused.value.english == "unknown message type or version submission_manifest submission_manifest/v9"


def test_bad_json_is_refused_when_it_is_handled_and_told_with_the_receipt(county: CountyOverHttp):
    """Taken in, because its seal is right; whoever waits for the receipt learns of it."""
    message = _message(county, body=b"{not json", submission=f"{BANK}-bad-json")
    county.transport().send(message)
    county.host.drain()
    with pytest.raises(MessageRefused) as refused:
        wait(county.office.home, county.transport(), f"{BANK}-bad-json", seconds=5)
    assert refused.value.code == "HL1007"
    answer = _get(county, f"/receipts/{BANK}-bad-json", BANK)
    assert (answer.status_code, answer.json()["code"]) == (409, "HL1007")


def test_a_day_that_is_used_up_is_told_with_its_own_status(county: CountyOverHttp, monkeypatch: pytest.MonkeyPatch):
    """429 with a time to come back; at the sender it is the refusal it is, and nothing is kept."""
    monkeypatch.setattr(county.office.processor, "quotas", Quotas(daily_bytes=1))
    message = _message(county, message_id="one too many")
    answer = _post(county, message.seal, message.payload)
    assert (answer.status_code, answer.json()["code"]) == (429, "HL1022")
    assert "Retry-After" in answer.headers
    with pytest.raises(MessageRefused, match="HL1022"):
        county.transport().send(message)
    assert county.value("SELECT count(*) FROM huilian.message WHERE id = 'one too many'") == 0


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "chunked"])
def test_a_hundred_megabytes_are_refused_without_being_held(county: CountyOverHttp, *, chunked: bool):
    """Kept are a sample, the true size and the reason."""
    piece = b"x" * 65_536
    size = 100 * MEGABYTE // len(piece) * len(piece)

    def body() -> Iterator[bytes]:
        for _ in range(size // len(piece)):
            yield piece

    headers = {"Huilian-Seal": _message(county).seal} | ({} if chunked else {"Content-Length": str(size)})
    tracemalloc.start()
    answer = httpx.post(f"{county.url}/api/v1/messages", content=body(), headers=headers, timeout=120)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (answer.status_code, answer.json()["code"]) == (413, "HL1006")
    assert peak < 20 * MEGABYTE
    sample = _sample(county)
    assert (sample.code, sample.size, len(sample.seal) + len(sample.payload)) == ("HL1006", size, 1024)


def test_a_body_one_byte_too_large_is_refused_and_its_true_size_is_told(county: CountyOverHttp):
    """The limit is the limit."""
    answer = _post(county, _message(county).seal, b"x" * (envelope.BODY_LIMIT + 1))
    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert answer.json()["message_en"] == "the message has 4194305 bytes; at most 4194304 are allowed"


# Receipts


def test_a_receipt_is_evidence(county: CountyOverHttp, files: list[sample_county.SampleFile]):
    """Seal and body verify with the platform's public key alone."""
    submission = county.push(files[1])["submission"]
    answer = _get(county, f"/receipts/{submission}", BANK)
    message = envelope.read(answer.headers["Huilian-Seal"], answer.content)
    envelope.verify(message, county.office.home.keys.current("HUILIAN").public)
    assert message.type == "receipt"
    _load(catalogue.installed().latest("receipt").schema, answer.json())
    assert answer.json() == county.reader().ask(f"receipts/{submission}")


def test_a_submission_that_is_not_complete_is_receiving(county: CountyOverHttp):
    """A part has come and its manifest has not: 202, ask again."""
    submission = f"{BANK}-loan_ledger-half"
    part = _message(
        county, type="rejections", dataschema="rejections/v1", body=b"", bulk=True, submission=submission, sequence=0
    )
    county.transport().send(part)
    answer = _get(county, f"/receipts/{submission}")
    assert (answer.status_code, answer.json()) == (202, {"status": "receiving"})
    assert county.reader().ask(f"receipts/{submission}") == {"status": "receiving"}
    assert wait(county.office.home, county.transport(), submission, seconds=0) is None


def test_a_submission_nobody_sent_is_not_found(county: CountyOverHttp):
    """HL7008, which a client that polls takes for "not yet"."""
    answer = _get(county, f"/receipts/{BANK}-never")
    assert (answer.status_code, answer.json()["code"]) == (404, "HL7008")
    with pytest.raises(UsageError, match="HL7008"):
        county.reader().ask(f"receipts/{BANK}-never")
    assert _get(county, "/receipts/%00").json()["message_en"] == "there is no submission ?"


def test_a_submission_is_read_by_its_member_and_by_the_county_only(
    county: CountyOverHttp, files: list[sample_county.SampleFile]
):
    """Neither another bank nor a township learns even whether there is one."""
    submission = county.push(files[1])["submission"]
    for token in ("county", BANK):
        assert _get(county, f"/receipts/{submission}", token).status_code == httpx.codes.OK
    for token in ("township", OTHER_BANK, COUNTY):
        for name in (submission, f"{BANK}-never"):
            answer = _get(county, f"/receipts/{name}", token)
            assert (answer.status_code, answer.json()["code"]) == (403, "HL4005")


# Submissions


def test_submissions_are_listed_with_their_counts(county: CountyOverHttp, files: list[sample_county.SampleFile]):
    """The county sees all of them, a bank its own."""
    answer = _get(county, "/submissions")
    _load(service.query("submissions").row, answer.json())
    listed = {row["file_name"]: row for row in answer.json()["submissions"] if row["status"] == "accepted"}
    assert set(listed) == {file.path.name for file in files[:4]}
    february = listed["RCB01_LOAN_20240229.csv"]
    assert (february["rows"], february["rejected"], february["changed"]) == (files[3].rows, 2, 5)
    assert {row["member"] for row in county.reader(BANK).ask("submissions")["submissions"]} == {BANK}
    assert {row["member"] for row in county.reader().ask("submissions", member=COUNTY)["submissions"]} == {COUNTY}
    assert county.reader(OTHER_BANK).ask("submissions")["submissions"] == []


def test_submissions_are_not_split_by_region(county: CountyOverHttp):
    """A file holds the whole county: a township's token sees none."""
    with pytest.raises(AccessDenied) as denied:
        county.reader("township").ask("submissions")["submissions"]
    assert denied.value.code == "HL4003"


# Figures


@pytest.mark.parametrize("month", ["2024-01", "2024-02"])
def test_figures_are_those_reckoned_loan_by_loan(county: CountyOverHttp, month: str):
    """File to figures over HTTP, against plain arithmetic."""
    found = county.reader().ask("statistics", month=month, region=COUNTY)
    expected = sample_county.expected_figures(month, households=HOUSEHOLDS, banks=(BANK,))
    assert {name: found[name] for name in expected} == expected
    assert (found["region"], found["month"], found["stale"]) == (COUNTY, month, [OTHER_BANK])
    _load(service.query("statistics").row, found)


@pytest.mark.parametrize("by", ["institution", "product", "township", "village"])
def test_figures_are_broken_down(county: CountyOverHttp, by: str):
    """Every breakdown adds up to the whole, in the published shape."""
    found = county.reader().ask("statistics", month="2024-02", by=by)
    _load(service.query("statistics").row, found)
    assert found["by"] == by
    assert sum(row["loans"] for row in found["rows"]) == found["loans"] > 0


def test_figures_of_a_township_are_all_its_token_sees(county: CountyOverHttp):
    """Without a region it is the token's own, with a wider or another one it is refused."""
    expected = sample_county.expected_figures("2024-02", TOWNSHIP, households=HOUSEHOLDS, banks=(BANK,))
    own = county.reader("township").ask("statistics", month="2024-02")
    assert own["region"] == TOWNSHIP
    assert {name: own[name] for name in expected} == expected
    for region in (COUNTY, "341599102", "341599000000"):
        with pytest.raises(AccessDenied) as denied:
            county.reader("township").ask("statistics", month="2024-02", region=region)
        assert denied.value.code == "HL4003"


def test_figures_of_a_member_are_of_its_own_loans(county: CountyOverHttp):
    """A bank that has lent nothing sees nothing, and may not ask for another's."""
    assert county.reader(OTHER_BANK).ask("statistics", month="2024-02")["loans"] == 0
    assert county.reader(BANK).ask("statistics", month="2024-02")["loans"] > 0
    with pytest.raises(AccessDenied) as denied:
        county.reader(OTHER_BANK).ask("statistics", month="2024-02", institution=BANK)
    assert denied.value.code == "HL4008"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "HL7011"),
        ({"month": "2024-13"}, "HL7003"),
        ({"month": "0000-01"}, "HL7003"),
        ({"month": "2024-02", "by": "household"}, "HL7011"),
        ({"month": "2024-02", "regoin": COUNTY}, "HL7011"),
        ({"month": "2024-02", "region": "34159"}, "HL7002"),
        ({"month": "2024-02", "institution": "a\x00b"}, "HL7011"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(county: CountyOverHttp, query: dict[str, str], code: str):
    """A misspelt parameter is no answer about everything."""
    answer = _get(county, "/statistics", **query)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    _load(answers.Error, answer.json())


# The feed


def test_the_feed_has_every_loan_and_where_it_came_from(county: CountyOverHttp):
    """Each row is in the published shape, and its source leads back to message, file and line."""
    rows = _rows(county)
    assert len(rows) == LOANS_IN_FEBRUARY
    for row in rows:
        _load(service.query("feed/loans").row, row)
    source = rows[0]["source"]
    assert source["file_name"].startswith("RCB01_LOAN_2024")
    assert county.value("SELECT type FROM huilian.message WHERE id = %s", source["message"]) == "loan_ledger"


def test_a_cursor_continues_where_the_feed_ended(county: CountyOverHttp):
    """Nothing new after the last cursor; after January's, what February changed."""
    with county.reader().rows("feed/loans", region=COUNTY) as feed:
        assert len(list(feed.lines)) == LOANS_IN_FEBRUARY
    assert _rows(county, since=str(feed.cursor)) == []
    january = county.value(
        "SELECT application FROM huilian.submission WHERE manifest ->> 'file_name' = 'RCB01_LOAN_20240131.csv'"
    )
    changed = _rows(county, since=str(january))
    assert len(changed) == 5  # as the receipt of February said
    assert {row["as_of"] for row in changed} == {"2024-02-29"}


def test_the_feed_as_csv_opens_in_a_spreadsheet(county: CountyOverHttp):
    """Byte order mark, a header in Chinese or of the fields' names, the source flattened, the same loans in order."""
    answer = _get(county, "/feed/loans", format="csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith("\ufeff机构,借据号,合同号,户编号,借款人,证件号码（已脱敏）,".encode())
    assert answer.text.splitlines()[0].endswith(
        "截止日期,来源提交编号,来源报文编号,来源文件名,来源文件SHA-256,来源行号,签订日期,确认编号,展期续贷标志,原借据号"
    )
    answer = _get(county, "/feed/loans", format="csv", header="names")
    assert answer.content.startswith(b"\xef\xbb\xbfinstitution,loan_no,")
    found = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    rows = _rows(county)
    assert [row["loan_no"] for row in found] == [row["loan_no"] for row in rows]
    assert found[0]["source_message"] == rows[0]["source"]["message"]
    assert found[0]["source_line"] == str(rows[0]["source"]["line"])
    assert list(found[0])[-9:] == [
        "source_submission",
        "source_message",
        "source_file_name",
        "source_file_sha256",
        "source_line",
        "signed",
        "confirmation_no",
        "continuation",
        "original_loan_no",
    ]


def test_the_accept_header_chooses_the_format(county: CountyOverHttp):
    """CSV for who prefers it; NDJSON for who does not say, or says what there is not."""
    for accept, content_type in (
        ("text/csv", "text/csv; charset=utf-8"),
        ("application/x-ndjson, text/csv;q=0.5", "application/x-ndjson; charset=utf-8"),
        ("text/html", "application/x-ndjson; charset=utf-8"),
        ("*/*", "application/x-ndjson; charset=utf-8"),
    ):
        headers = county.headers() | {"Accept": accept}
        assert httpx.get(f"{county.url}/api/v1/feed/loans", headers=headers).headers["Content-Type"] == content_type


def test_the_feed_of_a_scope_is_the_scope(county: CountyOverHttp):
    """A township's token reads its township, a bank's its own loans; more is refused before a row leaves."""
    assert {row["region"][:9] for row in _rows(county, "township")} == {TOWNSHIP}
    assert len(_rows(county, BANK)) == LOANS_IN_FEBRUARY
    assert _rows(county, OTHER_BANK) == []
    with pytest.raises(AccessDenied) as denied:
        _rows(county, "township", region=COUNTY)
    assert denied.value.code == "HL4003"
    with pytest.raises(UsageError) as refused:
        _rows(county, since="yesterday")
    assert refused.value.code == "HL7004"


def test_a_head_request_holds_nothing(county: CountyOverHttp):
    """It is answered with the cursor, and gives back what a feed takes up."""
    for _ in range(20):
        answer = httpx.head(f"{county.url}/api/v1/feed/loans", headers=county.headers())
        assert answer.status_code == httpx.codes.OK
    assert int(answer.headers["Huilian-Next-Cursor"]) >= 1


def test_differences_are_rows_in_the_published_shape(county: CountyOverHttp):
    """The roster's dirty rows leave two loans without a household; a bank sees its own."""
    with county.reader().rows("differences", region=COUNTY) as found:
        rows = [json.loads(line) for line in found.lines]
    for row in rows:
        _load(service.query("differences").row, row)
    kinds = Counter(row["kind"] for row in rows)
    assert kinds == {"household_not_on_roster": 2}
    with county.reader(OTHER_BANK).rows("differences") as none:
        assert list(none.lines) == []


# Who is asking


@pytest.mark.parametrize(
    "path", ["/receipts/x", "/submissions", "/feed/loans", "/statistics", "/statistics?month=2024-02", "/differences"]
)
def test_without_a_token_there_is_nothing(county: CountyOverHttp, path: str):
    """401 with the way to come back, before the question is looked at."""
    none = httpx.get(f"{county.url}/api/v1{path}")
    assert (none.status_code, none.json()["code"]) == (401, "HL4004")
    assert none.headers["WWW-Authenticate"] == 'Bearer realm="huilian"'
    wrong = httpx.get(f"{county.url}/api/v1{path}", headers={"Authorization": "Bearer nobody's"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "HL4002")


def test_no_answer_is_kept_on_the_way(county: CountyOverHttp):
    """What one token may read is not for the cache of a proxy."""
    assert _get(county, "/statistics", month="2024-02").headers["Cache-Control"] == "no-store"


# Errors


def test_an_address_that_is_not_and_a_method_that_is_not_taken(county: CountyOverHttp):
    """The framework's own refusals speak as all others."""
    nowhere = httpx.get(f"{county.url}/api/v2/statistics")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "HL7009")
    wrong = httpx.get(f"{county.url}/api/v1/messages")
    assert (wrong.status_code, wrong.json()["message_en"]) == (405, "this address does not take GET")
    assert set(wrong.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


def test_what_breaks_unforeseen_is_told_by_a_number_only(
    county: CountyOverHttp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """No trace and no text of the error leaves; the log has the place under the same number."""
    app = create_app(county.office)

    def fail(*_: object, **__: object) -> None:
        message = "王麦苗 341599199001010019"
        raise RuntimeError(message)

    monkeypatch.setattr("huilian.county.queries.reconciliation", fail)
    answer = app.test_client().get("/api/v1/statistics?month=2024-02", headers=county.headers())
    assert answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR
    assert answer.get_json()["code"] == "HL5007"
    logged = capsys.readouterr().out
    reference = answer.get_json()["message_en"].rsplit(" ", 1)[1]
    assert reference in logged
    assert "RuntimeError" in logged
    for text in (answer.get_data(as_text=True), logged):
        assert "王麦苗" not in text


# Operations


def test_the_process_is_alive_and_ready(county: CountyOverHttp):
    """Both without a token."""
    assert httpx.get(f"{county.url}/healthz").json() == {"status": "alive"}
    ready = httpx.get(f"{county.url}/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "checks": {"database": "ok"}})


def test_a_check_that_fails_makes_the_server_not_ready(county: CountyOverHttp):
    """It is named, and so is what failed; the process stays alive."""

    def broker() -> None:
        raise HostUnavailable("HL5002", what="gone")

    client = create_app(county.office, {"broker": broker, "disk": lambda: None}).test_client()
    answer = client.get("/readyz")
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert answer.get_json() == {"status": "not_ready", "checks": {"database": "ok", "broker": "HL5002", "disk": "ok"}}
    assert answer.headers["Retry-After"] == "5"
    assert client.get("/healthz").status_code == httpx.codes.OK


def test_metrics_tell_counts_and_no_persons(county: CountyOverHttp):
    """Requests, outbox, dead letters, submissions, age of ledgers and rejected rows."""
    text = httpx.get(f"{county.url}/metrics").text
    for line in (
        "huilian_database_up 1.0",
        "huilian_outbox_messages 0.0",
        'huilian_submissions{kind="loan_ledger",member="RCB01",status="accepted"} 2.0',
        f'huilian_rejected_rows{{kind="roster",member="341599"}} {float(ROSTER_DIRT)}',
        'huilian_ledger_age_days{member="RCB02"} +Inf',
    ):
        assert line in text.splitlines()
    assert 'huilian_http_requests_total{endpoint="/api/v1/receipts/{submission}",method="GET",status="200"}' in text
    assert 'huilian_ledger_age_days{member="RCB01"}' in text


@pytest.mark.parametrize(
    ("environ", "headers"),
    [
        ({"REMOTE_ADDR": "10.0.0.7"}, {}),
        ({"REMOTE_ADDR": "127.0.0.1"}, {"X-Forwarded-For": "10.0.0.7"}),
    ],
    ids=["from elsewhere", "through a proxy on this machine"],
)
def test_metrics_from_elsewhere_need_a_token(county: CountyOverHttp, environ: dict[str, str], headers: dict[str, str]):
    """Any valid one will do."""
    client = create_app(county.office).test_client()
    assert client.get("/metrics", environ_base=environ, headers=headers).status_code == httpx.codes.UNAUTHORIZED
    with_token = headers | county.headers("township")
    assert client.get("/metrics", environ_base=environ, headers=with_token).status_code == httpx.codes.OK


def test_a_request_is_logged_without_its_query_and_its_token(
    county: CountyOverHttp, capsys: pytest.CaptureFixture[str]
):
    """Method, path template, status and time, and which token it was by its label."""
    client = create_app(county.office).test_client()
    client.get("/api/v1/statistics?month=2024-02&product=SECRET", headers=county.headers("township"))
    client.get(f"/api/v1/receipts/{BANK}-SECRET", headers=county.headers())
    logged = capsys.readouterr().out
    assert "path=/api/v1/statistics reader=township status=200" in logged
    assert "path=/api/v1/receipts/{submission} reader=county status=404" in logged
    assert "SECRET" not in logged
    assert county.secrets["township"] not in logged


# Anything at all

_names = st.sampled_from(["region", "month", "by", "institution", "product", "since", "format", "member", "x"])
_values = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [COUNTY, TOWNSHIP, "341599000000", "0" * 12, "2024-02", "9999-12", "0001-01", "csv", "ndjson", "village", "-1"]
    ),
    st.integers(-(10**12), 10**12).map(str),
)


def test_no_question_whatever_breaks_the_server(county: CountyOverHttp):
    """Random parameters are answered or refused; none is a failure of the server."""
    client = create_app(county.office).test_client()

    @given(
        path=st.sampled_from(["feed/loans", "statistics", "differences", "submissions"]),
        query=st.dictionaries(_names, _values, max_size=5),
        token=st.sampled_from(["county", "township", BANK, OTHER_BANK]),
    )
    def ask(path: str, query: dict[str, str], token: str) -> None:
        answer = client.get(f"/api/v1/{path}", query_string=query, headers=county.headers(token))
        assert answer.status_code in {200, 400, 403}
        answer.get_data()
        answer.close()

    ask()


def test_no_message_whatever_breaks_the_server(county: CountyOverHttp):
    """Random seals and bodies are refused with a code and kept."""
    client = create_app(county.office).test_client()
    header = st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f")

    @given(seal=st.text(header, max_size=60), body=st.binary(max_size=60))
    def send(seal: str, body: bytes) -> None:
        answer = client.post("/api/v1/messages", data=body, headers={"Huilian-Seal": seal})
        assert (answer.status_code, answer.get_json()["code"]) == (400, "HL1009")

    send()


def test_a_home_without_its_database_is_alive_and_not_ready(county: CountyOverHttp):
    """The database is away: 503 with Retry-After for questions and messages, and metrics that say so."""
    client = create_app(county.office).test_client()
    pool = county.office.database
    real = pool.transaction

    def away(*_: object) -> Any:  # noqa: ANN401  # never returns
        raise HostUnavailable("HL5001", what="OperationalError")

    pool.transaction = away  # type: ignore[method-assign]  # for the length of this test
    try:
        answer = client.get("/api/v1/statistics?month=2024-02", headers=county.headers())
        assert (answer.status_code, answer.get_json()["code"]) == (503, "HL5001")
        assert answer.headers["Retry-After"] == "5"
        message = _message(county)
        assert client.post("/api/v1/messages", data=b"{}", headers={"Huilian-Seal": message.seal}).status_code == 503
        assert client.get("/readyz").get_json() == {"status": "not_ready", "checks": {"database": "HL5001"}}
        assert b"huilian_database_up 0.0" in client.get("/metrics").get_data()
        assert client.get("/healthz").status_code == httpx.codes.OK
    finally:
        pool.transaction = real  # type: ignore[method-assign]  # put back
