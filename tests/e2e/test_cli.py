"""The commands as an office gives them: the real `huilian`, on a data directory with the embedded PostgreSQL."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

import pytest

from adapters.sample_county import expected_figures, make
from huilian.adapters import loading
from huilian.database.connection import Database
from huilian.database.embedded_server import EmbeddedServer
from tests.support import processes
from tests.support.processes import HUILIAN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.sample_county import SampleFile

COUNTY = "341599"
BANK = ("--adapter", "rural_commercial_bank", "--member", "RCB01")
ROSTER = ("--adapter", "county_roster", "--member", COUNTY)
RECEIPT_KEYS = {
    *("submission", "status", "rows", "accepted", "rejected", "changed", "unchanged", "missing", "rejections"),
    "answer",
}
MONTHS = ("202401", "202402", "202403", "202404", "202405")
SECONDS = 120


def huilian(*arguments: str | Path, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a shell would."""
    return processes.run(*arguments, environment=variables(home) | environment)


def variables(home: Path) -> dict[str, str]:
    """Return the environment of a command that works with a data directory."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("HUILIAN_")}
    return ours | {"HUILIAN_HOME": str(home)}


@dataclass
class Office:
    """An office with the sample county's roster and five ledgers in it, and what the commands answered."""

    home: Path
    files: dict[str, SampleFile]
    database: Database
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def run(self, *arguments: str | Path, status: int = 0) -> str:
        """Run a command that must end with `status`, and return what it printed."""
        done = huilian(*arguments, home=self.home)
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def json(self, *arguments: str | Path, status: int = 0) -> Any:  # noqa: ANN401  # whatever the command answers
        """Run a command with `--json` and return what it answered."""
        return json.loads(self.run(*arguments, "--json", status=status))

    def push(self, name: str, *sender: str, status: int = 0) -> dict[str, Any]:
        """Push a file of the sample by its name and return the answer."""
        return dict(self.json("push", self.files[name].path, *sender, status=status))

    def execute(self, statement: str) -> None:
        """Run one statement as the database's superuser."""
        with self.database.transaction() as transaction:
            transaction.execute(statement)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Give the commands of a new office in their order; each must succeed on its own."""
    folder = tmp_path_factory.mktemp("office")
    home = folder / "home"
    files = {file.path.name: file for file in make(folder / "files")}
    first = [HUILIAN, "init", "--county", COUNTY, "--policy", "anhui"]
    subprocess.run(first, env=variables(home), check=True, capture_output=True)
    # Held from here on, so that no command has to start the server; several may use it at once.
    server = EmbeddedServer(home / "postgresql")
    server.start()
    with Database(server.owner_url) as database:
        made = Office(home, files, database)
        made.run("member", "add", "RCB01", "--kind", "bank", "--adapter", "rural_commercial_bank")
        roster = f"花名册_{COUNTY}_20240101.csv"
        made.answers[roster] = made.push(roster, *ROSTER)
        newest = "RCB01_LOAN_20240531.csv"
        made.answers[newest] = made.push(newest, *BANK)
        yield made
    server.stop()


@pytest.fixture(scope="module")
def five_months(office: Office) -> Office:
    """Give the office with the four older ledgers too, which came late and in one command."""
    names = [f"RCB01_LOAN_{month}{day}.csv" for month, day in zip(MONTHS, (31, 29, 31, 30), strict=False)]
    printed = office.run("push", *(office.files[name].path for name in names), *BANK, "--json")
    office.answers |= dict(zip(names, map(json.loads, printed.splitlines()), strict=True))
    return office


def test_a_receipt_counts_every_row(office: Office):
    """Exactly the published keys; the dirty rows of the file are the rejected ones."""
    for name, answer in office.answers.items():
        file = office.files[name]
        assert set(answer) == RECEIPT_KEYS
        assert answer["status"] == "accepted"
        assert (answer["rows"], answer["rejected"]) == (file.rows, file.dirty_rows)
        assert answer["accepted"] == file.rows - file.dirty_rows


def test_rejected_rows_come_back_in_the_banks_own_layout(office: Office):
    """A file beside the spooled submission: the bank's header, its rows, and why."""
    name = "RCB01_LOAN_20240531.csv"
    rejections = Path(office.answers[name]["rejections"])
    assert rejections.name == f"退回_{name}"
    header, *rows = rejections.read_bytes().decode("gb18030").splitlines()
    assert header.startswith("借据号,信贷合同号,户编号")
    codes = sorted(fault.code for fault in office.files[name].dirt)
    assert len(rows) == len(codes)
    assert all(any(code in row for row in rows) for code in codes)


def test_the_receipt_comes_back_in_the_banks_own_layout(office: Office):
    """Beside the rejected rows; the roster's sender is the county itself, which reads the command's own answer."""
    answer = office.answers["RCB01_LOAN_20240531.csv"]
    adapter = loading.find("rural_commercial_bank")
    settings = loading.settings_for(adapter, COUNTY, {})
    [receipt] = adapter.read_back(Path(answer["answer"]), "receipt/v2", settings).to_dicts()
    stated = {name: answer[name] for name in ("submission", "status", "rows", "accepted", "rejected", "missing")}
    assert stated.items() <= receipt.items()
    assert office.answers["花名册_341599_20240101.csv"]["answer"] is None


def test_pushing_a_file_again_gives_the_same_receipt(office: Office):
    """Also after the spool was lost, when it is translated and sealed anew."""
    name = "RCB01_LOAN_20240531.csv"
    first = office.answers[name]
    assert office.push(name, *BANK) == first
    shutil.rmtree(office.home / "spool" / first["submission"])
    assert office.push(name, *BANK) == first


def test_the_figures_are_those_of_the_county(five_months: Office):
    """Reckoned loan by loan in plain Python, for the county and a township, early and late."""
    ledgers = [each for each in five_months.json("submissions") if each["kind"] == "loan_ledger"]
    for month, region in (("2024-05", COUNTY), ("2024-02", "341599101")):
        found = five_months.json("stats", "--region", region, "--month", month)
        expected = expected_figures(month, None if region == COUNTY else region, banks=("RCB01",))
        [basis] = found.pop("rests_on")
        [ledger] = [each for each in ledgers if each["as_of"].startswith(month)]
        assert (basis["institution"], basis["as_of"]) == ("RCB01", ledger["as_of"])
        assert (basis["stated_rows"], basis["untaken_rows"]) == (ledger["rows"], ledger["rejected"])
        assert found == {"region": region, "month": month, "stale": []} | expected


def test_the_figures_of_the_parts_add_up(five_months: Office):
    """By township, in the answer for programs; the table names them for people."""
    found = five_months.json("stats", "--region", COUNTY, "--month", "2024-05", "--by", "township")
    assert [row["region"] for row in found["rows"]] == ["341599101", "341599102", "341599201"]
    assert sum(row["loans"] for row in found["rows"]) == found["loans"]
    table = five_months.run("stats", "--region", COUNTY, "--month", "2024-05", "--by", "township")
    assert f"{float(found['lent']):,.2f} 元" in table
    assert all(heading in table for heading in ("341599201", "不良率", "到期收回率", "万元"))


def test_an_institution_that_has_not_reported_is_named(five_months: Office):
    """In a line of its own, and in the answer for programs."""
    asked = ("stats", "--region", COUNTY, "--month", "2024-06")
    assert five_months.json(*asked)["stale"] == ["RCB01"]
    assert "2024-06 未报送台账的机构 (no ledger yet): RCB01" in five_months.run(*asked)


def test_the_feed_goes_on_where_the_cursor_stands(five_months: Office, tmp_path: Path):
    """Everything the first time, nothing the second; every row says which file and line it came from."""
    cursor = tmp_path / "cursor"
    asked = ("feed", "loans", "--region", COUNTY, "--cursor-file", cursor)
    first = huilian(*asked, home=five_months.home)
    rows = [json.loads(line) for line in first.stdout.splitlines()]
    assert len(rows) > five_months.files["RCB01_LOAN_20240531.csv"].rows - 10
    assert {row["source"]["file_name"] for row in rows} <= set(five_months.files)
    assert all("*" in row["identity_number"] for row in rows)
    assert f"下一游标 {cursor.read_text().strip()}" in first.stderr
    again = huilian(*asked, home=five_months.home)
    assert (again.returncode, again.stdout) == (0, "")


def test_the_feed_as_csv_opens_in_a_spreadsheet(five_months: Office):
    """A byte order mark, a header, as many rows as the feed has, and none outside the region."""
    header, *rows = five_months.run("feed", "loans", "--region", "341599101", "--format", "csv").splitlines()
    assert header.startswith("\ufeff机构,借据号,")
    assert header.endswith(",来源行号,签订日期,确认编号,展期续贷标志,原借据号")
    assert rows
    assert all(",341599101" in row for row in rows)


def test_a_reader_that_goes_away_is_no_error(five_months: Office):
    """As in `huilian feed loans … | head -1`."""
    command = f"'{HUILIAN}' feed loans --region {COUNTY} | head -1"
    environment = os.environ | {"HUILIAN_HOME": str(five_months.home)}
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, encoding="utf-8", check=True)
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr


def test_a_refused_file_changes_no_figure_and_the_office_knows_of_it(office: Office, tmp_path: Path):
    """A ledger cut short has no trailer: exit code 1, a receipt in the bank's own layout, one more on the scoreboard.

    Pushed again, it is the same submission; the file itself, whole, is still taken.
    """
    file = tmp_path / "RCB01_LOAN_20240531.csv"
    file.write_bytes(b"".join(office.files[file.name].path.read_bytes().splitlines(keepends=True)[:9]))
    asked = ("stats", "--region", COUNTY, "--month", "2024-05")
    before, figures = office.json("submissions"), office.json(*asked)
    done = huilian("push", file, *BANK, "--json", home=office.home)
    answer = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, f"HL3002：{answer['message']}\n")
    assert set(answer) == RECEIPT_KEYS | {"code", "message"}
    assert (answer["status"], answer["code"], answer["rows"], answer["changed"]) == ("refused", "HL3002", 0, 0)
    adapter = loading.find("rural_commercial_bank")
    settings = loading.settings_for(adapter, COUNTY, {})
    [receipt] = adapter.read_back(Path(answer["answer"]), "receipt/v2", settings).to_dicts()
    stated = {name: answer[name] for name in ("submission", "status", "rows", "code", "message")}
    assert stated.items() <= receipt.items()
    assert office.json("push", file, *BANK, status=1) == answer
    newest, *others = office.json("submissions")
    assert others == before
    shown = {name: newest[name] for name in ("submission", "kind", "status", "code", "rows", "file_name")}
    assert shown == {
        "submission": answer["submission"],
        "kind": "loan_ledger",
        "status": "refused",
        "code": "HL3002",
        "rows": 0,
        "file_name": file.name,
    }
    assert "已拒绝 HL3002" in office.run("submissions", "--member", "RCB01")
    assert office.json(*asked) == figures
    [ledgers] = [
        row
        for row in office.json("scoreboard", "--month", "2024-05")["rows"]
        if (row["institution"], row["kind"]) == ("RCB01", "loan_ledger")
    ]
    assert (ledgers["files"], ledgers["refused_files"]) == (1, 1)
    assert office.push(file.name, *BANK) == office.answers[file.name]


@pytest.mark.parametrize(
    ("sender", "code"),
    [
        (("--adapter", "rural_commercial_bank", "--member", "NOBODY"), "HL4001"),
        (("--adapter", "county_roster", "--member", "RCB01"), "HL7001"),
    ],
)
def test_a_push_in_the_wrong_name_is_a_usage_error(office: Office, sender: tuple[str, ...], code: str):
    """Exit code 2, in Chinese, nothing on standard output."""
    done = huilian("push", office.files["RCB01_REPAY_20240430.csv"].path, *sender, home=office.home)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"错误 {code}：")


def test_a_file_that_is_not_the_adapters_is_refused(office: Office):
    """The county's adapter does not take a bank's journal; the name it should have is said."""
    answer = office.json("push", office.files["RCB01_REPAY_20240430.csv"].path, *ROSTER, status=1)
    assert answer["code"] == "HL3005"
    assert "花名册_341599_20240101" in answer["message"]


def test_a_message_that_could_not_be_handled_is_kept_until_it_is_let_in(office: Office, tmp_path: Path):
    """A table that takes no journal, as after a fault of ours: mended, the kept bytes are let in."""
    name = "RCB01_REPAY_20240131.csv"
    failing = "CONSTRAINT broken CHECK (kind <> 'repayment_journal') NOT VALID"
    office.execute(f"ALTER TABLE huilian.submission ADD {failing}")
    answer = office.push(name, *BANK, status=1)
    assert (answer["status"], answer["code"]) == ("refused", "HL1012")
    assert answer["rows"] == office.files[name].rows
    [letter] = office.json("messages", "list")
    number = str(letter["number"])
    assert (letter["service"], letter["code"], letter["type"]) == ("registry", "HL1012", "submission_manifest")
    kept = tmp_path / "payload"
    shown = office.run("messages", "show", number, "--payload", kept)
    assert "handling the message failed: CheckViolation" in shown
    assert json.loads(kept.read_bytes())["file_name"] == name
    assert name not in shown, "the payload goes to the file only"
    assert kept.stat().st_mode & 0o077 == 0
    [again] = office.json("messages", "retry", number, status=1)
    assert (again["number"], again["handled"], again["code"]) == (letter["number"], False, "HL1012")
    office.execute("ALTER TABLE huilian.submission DROP CONSTRAINT broken")
    [retried] = office.json("messages", "retry", "--all")
    assert retried["handled"]
    assert office.json("messages", "list") == []
    assert office.json("audit", "list", "--last", "1")[0]["action"] == "message.retried"
    assert office.push(name, *BANK)["status"] == "accepted"


def test_of_a_suspended_bank_only_a_count_is_kept_and_its_file_is_sent_again(office: Office):
    """Resumed, it runs the same command; nobody at the county need do anything."""
    name = "RCB01_REPAY_20240229.csv"
    office.execute("UPDATE huilian.member SET suspended_at = now() WHERE code = 'RCB01'")
    answer = office.push(name, *BANK, status=1)
    assert (answer["status"], answer["code"], answer["message"]) == ("refused", "HL1013", "机构 RCB01 已停用")
    [counted] = office.json("messages", "list")
    assert (counted["number"], counted["service"], counted["code"], counted["times"]) == (None, "intake", "HL1013", 1)
    [sample] = office.json("messages", "samples")
    assert (sample["code"], sample["attributes"]["source"]) == ("HL1013", "RCB01")
    office.execute("UPDATE huilian.member SET suspended_at = NULL WHERE code = 'RCB01'")
    assert office.push(name, *BANK)["status"] == "accepted"


def test_a_revoked_key_signs_nothing_any_more_and_a_new_one_does(office: Office):
    """What was sealed with it is refused by its own code; the file is pushed anew after a rotation."""
    name = "RCB01_REPAY_20240331.csv"
    [kid] = [line.split()[0] for line in office.run("member", "key", "RCB01").splitlines() if "有效" in line]
    office.run("member", "key", "RCB01", "--revoke", kid[:12])
    refused = office.push(name, *BANK, status=1)
    assert refused["code"] == "HL1003"
    assert office.json("doctor")["status"] == "warn"
    office.run("member", "key", "RCB01", "--rotate")
    shutil.rmtree(office.home / "spool" / refused["submission"])
    assert office.push(name, *BANK)["status"] == "accepted"


def test_rebuilding_changes_no_figure(five_months: Office):
    """What was folded change by change is what the history gives at once."""
    asked = ("stats", "--region", COUNTY, "--month", "2024-05", "--by", "village")
    before = five_months.json(*asked)
    assert five_months.json("rebuild", "statistics") == {
        "service": "statistics",
        "messages": {"loans_changed": 1, "continuations_changed": 1, "compensations_changed": 0, "receipt": ANY},
    }
    assert five_months.json(*asked) == before


def test_what_does_not_match_is_listed(five_months: Office):
    """The same for programs and for people."""
    found = five_months.json("differences", "--region", COUNTY)
    assert f"共 {len(found):,} 条" in five_months.run("differences", "--region", COUNTY)


def test_submissions_are_listed_newest_first(five_months: Office):
    """With the counts of their receipts."""
    found = five_months.json("submissions", "--member", "RCB01")
    ledgers = [entry for entry in found if entry["kind"] == "loan_ledger"]
    assert [entry["file_name"] for entry in ledgers][-1] == "RCB01_LOAN_20240531.csv"
    assert ledgers[0]["accepted"] + ledgers[0]["rejected"] == ledgers[0]["rows"]


CONFIRMATION: dict[str, Any] = {
    "line": 1,
    "confirmation_no": "QR2024-0001",
    "institution": "RCB01",
    "household_no": "3415991012010001",
    "borrower_name": "张禾",
    "identity_number": "11010119900307002X",
    "region": "341599101201",
    "product": "XEXD01",
    "amount": "50000.00",
    "months": 36,
    "confirmed_date": "2024-05-31",
    "valid_until": None,
}


def test_a_confirmed_list_is_issued_once(office: Office, tmp_path: Path):
    """By line and field what is wrong, exit code 1; then sealed once, however often the command is given."""
    file = tmp_path / "确认名单.ndjson"
    records = [CONFIRMATION, CONFIRMATION | {"line": 2, "institution": "RCB02", "amount": "5万"}]
    file.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    asked = ("issue", "confirmations", file, "--for", "RCB01")
    refused = office.json(*asked, status=1)
    faults = [(fault["line"], fault["field"], fault["code"]) for fault in refused["faults"]]
    assert faults == [(2, "institution", "HL3060"), (2, "amount", "HL2002")]
    assert (refused["status"], refused["code"], refused["messages"]["new"]) == ("refused", "HL3061", 0)
    shown = office.run(*asked, status=1)
    assert "HL3060" in shown
    assert "institution 须为收件机构本身" in shown
    file.write_text(json.dumps(CONFIRMATION, indent=2), "utf-8")
    answers = [office.json(*asked)["messages"] for _ in range(2)]
    assert answers == [{"new": 1, "repeated": 0}, {"new": 0, "repeated": 1}]
    assert "此前已下发" in office.run(*asked)
    [*_, entry] = office.json("audit", "list", "--last", "1")
    assert (entry["action"], entry["subject"], entry["detail"]["records"]) == ("records.issued", "RCB01", 1)
    done = huilian("issue", "credit_records", file, "--for", "RCB01", home=office.home)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("错误 HL3064：")


def test_a_token_is_shown_once(office: Office):
    """Added, revoked, listed without its secret."""
    added = office.json("token", "add", "县农办", "--region", COUNTY)
    assert len(added["token"]) > 40
    office.run("token", "revoke", "县农办")
    [token] = office.json("token", "list")
    assert token["revoked_at"] is not None
    assert added["token"] not in token.values()


def test_the_doctor_finds_a_key_that_others_can_read(office: Office):
    """Exit code 1, and the command that mends it."""
    [*_, key] = sorted((office.home / "keys" / "RCB01").glob("*.pem"))
    key.chmod(0o644)
    found = office.json("doctor", status=1)
    [trouble] = [check for check in found["checks"] if check["status"] == "fail"]
    assert trouble["remedy"] == f"chmod go-rwx {key}"
    key.chmod(0o600)
    assert office.json("doctor")["status"] in ("ok", "warn")


def test_an_altered_audit_record_is_found(office: Office):
    """Even by the superuser, with the table's own guard out of the way."""
    whole = office.json("audit", "verify")
    assert len(whole["last_hash"]) == 64
    office.execute("ALTER TABLE huilian.audit DISABLE TRIGGER audit_is_append_only")
    office.execute("UPDATE huilian.audit SET subject = 'RCB99' WHERE number = 3")
    done = huilian("audit", "verify", home=office.home)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("错误 HL7006：审计日志第 3 条被改动或缺失：内容被改动")
    office.execute(f"UPDATE huilian.audit SET subject = '{COUNTY}' WHERE number = 3")
    assert office.json("audit", "verify")["records"] >= whole["records"]


@pytest.fixture
def server(five_months: Office) -> Iterator[str]:
    """Serve the office over HTTP on a free port, and give its address; it must stop cleanly."""
    environment = os.environ | {"HUILIAN_HOME": str(five_months.home)}
    command = [HUILIAN, "serve", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stderr is not None
        events = map(json.loads, process.stderr)
        yield next(event["address"] for event in events if event["event"] == "serving")
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        assert process.wait(SECONDS) == 0


def test_another_server_answers_as_this_machine_does(five_months: Office, server: str):
    """Figures, feed and receipts over HTTP, while other commands use the same data directory."""
    over = (
        "--to",
        server,
        "--token",
        five_months.json("token", "add", "e2e", "--region", COUNTY, "--purpose", "核对")["token"],
    )
    asked = ("stats", "--region", COUNTY, "--month", "2024-05", "--by", "product")
    assert five_months.json(*asked, *over) == five_months.json(*asked)
    feed = ("feed", "loans", "--region", "341599102", "--format", "csv")
    assert five_months.run(*feed, *over) == five_months.run(*feed)
    assert five_months.json("submissions", *over) == [
        entry | {"received_at": ANY, "applied_at": ANY} for entry in five_months.json("submissions")
    ]
    answer = five_months.push("RCB01_REPAY_20240331.csv", *BANK, *over)
    assert (set(answer), answer["status"]) == (RECEIPT_KEYS, "accepted")
    assert "令牌无效" in huilian(*asked, *over[:2], "--token", "nonsense", home=five_months.home).stderr


def test_the_demonstration_ends_with_its_summary(tmp_path: Path):
    """The figures are the sample's own, each institution got its answers in its own format, applications their way."""
    home = tmp_path / "demo"
    asked = ("demo", "--once", "--home", home, "--households", "288", "--seed", "7")
    done = huilian(*asked, home=tmp_path / "unused")
    assert (done.returncode, done.stderr) == (0, "")
    expected = expected_figures("2024-12", households=288, seed=7)
    [december] = [line for line in done.stdout.splitlines() if line.startswith("2024-12 ") and "%" in line]
    assert december.split()[1:3] == [str(expected["loans"]), str(expected["households"])]
    assert all(word in done.stdout for word in ("甲禾镇", "RCB01", f"{home}/files", "huilian stats"))
    assert not (tmp_path / "unused").exists()
    received = {path.name: path / "outbox" for path in (home / "members").iterdir()}
    assert {member: len([*outbox.glob("*RECEIPT*")]) for member, outbox in received.items()}["RCB01"] == 24
    rated, *changed = sorted(received["XY_341599"].iterdir())
    header, *records = rated.read_bytes().decode("utf-8-sig").splitlines()
    assert header == "主体类型,名称,证件号码,信用等级,授信额度,认定日期,有效期至,奖惩类型,奖惩事由,公示期"
    assert (len(records), len(changed)) == (84, 5)
    assert all("********" in record for record in records)
    [confirmed] = received["PSBC1522"].glob("PSBC1522_C_*.dat")
    shown = [line.split() for line in done.stdout.splitlines()]
    assert ["PSBC1522", "确认名单", "1", confirmed.name] in shown
    assert ["341599101", "甲禾镇", "94", "84", "9", "1", "1", "8", "1", "1"] in shown
    # Of three who applied one was confirmed and nobody lent, one refused after a step was late, one withdrew.
    assert ["PSBC1522", "xingan", "3", "1", "0", "1", "1", "1", "2"] in shown
    assert ["未经确认放款", "2"] in shown
    reasons = [line[4] for line in shown if line[1:3] == ["V341599101207", "贷款申请"]]
    assert [reason.partition("（")[2].partition("）")[0] for reason in reasons] == [
        *("amount_above", "term_above", "purpose_refused", "consent", "not_signed"),
    ]
    told = huilian("application", "show", "SQ20240001", "--json", home=home)
    assert [
        (line["on"][5:], line["institution"], line["state"].split("：")[0]) for line in json.loads(told.stdout)
    ] == [
        ("06-03", "V341599101207", "申请"),
        ("06-05", "V341599101207", "同意"),
        ("06-07", "T341599101", "同意"),
        ("06-12", "PSBC1522", "同意；按还款能力核定"),
        ("06-14", "341599", "同意，申请备付"),
        ("06-14", None, "已备付，确认"),
        ("06-14", None, "已备付"),
        ("08-02", "PSBC1522", "超期未办，已督办；截至 2024-06-30 的台账尚无此笔借据"),
        ("10-02", None, "逾期失效"),
        ("10-02", None, "已解除"),
    ]
