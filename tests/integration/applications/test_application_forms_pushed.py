"""Forms on their way: each member sends its own, fills in the list of what waits, and gets back what was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openpyxl

from huilian.adapters import loading
from huilian.cli.application import run
from huilian.county import service
from huilian.county.forms import outgoing_list, write_list
from huilian.hosts.embedded import EmbeddedHost, EmbeddedTransport
from huilian.institution import push
from huilian.wire import catalogue
from tests.support.applications import identity_number
from tests.support.builders.application_forms import GROUPS_1, applicant, fill_in, form_1
from tests.support.ratings import CLERK, COUNTY, HEAD, VILLAGE

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from huilian.institution.push import Pushed
    from tests.support.applications import ApplicationCounty

ADAPTER = loading.find("county_forms")


def sent(county: ApplicationCounty, path: Path, member: str) -> Pushed:
    """Push a form as a member does, and let the county carry all that it causes."""
    office = county.office
    with EmbeddedHost(office) as host:
        pushed = push.push(
            path,
            adapter=ADAPTER,
            member=member,
            home=office.home,
            settings=loading.settings_for(ADAPTER, COUNTY, {}),
            catalogue=catalogue.installed(),
            clock=office.clock,
            transport=EmbeddedTransport(office),
            seconds=30,
        )
        host.drain()
    return pushed


def counted(pushed: Pushed) -> tuple[str, int, int, int]:
    """Return what a receipt counts: whether it was accepted, and how much was accepted, rejected and changed."""
    receipt = pushed.receipt
    return receipt["status"], receipt["accepted"], receipt["rejected"], receipt["changed"]


def asked(county: ApplicationCounty, number: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the row of form 1 of a household of the county, dated today."""
    today = county.clock.today().isoformat()
    own = {
        "申请编号": f"A{number}", "户编号": f"H{number}", "申请人证件号码": identity_number(number), "村代码": VILLAGE,
        "贷款银行": "RCB01", "申请日期": today, "经办人代码": CLERK, "推荐日期": today, "推荐人代码": HEAD,
    }  # fmt: skip
    return applicant(number) | own | changes


def written(county: ApplicationCounty, folder: Path, name: str, receiver: str, **question: str) -> Path:
    """Write the list of a report, as `huilian report` does."""
    form = next(form for form in service.forms() if form.name == name)
    office = county.office
    asked = {"region": COUNTY} | question
    with office.database.snapshot() as transaction:
        found = service.query(form.query).ask(
            transaction,
            asked,
            today=office.clock.today(),
            kinds=service.kinds(),
            context=lambda: office.context,
        )
        contract = catalogue.installed().named(form.dataschema)
        on = office.clock.today()
        outgoing = outgoing_list(form, found.content, contract, asked=asked, receiver=receiver, on=on)
    folder.mkdir(exist_ok=True)
    return write_list(outgoing, ADAPTER, loading.settings_for(ADAPTER, COUNTY, {}), folder)


def decided(county: ApplicationCounty, verb: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what people write into a list."""
    today = county.clock.today()
    return {f"{verb}意见": "同意", f"{verb}日期": today, f"{verb}人代码": HEAD, "盖章": "是"} | changes


def test_forms_1_to_3_bring_an_application_to_its_confirmation(county: ApplicationCounty, tmp_path: Path):
    """Each list has what is known, masked, with the opinions so far; people add their own and send it back."""
    file = form_1(tmp_path, asked(county, 1), file=_name(county, "业务申请表", VILLAGE), groups=_GROUPS)
    assert counted(sent(county, file, "VILL1")) == ("accepted", 2, 0, 2)
    assert county.stands("A1") == ("in_review", "township_review")
    none = written(county, tmp_path / "0", "due_applications", "RCB01", step="bank_verification")
    assert (none.name, _rows(none)) == (_name(county, "核查反馈表", "RCB01"), [])
    step = {"step": "township_review"}
    form_2 = written(county, tmp_path / "2", "due_applications", "TOWN1", **step)
    assert form_2.name == _name(county, "申请汇总表", "TOWN1")
    [row] = _rows(form_2)
    assert (row["申请编号"], row["申请人"], row["申请金额"], row["贷款用途"]) == ("A1", "户主甲", 30000, "养殖")
    assert row["证件号码"] == identity_number(1)[:6] + "********" + identity_number(1)[-4:]
    assert "同意，生产经营情况：养羊二十只；个人信誉情况：良好" in row["以前各步意见"]
    fill_in(form_2, {"A1": decided(county, "审核", 集体信用等级="良好", 核定金额=20000)})
    assert counted(sent(county, form_2, "TOWN1")) == ("accepted", 1, 0, 1)
    found = written(county, tmp_path / "3", "due_applications", "RCB01", step="bank_verification", institution="RCB01")
    assert found.name == _name(county, "核查反馈表", "RCB01")
    assert _rows(found)[0]["申请金额"] == 20000
    fill_in(found, {"A1": decided(county, "核查", 征信情况="无逾期")})
    assert counted(sent(county, found, "RCB01")) == ("accepted", 1, 0, 1)
    form_3 = written(county, tmp_path / "4", "due_applications", COUNTY, step="county_confirmation")
    assert form_3.name == _name(county, "确认表", COUNTY)
    fill_in(form_3, {"A1": decided(county, "确认", 系统核对情况="一致")})
    assert counted(sent(county, form_3, COUNTY)) == ("accepted", 1, 0, 1)
    assert county.stands("A1") == ("confirmed", "lend")
    # Sealed by the registry, and by the platform for the bank.
    assert {each["amount"] for each in county.sent("confirmations", "RCB01")} == {"20000.00"}


def test_a_line_that_the_county_refuses_comes_back_in_the_workbook_and_is_all_that_is_sent_again(
    county: ApplicationCounty, tmp_path: Path
):
    """Beside the rows that were rejected before; what was accepted stands."""
    unsigned = asked(county, 2, 已签字家庭成员人数=1, 本人签字="是")
    wrong = asked(county, 3, 申请金额="三万")
    name = _name(county, "业务申请表", VILLAGE)
    file = form_1(tmp_path, asked(county, 1), unsigned, wrong, file=name, groups=_GROUPS)
    pushed = sent(county, file, "VILL1")
    assert counted(pushed) == ("accepted", 2, 3, 2)
    assert county.stands("A1") == ("in_review", "township_review")
    told = [(each["type"], each["line"], each["code"], each["reference"]) for each in pushed.receipt["refusals"]]
    assert told == [("applications", 5, "HL1070", "A2"), ("application_steps", 5, "HL1072", "A2")]
    assert pushed.rejections is not None
    assert pushed.rejections.name == f"退回_{name}"
    rows = _rows(pushed.rejections, header=3)
    assert [(row["申请编号"], row["错误代码"]) for row in rows] == [("A2", "HL1070；HL1072"), ("A3", "HL2002")]
    retry = tmp_path / "retry" / pushed.rejections.name
    retry.parent.mkdir()
    retry.write_bytes(pushed.rejections.read_bytes())
    fill_in(retry, {"A2": {"已签字家庭成员人数": 2}})
    again = sent(county, retry, "VILL1")
    assert counted(again) == ("accepted", 2, 1, 2)
    assert county.stands("A2") == ("in_review", "township_review")
    assert county.rows("SELECT count(*) AS n FROM registry.application") == [{"n": 2}]


def test_a_step_out_of_turn_is_refused_in_the_list_and_the_others_are_taken(county: ApplicationCounty, tmp_path: Path):
    """A list that lay too long: what was decided meanwhile is told, line by line."""
    rows = [asked(county, number) for number in (1, 2)]
    sent(county, form_1(tmp_path, *rows, file=_name(county, "业务申请表", VILLAGE), groups=_GROUPS), "VILL1")
    form_2 = written(county, tmp_path / "2", "due_applications", "TOWN1", step="township_review")
    assert county.decide("A1", "township_review") is None
    back = decided(county, "审核", 审核意见="退回", 退回到="村推荐", 理由="缺征信授权书")
    fill_in(form_2, {"A1": decided(county, "审核", 核定金额=10000), "A2": back})
    pushed = sent(county, form_2, "TOWN1")
    assert counted(pushed) == ("accepted", 1, 1, 1)
    [refusal] = pushed.receipt["refusals"]
    assert (refusal["reference"], refusal["code"]) == ("A1", "HL1073")
    assert "此步骤已办理，无需重办" in refusal["message"]
    assert county.stands("A2") == ("in_review", "village_recommendation")


def test_households_in_need_are_listed_for_form_1(county: ApplicationCounty, tmp_path: Path):
    """The village adds what they ask for; one that has applied is no more in the list."""
    with county.transaction() as transaction:
        transaction.execute("UPDATE registry.person SET needs = '养羊' WHERE is_head = 'yes'")
    listed = written(county, tmp_path / "1", "borrowers_in_need", "VILL1")
    assert listed.name == _name(county, "业务申请表", "VILL1")
    assert [(row["户编号"], row["户主姓名"], row["需求"]) for row in _rows(listed)] == [
        ("H1", "户主甲", "养羊"),
        ("H2", "户主甲", "养羊"),
    ]
    own = {name: value for name, value in asked(county, 2).items() if name not in {"序号", "村代码"}}
    fill_in(listed, {"H2": {name: value for name, value in own.items() if name in _rows(listed)[0]}}, by="户编号")
    assert counted(sent(county, listed, "VILL1")) == ("accepted", 2, 0, 2)
    assert [row["户编号"] for row in _rows(written(county, tmp_path / "2", "borrowers_in_need", "VILL1"))] == ["H1"]


def test_a_command_writes_the_list_into_a_folder_under_the_name_by_which_it_is_sent(
    county: ApplicationCounty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Or to a file; that somebody read it is in the audit log."""
    assert county.apply("A1") is None
    assert county.decide("A1", "village_recommendation") is None
    monkeypatch.setenv("HUILIAN_HOME", str(county.office.home.folder))
    command = ["report", "due_applications", "--region", "341599101", "--step", "township_review", "--why", "乡镇审核"]
    assert run([*command, "--out", str(tmp_path)]) == 0
    [made] = tmp_path.iterdir()
    assert made.name.startswith("申请汇总表_341599101_")
    assert ADAPTER.recognise(made.name) is not None
    assert [row["申请编号"] for row in _rows(made)] == ["A1"]
    assert run([*command, "--out", str(tmp_path / "名单.xlsx")]) == 0
    assert [row["申请编号"] for row in _rows(tmp_path / "名单.xlsx")] == ["A1"]
    assert run(["report", "application_form", "A1", "--why", "存档", "--out", str(tmp_path / "申请表.pdf")]) == 0
    assert (tmp_path / "申请表.pdf").read_bytes().startswith(b"%PDF-")
    capsys.readouterr()
    reads = county.rows("SELECT count(*) AS n FROM huilian.audit WHERE detail ->> 'why' IN ('乡镇审核', '存档')")
    assert reads == [{"n": 3}]


_GROUPS = {"申请编号": "农牧户申请"} | GROUPS_1


def _name(county: ApplicationCounty, title: str, of: str) -> str:
    return f"{title}_{of}_{county.clock.today():%Y%m%d}.xlsx"


def _rows(path: Path, header: int = 3) -> list[dict[str, Any]]:
    """Return the rows of a list or form by the names of their columns."""
    [sheet] = openpyxl.load_workbook(path).worksheets
    upper, lower = ([cell.value for cell in sheet[number]] for number in (header - 1, header))
    names = [low or up for low, up in zip(lower, upper, strict=True)]
    return [dict(zip(names, row, strict=True)) for row in sheet.iter_rows(min_row=header + 1, values_only=True)]
