"""Forms of applications: form 1 with the village's opinion, form 2, what a bank found, form 3, and lists to fill in."""

from __future__ import annotations

import datetime as dt
import string
from typing import TYPE_CHECKING, Any, Final

import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from adapters.county_forms import adapter
from adapters.county_forms.application_layout import FORMS, STEPS
from huilian.adapters import REFUSALS, FileIdentity, Outgoing
from huilian.conformance import generation
from huilian.core.errors import FileRefused, describe
from huilian.wire import catalogue
from tests.support.builders.application_forms import (
    APPLICANTS,
    FORM_1,
    FORM_2,
    GROUPS_1,
    GROUPS_2,
    VILLAGE,
    applicant,
    fill_in,
    form_1,
    form_2,
    review,
    settings,
)
from tests.support.builders.delimited_files import errors
from tests.support.builders.rating_forms import tab
from tests.support.builders.workbooks import Archive, Tab

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.adapters import AdapterSettings, Piece

USUAL: Final = settings()
DAY: Final = dt.date(2024, 5, 31)
NUMBER_1: Final = f"{VILLAGE}-0001-20240320"


def pieces(path: Path, told: AdapterSettings = USUAL) -> list[Piece]:
    """Return what a file is read as."""
    identity = adapter.recognise(path.name)
    assert identity is not None
    return list(adapter.read(path, identity, told))


def read(path: Path, told: AdapterSettings = USUAL) -> dict[str, list[dict[str, Any]]]:
    """Return the records of a file by their type; none is rejected."""
    found = pieces(path, told)
    assert [error for piece in found for error in errors(piece.rejections)] == []
    return {str(piece.type): piece.accepted.to_dicts() for piece in found}


def rejected(path: Path, told: AdapterSettings = USUAL) -> list[tuple[int, str, str]]:
    """Return line, field and code of everything that is wrong with a file's rows."""
    return [error for piece in pieces(path, told) for error in errors(piece.rejections)]


def refusal(path: Path, told: AdapterSettings = USUAL) -> FileRefused:
    """Return why a file is refused."""
    with pytest.raises(FileRefused) as caught:
        pieces(path, told)
    return caught.value


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        (FORM_1, None),
        (FORM_2, None),
        ("确认表_341599_20240531.xlsx", None),
        ("核查反馈表_PSB01_20240531.xlsx", "PSB01"),
        ("意见表_INS_PICC_20240531_2.XLSX", "INS_PICC"),
        ("退回_退回_申请汇总表_T341599101_20240531.xlsx", "T341599101"),
        ("申请汇总表＿341599101＿20240531．xlsx", None),
    ],
)
def test_a_form_is_known_by_its_name(name: str, owner: str | None):
    """It is of a region, whose station or county office sends it, or of the member that it names."""
    found = adapter.recognise(name)
    assert found is not None
    assert (found.owner, found.kind) == (owner, "applications")


@pytest.mark.parametrize(
    "name", ["申请汇总表_341599101.xlsx", "申请汇总表_341599101_20240230.xlsx", "名单_341599_20240531.xlsx"]
)
def test_another_name_is_not_taken(name: str):
    """No day, no such day, and no such form."""
    assert adapter.recognise(name) is None


def test_a_row_of_form_1_is_an_application_and_the_villages_opinion_of_it(tmp_path: Path):
    """The survey's texts are the opinion; an application without a number is called after household and day."""
    found = read(form_1(tmp_path, applicant(1, 担保方式="信用")))
    assert found == {
        "applications": [
            {
                "date": "2024-03-20",
                "person": "v01",
                "application_no": NUMBER_1,
                "borrower": "household",
                "borrower_no": f"{VILLAGE}-0001",
                "applicant": APPLICANTS[0],
                "region": VILLAGE,
                "institution": "PSB01",
                "product": None,
                "amount": "30000.00",
                "term": 12,
                "annual_rate_percent": None,
                "purpose": "breeding",
                "way": None,
                "collateral": None,
                "other_loans": "0.00",
                "signed": "yes",
                "family_adults": 2,
                "family_signed": 2,
                "met": None,
                "grounds": None,
                "document": None,
                "line": 4,
            }
        ],
        "application_steps": [
            {
                "date": "2024-03-25",
                "person": "v02",
                "application_no": NUMBER_1,
                "step": "village_recommendation",
                "decision": "approve",
                "back_to": None,
                "reason": None,
                "amount": None,
                "term": None,
                "annual_rate_percent": None,
                "met": None,
                "grounds": None,
                "opinion": "生产经营情况：养羊二十只；个人信誉情况：良好",
                "sealed": "yes",
                "document": None,
                "line": 4,
            }
        ],
    }


def test_form_1_without_an_opinion_is_the_application_alone(tmp_path: Path):
    """The village reviews it later; a row with nothing but who lives there says nothing."""
    silent = dict.fromkeys(("生产经营情况", "个人信誉情况", "推荐意见", "推荐盖章", "推荐日期", "推荐人代码"))
    found = read(form_1(tmp_path, applicant(1, **silent), {"户编号": f"{VILLAGE}-0009", "申请人姓名": "稷黍麦"}))
    assert [row["application_no"] for row in found["applications"]] == [NUMBER_1]
    assert found["application_steps"] == []


def test_an_amount_is_in_the_unit_of_its_column_or_of_the_sheet(tmp_path: Path):
    """元 where nothing is said; what is finer than a fen is rejected, an unknown unit refuses the file."""
    groups = {("申请金额(万元)" if name == "申请金额" else name): group for name, group in GROUPS_1.items()}
    row = applicant(1) | {"申请金额(万元)": "3.5", "其他贷款余额": 12000}
    [asked] = read(form_1(tmp_path / "1", row, groups=groups))["applications"]
    assert (asked["amount"], asked["other_loans"]) == ("35000.00", "12000.00")
    [asked] = read(_with_unit(tmp_path / "2", "单位：万元", 其他贷款余额="1.2"))["applications"]
    assert (asked["amount"], asked["other_loans"]) == ("300000000.00", "12000.00")
    fine = form_1(tmp_path / "3", applicant(1, 申请金额="30000.001"))
    assert rejected(fine) == [(4, "申请金额", "HL2037")]
    assert refusal(_with_unit(tmp_path / "4", "单位：千元")).code == "HL3027"


def _with_unit(folder: Path, unit: str, **changes: str) -> Path:
    made = tab(applicant(1, **changes), groups=GROUPS_1, name="甲村")
    return Archive([Tab([[f"业务申请表  {unit}"], *made.rows[1:]], "甲村", made.merges)]).save(folder / FORM_1)


def test_every_error_of_a_row_is_told_and_the_row_says_nothing(tmp_path: Path):
    """What is wrong with the opinion rejects the application, too: they are one row of paper."""
    wrong = applicant(2, 申请金额="三万", 推荐意见="好", 推荐人代码=None, 村代码="341599102201")
    found = pieces(form_1(tmp_path, applicant(1), wrong, applicant(3, 申请日期="2024-05-01", 推荐日期="2024-05-01")))
    assert [error for piece in found for error in errors(piece.rejections)] == [
        (5, "村代码", "HL2085"),
        (5, "申请金额", "HL2002"),
        (5, "推荐意见", "HL2005"),
        (5, "推荐人代码", "HL2001"),
        (6, "申请日期", "HL2025"),
        (6, "推荐日期", "HL2025"),
    ]
    assert [(piece.type, piece.rows, piece.accepted.height) for piece in found] == [
        ("applications", 3, 1),
        ("application_steps", 1, 1),
    ]


def test_an_enterprise_applies_on_a_form_of_its_own(tmp_path: Path):
    """Without an applicant's number, with the way in which it helps."""
    groups = {name: "" for name in GROUPS_1 if name in applicant(1)} | {"帮扶方式": ""}
    groups = {("企业编号" if name == "户编号" else name): "" for name in groups if name not in _VILLAGES}
    row = applicant(1) | {"企业编号": "E0001", "帮扶方式": "合作社带动"}
    file = "企业业务申请表_341599_20240331.xlsx"
    [found] = read(form_1(tmp_path, row, file=file, groups=groups))["applications"]
    assert (found["borrower"], found["borrower_no"], found["applicant"]) == ("enterprise", "E0001", None)
    assert (found["way"], found["application_no"]) == ("co_operative", "E0001-20240320")


_VILLAGES: Final = {
    *("申请人证件号码", "申请人姓名", "生产经营情况", "个人信誉情况"),
    *("推荐意见", "推荐盖章", "推荐日期", "推荐人代码", "序号", "备注"),
}


def test_form_2_is_the_townships_review(tmp_path: Path):
    """What it finds of household, village and committee is its opinion; a row without an opinion waits on."""
    silent = dict.fromkeys(("审核意见", "户属性审核", "集体信用等级", "两委班子评价"))
    back = review(3, 审核意见="退回", 退回到="村推荐", 理由="缺征信授权书", 核定金额=20000, 盖章=None)
    found = read(form_2(tmp_path, review(1), review(2, **silent), back))
    assert found == {
        "application_steps": [
            {
                "date": "2024-04-02",
                "person": "t01",
                "application_no": f"{VILLAGE}-{number:04d}-20240320",
                "step": "township_review",
                "decision": decision,
                "back_to": back_to,
                "reason": reason,
                "amount": amount,
                "term": None,
                "annual_rate_percent": None,
                "met": None,
                "grounds": None,
                "opinion": "户属性审核：脱贫户；集体信用等级：良好；两委班子评价：有力",
                "sealed": sealed,
                "document": None,
                "line": line,
            }
            for line, number, decision, back_to, reason, amount, sealed in (
                (4, 1, "approve", None, None, None, "yes"),
                (6, 3, "send_back", "village_recommendation", "缺征信授权书", "20000.00", "no"),
            )
        ]
    }


@pytest.mark.parametrize(
    ("title", "verb", "step"),
    [
        ("调查表", "调查", "village_survey"),
        ("推荐表", "推荐", "village_recommendation"),
        ("核查反馈表", "核查", "bank_verification"),
        ("确认表", "确认", "county_confirmation"),
    ],
)
def test_each_step_has_a_form(tmp_path: Path, title: str, verb: str, step: str):
    """Under another policy a row names its step, by its name or its code."""
    groups = dict.fromkeys(("申请编号", "步骤", f"{verb}意见", f"{verb}日期", f"{verb}人代码"), "")
    own = {"申请编号": "A1", f"{verb}意见": "同意", f"{verb}日期": "2024-04-02", f"{verb}人代码": "b01"}
    rows = [own, own | {"申请编号": "A2", "步骤": "县级审核"}, own | {"申请编号": "A3", "步骤": "joint_review"}]
    found = read(form_2(tmp_path, *rows, file=f"{title}_341599_20240531.xlsx", groups=groups))
    assert [row["step"] for row in found["application_steps"]] == [step, "county_review", "joint_review"]


def test_an_office_adds_words_and_columns_of_its_own(tmp_path: Path):
    """Purposes, banks, steps, conditions and names of columns; an error names the column as the sheet does."""
    groups = {("借款用途" if name == "贷款用途" else name): group for name, group in GROUPS_1.items()}
    groups |= {"符合条件": "", "否决情形": ""}
    row = applicant(1) | {
        "借款用途": "肉牛",
        "贷款银行": "农商行",
        "符合条件": "有项目、会电商",
        "否决情形": "恶意拖欠",
    }
    file = form_1(tmp_path, row, groups=groups)
    assert refusal(file).code == "HL3003"
    told = settings(
        columns={"借款用途": "贷款用途"},
        purposes={"肉牛": "cattle"},
        banks={"农商行": "RCB01"},
        conditions={"会电商": "knows_e_commerce"},
    )
    [found] = read(file, told)["applications"]
    assert (found["purpose"], found["institution"]) == ("cattle", "RCB01")
    assert (found["met"], found["grounds"]) == ("project;knows_e_commerce", "malicious_default")
    assert rejected(file, settings(columns={"借款用途": "贷款用途"})) == [
        (4, "贷款银行", "HL2023"),
        (4, "借款用途", "HL2005"),
        (4, "符合条件", "HL2005"),
    ]


@pytest.mark.parametrize(
    "wrong", [{"purposes": {"肉牛": "肉"}}, {"banks": {"农商行": "农"}}, {"columns": {"借款用途": "用处"}}]
)
def test_a_word_that_stands_for_nothing_is_told(tmp_path: Path, wrong: dict[str, dict[str, str]]):
    """By its setting and word."""
    found = refusal(form_1(tmp_path, applicant(1)), settings(**wrong))
    [(setting, table)] = wrong.items()
    assert (found.code, found.facts["setting"], found.facts["columns"]) == ("HL3112", setting, next(iter(table)))


def test_a_column_of_which_nobody_said_what_it_means_refuses_the_form(tmp_path: Path):
    """It may be what an application hangs on."""
    found = refusal(form_2(tmp_path, review(1), groups=GROUPS_2 | {"资产状况": ""}))
    assert (found.code, found.facts["columns"]) == ("HL3111", "资产状况")


def test_a_form_in_which_nothing_is_filled_in_is_refused(tmp_path: Path):
    """As a list that comes back as it went."""
    silent = dict.fromkeys(("审核意见", "户属性审核", "集体信用等级", "两委班子评价"))
    assert refusal(form_2(tmp_path, review(1, **silent))).code == "HL3110"


def test_the_same_step_of_an_application_stands_once(tmp_path: Path):
    """In whichever sheet; other steps of it may stand beside it."""
    first = tab(review(1), review(2), groups=GROUPS_2, name="甲村")
    second = tab(review(1), groups=GROUPS_2, name="乙村")
    file = Archive([first, second]).save(tmp_path / FORM_2)
    assert rejected(file) == [(4, "乙村·申请编号", "HL2110")]


def test_what_the_county_refuses_is_placed_by_sheet_and_row(tmp_path: Path):
    """Lines repeat from sheet to sheet: the number tells which; a field is called as the sheet calls it."""
    tabs = [tab(applicant(number), groups=GROUPS_1, name=name) for number, name in ((1, "甲村"), (2, "乙村"))]
    file = Archive(tabs).save(tmp_path / FORM_1)
    number = f"{VILLAGE}-0002-20240320"
    told = {"line": 4, "code": "HL1070", "message": "超过额度", "reference": number}
    refused = [
        {"type": "applications", "field": "amount"} | told,
        {"type": "application_steps", "field": None} | told,
        {"type": "applications", "field": "amount"} | told | {"reference": "A9"},
    ]
    identity = FileIdentity(None, "applications", dt.date(2024, 3, 31))
    found = adapter.place_refusals(file, identity, pl.DataFrame(refused, schema=REFUSALS), USUAL)
    assert [(row["line"], row["field"], row["reference"]) for row in found.to_dicts()] == [
        (4, "乙村·申请金额", number),
        (4, "乙村·户编号", number),
    ]
    target = tmp_path / f"退回_{FORM_1}"
    adapter.write_rejections(file, identity, found, target)
    book = openpyxl.load_workbook(target)
    assert [sheet.max_row for sheet in book.worksheets] == [3, 4]
    upper, lower, cells = (book["乙村"][number] for number in (2, 3, 4))
    row = {(low.value or up.value): cell for up, low, cell in zip(upper, lower, cells, strict=True)}
    assert (row["户编号"].value, row["错误代码"].value) == (f"{VILLAGE}-0002", "HL1070；HL1070")
    assert row["申请金额"].comment.text == "HL1070 超过额度"
    again = read(target)
    assert [row["application_no"] for row in again["applications"]] == [number]


def test_rejected_rows_come_back_in_the_same_form(tmp_path: Path):
    """Put right, the returned file is read as it is."""
    file = form_1(tmp_path, applicant(1), applicant(2, 期限="?", **{"期限(月)": "一年"}), applicant(3))
    found = pieces(file)
    identity = adapter.recognise(file.name)
    assert identity is not None
    target = tmp_path / f"退回_{FORM_1}"
    adapter.write_rejections(file, identity, found[0].rejections, target)
    book = openpyxl.load_workbook(target)
    [sheet] = book.worksheets
    [place] = [cell.column for cell in sheet[3] if cell.value == "期限(月)"]
    assert sheet.cell(4, place).comment.text == f"HL2004 {describe('HL2004')}"
    sheet.cell(4, place).value = 12
    book.save(target)
    assert [row["term"] for row in read(target)["applications"]] == [12]


def due(count: int, **changes: object) -> pl.DataFrame:
    """Return so many invented applications that wait for one step."""
    contract = catalogue.installed().contracts["due_applications/v1"]
    made = generation.records(contract, count, seed=count, plain=True, county="341599")
    numbers = pl.Series("application_no", [f"A{number}" for number in range(count)])
    fixed = {"step": "township_review", "applied": "2024-03-20"} | changes
    return made.with_columns(numbers, *(pl.lit(value).alias(name) for name, value in fixed.items()))


def written(
    folder: Path, records: pl.DataFrame, dataschema: str = "due_applications/v1", member: str = "T341599101"
) -> Path:
    """Write a list."""
    outgoing = Outgoing(dataschema, member, DAY, 1, records)
    target = folder / adapter.outgoing_name(outgoing)
    adapter.write(outgoing, USUAL, target)
    return target


def test_a_list_is_the_form_of_its_step_with_what_is_known(tmp_path: Path):
    """Named after whom it is for, so that it can be sent as it is; without rows, by its name, it is a blank form."""
    target = written(tmp_path, due(3))
    assert target.name == "申请汇总表_T341599101_20240531.xlsx"
    names = [cell.value for cell in openpyxl.load_workbook(target).worksheets[0][3]]
    assert names[:4] == ["序号", "申请编号", "步骤", "办理期限"]
    assert names[17:] == [
        *("审核意见", "退回到", "理由", "核定金额", "核定期限(月)", "核定年利率(%)", "符合条件", "否决情形"),
        *("户属性审核", "集体信用等级", "两委班子评价", "审核说明", "盖章", "审核日期", "审核人代码", "附件编号"),
    ]
    assert refusal(target).code == "HL3110"
    blank = tmp_path / "确认表_341599_20240531.xlsx"
    adapter.write(Outgoing("due_applications/v1", "341599", DAY, 1, due(1).clear()), USUAL, blank)
    assert [cell.value for cell in openpyxl.load_workbook(blank).worksheets[0][3]][17] == "确认意见"
    other = written(tmp_path, due(2, step="joint_review"), member="PSB01")
    assert other.name == "意见表_PSB01_20240531.xlsx"


DECIDED: Final = st.fixed_dictionaries(
    {
        "decision": st.sampled_from([("同意", "approve"), ("不同意", "refuse"), ("退回", "send_back")]),
        "back_to": st.sampled_from([(None, None), ("村推荐", "village_recommendation"), ("申请", "apply")]),
        "reason": st.one_of(st.none(), st.text(string.ascii_letters, max_size=30).map("缺".__add__)),
        "amount": st.one_of(st.none(), st.integers(1, 10**9)),
        "term": st.one_of(st.none(), st.integers(1, 360)),
        "sealed": st.sampled_from([("是", "yes"), ("否", "no"), (None, "no")]),
        "date": st.dates(dt.date(2024, 1, 1), DAY),
    }
)


@hypothesis_settings(max_examples=10, deadline=None)
@given(
    step=st.sampled_from([*(form.step for form in FORMS if form.step), "guarantee"]),
    filled=st.dictionaries(st.integers(0, 5), DECIDED, min_size=1),
)
def test_a_list_that_was_filled_in_says_what_people_wrote(
    tmp_path_factory: pytest.TempPathFactory, step: str, filled: dict[int, dict[str, Any]]
):
    """Whatever they decided of however many of the applications; of the others nothing."""
    target = written(tmp_path_factory.mktemp("list"), due(6, step=step))
    verb = next((form.keys[1] for form in FORMS if form.step == step), "办理意见").removesuffix("意见")
    cells = {
        f"A{number}": {
            f"{verb}意见": each["decision"][0],
            "退回到": each["back_to"][0],
            "理由": each["reason"],
            "核定金额": None if each["amount"] is None else each["amount"] / 100,
            "核定期限(月)": each["term"],
            "盖章": each["sealed"][0],
            f"{verb}日期": each["date"],
            f"{verb}人代码": "t01",
        }
        for number, each in filled.items()
    }
    fill_in(target, cells)
    found = read(target)["application_steps"]
    said = {
        f"A{number}": (
            step,
            each["decision"][1],
            each["back_to"][1],
            each["reason"],
            None if each["amount"] is None else f"{each['amount'] / 100:.2f}",
            each["term"],
            each["sealed"][1],
            each["date"].isoformat(),
        )
        for number, each in filled.items()
    }
    names = ("step", "decision", "back_to", "reason", "amount", "term", "sealed", "date")
    assert {row["application_no"]: tuple(row[name] for name in names) for row in found} == said


def test_households_in_need_become_form_1(tmp_path: Path):
    """The village adds who applies for how much; the others of the list say nothing."""
    contract = catalogue.installed().contracts["borrowers_in_need/v1"]
    made = generation.records(contract, 3, seed=1, plain=True, county="341599")
    numbers = pl.Series("borrower_no", [f"{VILLAGE}-{number:04d}" for number in (1, 2, 3)])
    made = made.with_columns(numbers, pl.lit(VILLAGE).alias("region"))
    target = written(tmp_path, made, "borrowers_in_need/v1", "V341599101201")
    assert target.name == "业务申请表_V341599101201_20240531.xlsx"
    assert refusal(target).code == "HL3110"
    book = openpyxl.load_workbook(target)
    [sheet] = book.worksheets
    places = {cell.value: cell.column for cell in sheet[3]}
    asked = {name: value for name, value in applicant(2).items() if name in places and name not in {"序号", "户编号"}}
    for name, value in asked.items():
        sheet.cell(5, places[name]).value = value
    book.save(target)
    found = read(target)
    assert [row["borrower_no"] for row in found["applications"]] == [f"{VILLAGE}-0002"]
    assert [row["step"] for row in found["application_steps"]] == ["village_recommendation"]


def test_the_steps_of_forms_have_one_name_each():
    """So that a list that was written by names is read as the steps it was of."""
    assert len(set(STEPS.values())) == len(STEPS)


WITH_CONSENT: Final = GROUPS_1 | {"征信授权书编号": "农牧户申请"}


def test_the_inquiry_authorisation_of_form_1_is_a_consent_to_the_bank(tmp_path: Path):
    """From the day of the application on; a row without its number brings none."""
    rows = applicant(1, 征信授权书编号="SQ-1"), applicant(2, 征信授权书编号="无"), applicant(3)
    found = read(form_1(tmp_path, *rows, groups=WITH_CONSENT))
    assert [len(found[name]) for name in ("applications", "consents", "application_steps")] == [3, 1, 3]
    assert found["consents"] == [
        {
            "date": "2024-03-20",
            "person": "v01",
            "from_date": "2024-03-20",
            "until_date": None,
            "consent_no": "SQ-1",
            "household_no": f"{VILLAGE}-0001",
            "identity_number": APPLICANTS[0],
            "scope": "credit_inquiry",
            "institution": "PSB01",
            "document": None,
            "line": 4,
        }
    ]


def test_a_row_whose_authorisation_has_the_number_of_another_is_rejected_whole(tmp_path: Path):
    """No application is entered without the consent that it states."""
    rows = applicant(1, 征信授权书编号="SQ-1"), applicant(2, 征信授权书编号="SQ-1")
    found = pieces(form_1(tmp_path, *rows, groups=WITH_CONSENT))
    assert [(piece.type, piece.accepted.height) for piece in found] == [
        ("applications", 1), ("consents", 1), ("application_steps", 1),
    ]  # fmt: skip
    assert [error for piece in found for error in errors(piece.rejections)] == [(5, "征信授权书编号", "HL2110")]
