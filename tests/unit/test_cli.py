"""The command line, as far as it needs no database: help, usage, exit codes, and a machine without an office."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from huilian import __version__
from huilian.cli import demo, screen, session
from huilian.cli.application import app, run
from huilian.core.errors import UsageError, kept
from huilian.settings import Home, Settings
from huilian.wire.keys import PublicKey
from services.statistics import presentation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

REPAYMENTS = """借据号,交易流水号,交易日期,归还本金,归还利息,渠道
RCB20220100001,LS20240131000001,20240103,100.00,1.50,柜面
RCB20220100002,LS20240131000002,20240104,200.00,2.50,柜面
合计,2,{total},4.00
"""
PUSH = ["--adapter", "rural_commercial_bank", "--member", "RCB01"]
NOWHERE = "http://127.0.0.1:9"
"""The discard port, where nobody listens."""


def command_paths(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:  # noqa: ANN401  # typer's own
    """Yield every command and group there is."""
    yield path
    if hasattr(command, "list_commands"):
        command.list_commands(None)  # loads the services, whose queries have commands too
    for name, inner in getattr(command, "commands", {}).items():
        yield from command_paths(inner, (*path, name))


ALL_COMMANDS = list(command_paths(typer.main.get_command(app)))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Name a data directory that is not set up, and leave the logs as the other tests have them."""
    monkeypatch.setenv("HUILIAN_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HUILIAN_TOKEN", raising=False)
    monkeypatch.setattr(session, "log", lambda *_: None)
    return Home(tmp_path / "home", {})


@pytest.fixture
def journal(tmp_path: Path) -> Callable[[str], Path]:
    """Return what writes a repayment journal whose trailer states a total."""

    def write(total: str) -> Path:
        path = tmp_path / "RCB01_REPAY_20240131.csv"
        path.write_bytes(REPAYMENTS.format(total=total).encode("gb18030"))
        return path

    return write


def errors(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what was printed on standard error, nothing having been printed on standard output."""
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


@pytest.mark.parametrize("path", ALL_COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_examples(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    """The help says what a command does in Chinese and English, and shows it at work."""
    assert run([*path, "--help"]) == 0
    text = capsys.readouterr().out
    assert "例 (examples):" in text
    assert " ".join(("huilian", *path)) in text


def test_the_commands_are_the_published_ones():
    """A command that is renamed breaks somebody's script."""
    assert {" ".join(path) for path in ALL_COMMANDS if path} == {
        *("feed subsidies", "subsidy", "subsidy preview", "subsidy show", "subsidy queue"),
        *("subsidy postings", "subsidy posted", "subsidy objections", "subsidy payments"),
        *("subsidy run", "subsidy post", "subsidy object", "subsidy answer", "subsidy approve", "subsidy pay"),
        *("subsidy reconcile", "subsidy card"),
        *("false-claim", "false-claim list", "false-claim open", "false-claim decide", "false-claim claw"),
        *(
            "init",
            "push",
            "submit",
            "issue",
            "stats",
            "differences",
            "submissions",
            "scoreboard",
            "serve",
            "doctor",
            "adapters",
            "demo",
        ),
        *(
            "feed",
            "feed loans",
            "feed households",
            "feed guarantees",
            "feed ratings",
            "feed household_ratings",
            "feed policies",
            "feed claims",
            "feed scoreboard",
        ),
        *("application", "application show", "applications", "feed applications"),
        *("feed due_applications", "report borrowers_in_need", "report due_applications"),
        *("insurance", "insurance product", "insurance premium", "insurance settle"),
        *("consequence", "consequence post", "feed consequences"),
        *("feed insurance_products", "feed premiums", "feed premium_differences", "feed uncovered_loans"),
        "feed insurance_results",
        *("fund", "fund show", "feed fund_entries", "feed fund_postings", "feed reservations"),
        *("feed set_aside", "fund pots", "fund limits", "fund dues", "fund term-deposits", "fund alarms"),
        "fund rewards",
        *("subsidy", "subsidy preview", "subsidy show", "subsidy queue", "feed subsidies"),
        *(
            "feed insurance_products",
            "feed insurance_results",
            "feed premium_differences",
            "feed premiums",
            "feed uncovered_loans",
        ),
        *("feed consents", "feed enterprises", "feed led_households", "feed agreements"),
        *("feed service_areas", "feed suspensions", "needs"),
        *("member", "member add", "member list", "member key"),
        *("member request", "member approve", "member approval", "member welcome", "member rotate", "member announce"),
        *("person", "person add", "person list", "person end"),
        *("member suspend", "member resume", "member leave", "broker", "broker permissions"),
        *("token", "token add", "token list", "token purpose", "token revoke"),
        *("messages", "messages list", "messages show", "messages retry", "messages samples"),
        "messages dismiss",
        *("audit", "audit verify", "audit list", "audit reads", "rebuild"),
        *("adapter", "adapter new", "adapter check"),
        *("household", "household show"),
        *("feed applications", "feed fund_entries", "feed fund_postings", "feed reservations"),
        *("application", "application show", "applications", "fund", "fund show"),
        *("breaker", "breaker show"),
        *("fund deposit", "fund withdraw", "fund reverse", "fund approve", "fund place", "fund end", "fund receive"),
        *("fund pay", "fund village", "fund reserve", "fund release"),
        *("compensation", "compensation ask", "compensation decide", "compensation show", "compensation reconcile"),
        *("fund compensate", "fund recover", "fund return", "fund collect", "fund write-off"),
        *("feed collections", "feed compensations", "compensation_form", "report compensation_form"),
        *("rated_villages", "rating_steps", "rating_postings", "rating_objections", "rating_groups"),
        *("rating_form", "report", "report rating_form"),
        *("application_form", "report application_form", "feed due_applications"),
        *("report due_applications", "report borrowers_in_need"),
        *("policy", "policy check", "policy explain", "policy diff", "policy cases", "policy try"),
        *("edge", "edge dismiss", "edge init", "edge run", "edge status", "bundle", "bundle write", "bundle read"),
    }


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]):
    """It is the package's own."""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"huilian {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "chinese", "command"),
    [
        (["push", "--nonsense"], "没有这个选项", "huilian push"),
        (["push"], "缺少参数", "huilian push"),
        (["nonsense"], "没有这个命令", "huilian"),
        (["audit", "list", "--last", "0"], "参数无效", "huilian audit list"),
    ],
)
def test_a_misspelt_command_is_answered_with_where_its_help_is(
    arguments: list[str], chinese: str, command: str, capsys: pytest.CaptureFixture[str]
):
    """Exit code 2, what is wrong in Chinese, and where to read on."""
    assert run(arguments) == 2
    text = errors(capsys)
    assert f"用法错误：{chinese}" in text
    assert f"{command} --help" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["stats", "--region", "341599", "--month", "2024-05"],
        ["feed", "loans", "--region", "341599"],
        ["member", "list"],
        ["member", "add", "RCB01", "--kind", "bank"],
        ["messages", "list"],
        ["audit", "verify"],
        ["rebuild", "statistics"],
        ["serve"],
    ],
    ids=" ".join,
)
def test_without_a_data_directory_every_command_says_how_to_make_one(
    arguments: list[str], home: Home, capsys: pytest.CaptureFixture[str]
):
    """Exit code 2, in Chinese and in English."""
    assert run(arguments) == 2
    text = errors(capsys)
    assert f"错误 HL6001：目录 {home.folder} 尚未初始化；请先运行 huilian init --county" in text
    assert f"{home.folder} is not set up; run: huilian init --county CODE" in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["stats", "--region", "341599", "--month", "2024-05", "--by", "county"], "HL7001"),
        (["feed", "loans", "--region", "341599", "--format", "xml"], "HL7001"),
        (["token", "add", "somebody"], "HL7001"),
        (["token", "add", "somebody", "--region", "341599", "--member", "RCB01"], "HL7001"),
        (["messages", "retry"], "HL7001"),
        (["messages", "retry", "3", "--all"], "HL7001"),
        (["member", "key", "RCB01", "--rotate", "--export"], "HL7001"),
        (["serve", "--host", "elsewhere"], "HL6006"),
        (["init", "--county", "3415", "--policy", "anhui"], "HL6006"),
        (["init", "--county", "341599", "--policy", "nobody"], "HL6003"),
        (["stats", "--region", "341599", "--month", "2024-05", "--to", "ftp://example"], "HL7001"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_options_that_make_no_sense_are_refused_before_anything_is_opened(
    arguments: list[str], code: str, capsys: pytest.CaptureFixture[str]
):
    """Exit code 2 and the code of what is wrong."""
    assert run(arguments) == 2
    assert f"错误 {code}：" in errors(capsys)


def test_a_member_needs_an_adapter_that_exists_and_fits(home: Home, capsys: pytest.CaptureFixture[str]):
    """Both are found before a database is started."""
    home.create(Settings("341599", "anhui"))
    assert run(["member", "add", "RCB01", "--kind", "bank", "--adapter", "nobody"]) == 2
    assert "错误 HL6004：没有名为 nobody 的适配器" in errors(capsys)
    assert run(["member", "add", "RCB01", "--kind", "insurer", "--adapter", "rural_commercial_bank"]) == 2
    assert "(the adapter is for): bank" in errors(capsys)


def test_pushing_needs_a_file_an_adapter_and_an_office(
    journal: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """What is missing is a usage error, exit code 2, and no answer about a file."""
    file = str(journal("300.00"))
    assert run(["push", str(tmp_path / "nothing.csv"), *PUSH]) == 2
    assert "错误 HL3010：" in errors(capsys)
    assert run(["push", file, "--adapter", "nobody", "--member", "RCB01"]) == 2
    assert "错误 HL6004：" in errors(capsys)
    assert run(["push", file, *PUSH]) == 2
    assert "错误 HL6001：" in errors(capsys)


def test_a_machine_without_an_office_needs_a_key_and_a_county(
    journal: Callable[[str], Path], home: Home, capsys: pytest.CaptureFixture[str]
):
    """What the office would know must be said."""
    file = str(journal("300.00"))
    assert run(["push", file, *PUSH, "--to", NOWHERE, "--county", "341599"]) == 2
    assert "错误 HL4006：没有 RCB01 的私钥" in errors(capsys)
    home.keys.create("RCB01")
    assert run(["push", file, *PUSH, "--to", NOWHERE]) == 2
    assert "give --county" in errors(capsys)
    assert run(["push", file, *PUSH, "--to", "ftp://example", "--county", "341599"]) == 2
    assert "amqps://" in errors(capsys)


def test_a_server_that_is_away_leaves_the_file_spooled(
    journal: Callable[[str], Path], home: Home, capsys: pytest.CaptureFixture[str]
):
    """Exit code 3; the file is translated and sealed, and the same command goes on later."""
    home.keys.create("RCB01")
    arguments = ["push", str(journal("300.00")), *PUSH, "--to", NOWHERE, "--county", "341599"]
    assert run([*arguments, "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["submission"].startswith("RCB01-repayment_journal-20240131-")
    assert (answer["status"], answer["rows"], answer["rejected"], answer["code"]) == ("spooled", 2, 0, "HL5003")
    assert (home.spool / answer["submission"] / "manifest.json").exists()
    assert run([*arguments, str(journal("300.00"))]) == 3
    printed = capsys.readouterr()
    assert "再次运行同一命令即可继续" in printed.out
    assert "其余 1 个文件未报送" in printed.err


def test_a_refused_file_is_answered_like_a_receipt(
    journal: Callable[[str], Path], home: Home, capsys: pytest.CaptureFixture[str]
):
    """A trailer that does not agree: exit code 1, the same keys, the reason in Chinese, nothing of it spooled.

    The county is away, and nobody waits for it before the reason is said.
    """
    home.keys.create("RCB01")
    arguments = ["push", str(journal("300.01")), *PUSH, "--to", NOWHERE, "--county", "341599"]
    assert run([*arguments, "--json"]) == 1
    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    message = answer.pop("message")
    digest = hashlib.sha256((home.folder.parent / "RCB01_REPAY_20240131.csv").read_bytes()).hexdigest()
    name = f"RCB01-repayment_journal-20240131-{digest[:16]}-HL3001"
    assert answer == {
        "submission": name,
        "status": "refused",
        **dict.fromkeys(("rows", "accepted", "rejected", "changed", "unchanged", "missing"), 0),
        "rejections": None,
        "answer": None,
        "code": "HL3001",
    }
    assert "归还本金 合计行为 300.01，明细为 300.00" in message
    assert [path.name for path in home.spool.iterdir()] == [name]
    reason, sentence = printed.err.splitlines()
    assert reason == f"HL3001：{message}"
    assert sentence.startswith("这次退回尚未告知县里（HL5003：")
    assert sentence.endswith("再次运行同一命令即可告知 (the county has not been told; the same command will tell it)")
    assert run(arguments) == 1
    again = capsys.readouterr()
    assert "已拒绝 (refused)" in again.out
    assert again.out.count(message) == 1
    assert again.err.startswith("这次退回尚未告知县里")


def test_a_file_of_which_nothing_can_be_told_is_refused_and_the_county_is_not_asked(
    tmp_path: Path, home: Home, capsys: pytest.CaptureFixture[str]
):
    """A name that says neither kind nor date: there is no submission, and nothing is spooled."""
    home.keys.create("RCB01")
    file = tmp_path / "随便.csv"
    file.write_text("不是约定的文件")
    assert run(["push", str(file), *PUSH, "--to", NOWHERE, "--county", "341599", "--json"]) == 1
    printed = capsys.readouterr()
    assert (json.loads(printed.out)["submission"], json.loads(printed.out)["code"]) == (None, "HL3005")
    assert printed.err == ""
    assert not home.spool.exists() or list(home.spool.iterdir()) == []


@pytest.mark.parametrize("settings", [None, '[adapters.guarantee_company]\nunit = "yuan"\n'])
def test_an_institution_makes_its_own_key_and_trusts_the_countys(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: str | None
):
    """On a machine without an office the public key is printed, to be handed over; settings of adapters make none."""
    if settings:
        home.folder.mkdir(parents=True, exist_ok=True)
        home.file.write_text(settings, "utf-8")
    assert run(["member", "key", "RCB01", "--rotate"]) == 0
    printed = capsys.readouterr()
    assert PublicKey.from_pem(printed.out) == home.keys.current("RCB01").public
    assert "huilian member add|key RCB01 --public-key FILE" in printed.err
    file = tmp_path / "HUILIAN.pem"
    file.write_text(printed.out)
    trust = ["member", "key", "HUILIAN", "--public-key", str(file)]
    key = home.keys.current("RCB01").public
    assert run(trust) == 2
    assert "请用 --fingerprint 给出对方电话中读出的密钥指纹" in errors(capsys)
    assert run([*trust, "--fingerprint", "0" * 40]) == 2
    assert f"错误 HL4013：密钥指纹不符：文件 HUILIAN.pem 中为 {key.fingerprint}" in errors(capsys)
    assert home.trusted_keys("HUILIAN") == []
    assert run([*trust, "--fingerprint", key.fingerprint]) == 0
    assert home.trusted_keys("HUILIAN") == [key]
    assert run(trust) == 0


def test_a_file_without_a_public_key_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Missing, or something else: both are said."""
    file = tmp_path / "key.pem"
    assert run(["member", "key", "HUILIAN", "--public-key", str(file)]) == 2
    assert "错误 HL3010：" in errors(capsys)
    file.write_bytes(b"\xff\xfe no key")
    assert run(["member", "key", "HUILIAN", "--public-key", str(file)]) == 2
    assert "Ed25519" in errors(capsys)


def test_the_doctor_says_what_to_do_about_a_missing_office(home: Home, capsys: pytest.CaptureFixture[str]):
    """What cannot be looked at is left out; the exit code is 1."""
    assert run(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "fail"
    [check] = found["checks"]
    assert check["status"] == "fail"
    assert check["what"].startswith(f"HL6001 目录 {home.folder} 尚未初始化")


def test_the_demonstration_empties_no_directory_of_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """What holds anything and was not made by it stays as it is."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter").write_text("dear")
    assert run(["demo", "--once", "--home", str(mine)]) == 2
    assert "不是演示目录" in errors(capsys)
    assert [path.name for path in mine.iterdir()] == ["letter"]


def test_the_demonstration_starts_anew_in_its_own_directory(tmp_path: Path):
    """What it left there the last time goes, unless the one before still runs."""
    own = tmp_path / "demo-data"
    with demo.held(own):
        (own / "files").mkdir()
        (own / "files" / "ledger.csv").write_text("old")
        (own / "huilian.toml").write_text("old")
        with pytest.raises(UsageError, match="still running"), demo.held(own):
            pass
        assert (own / "huilian.toml").exists()
    with demo.held(own):
        assert [path.name for path in own.iterdir()] == [demo.MARK]


def test_the_adapters_are_listed(capsys: pytest.CaptureFixture[str]):
    """With what they read and write, and the settings they take."""
    assert run(["adapters", "--json"]) == 0
    found = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    bank = found["rural_commercial_bank"]
    assert bank["kinds"] == ["bank"]
    assert bank["reads"]["loan_ledger"] == "RCB01_LOAN_20240531.csv"
    assert bank["writes"]["confirmations/v1"] == "RCB01_CONFIRM_20240531_001.csv"
    assert bank["settings"]["encoding"]["default"] == "GB18030"
    assert run(["adapters"]) == 0
    shown = capsys.readouterr().out
    assert "RCB01_CONFIRM_20240531_001.csv" in shown
    assert "encoding（" in shown


@pytest.mark.parametrize(
    ("code", "facts", "chinese"),
    [
        ("HL1004", {"member": "RCB01", "type": "roster"}, "机构 RCB01 无权发送 roster"),
        ("HL1001", {}, "签名与内容不符，报文可能被改动"),
        ("HL1004", None, "as it was kept"),
        ("HL1004", {"member": "RCB01"}, "as it was kept"),
        ("HL0000", {"member": "RCB01"}, "as it was kept"),
    ],
)
def test_a_kept_refusal_is_told_in_chinese(code: str, facts: dict[str, object] | None, chinese: str):
    """From its facts; what an older or a newer version kept is shown as it was kept."""
    found = kept(code, facts, "as it was kept")
    assert (found.code, found.chinese) == (code, chinese)


def test_figures_are_written_as_people_write_them():
    """Thousands separated, ten thousands rounded half up, ratios in per cent."""
    assert screen.amount("30481000.00") == "30,481,000.00"
    assert screen.ten_thousands("30481050.00") == "3,048.11"
    assert (screen.percent("0.025050"), screen.percent(None)) == ("2.51%", None)
    assert screen.moment(dt.datetime(2024, 6, 1, 1, 30, tzinfo=dt.UTC)) == "2024-06-01 09:30"


def test_parts_are_shown_with_a_bar_for_the_balance(capsys: pytest.CaptureFixture[str]):
    """The longest bar is the largest balance; without a denominator there is a dash."""
    row = dict.fromkeys(("loans", "households"), 1200) | dict.fromkeys(
        ("lent", "overdue_balance", "bad_balance"), "0.00"
    )
    ratios: dict[str, Any] = dict.fromkeys(("bad_loan_ratio", "due_loan_recovery_rate"))
    rows = [("甲", row | ratios | {"balance": "200.00"}), ("乙", row | ratios | {"balance": "100.00"})]
    screen.show(presentation.parts("乡镇", rows, width=180))
    text = capsys.readouterr().out
    first, second = (next(line for line in text.splitlines() if name in line) for name in "甲乙")
    assert (first.count("▇"), second.count("▇")) == (12, 6)
    assert "1,200" in first
    assert first.count("—") == 2


def test_no_figure_is_ever_cut(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """In a terminal that is too narrow the bars go first, then lines are broken by the terminal, not by us."""
    monkeypatch.setattr(screen, "WIDTH_WITHOUT_TERMINAL", 40)
    row: dict[str, Any] = dict.fromkeys(("loans", "households"), 1234567) | dict.fromkeys(
        ("lent", "balance", "overdue_balance", "bad_balance"), "1234567890123.45"
    )
    ratios = dict.fromkeys(("bad_loan_ratio", "due_loan_recovery_rate"), "0.123456")
    screen.show(presentation.parts("村", [("341599101201", row | ratios)], width=40))
    text = capsys.readouterr().out
    assert "▇" not in text
    assert text.count("1,234,567 ") == 2
    assert text.count("123,456,789.01") == 4
    assert text.count("12.35%") == 2
    assert "341599101201" in text
