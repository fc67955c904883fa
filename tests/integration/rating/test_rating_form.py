"""The rating form in triplicate: what it says, on three A4 pages."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import pypdf
import pytest

from huilian.core.errors import UsageError
from huilian.county import service
from huilian.county.forms import print_form
from tests.support.ratings import COUNTY, VILLAGE, indicators, loan

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.ratings import RatingCounty

A4: Final = [0, 0, 595, 842]
"""Points."""
SIGNED: Final = "签字（盖章）：　　　　　　　2024年3月1日"
FILED: Final = "成员5人，其中村民代表2人；评级方案1号；2024年3月1日备案"
PAGE: Final = [
    "农户信用评定表",
    "行政区划代码：341599101001 打印日期：2024年3月8日",
    "户主姓名 王示例 证件号码 341599********001X 农户编号 H1",
    "户类型 脱贫户 家庭人口 4人 村民小组 三组",
    "家庭年收入 23,456.70元 申请人年龄 40周岁 采集日期 2024年3月1日",
    "评级指标 权重（%） 得分 计分",
    "劳动能力 30 90 27.00",
    "收入 30 70 21.00",
    "信用 40 80 32.00",
    "评分 80.00 信用等级 AA 额度上限 40,000.00元",
    "否决情形 无",
    "不予原因 无",
    f"评议小组 341599101001：{FILED} 341599101：{FILED}",
    "采集人 VILL1:P1",
    "村评议",
    "意见：同意",
    f"单位：VILL1　经办人：P2　{SIGNED}",
    "乡镇审查",
    "意见：同意",
    f"单位：TOWN1　经办人：P2　{SIGNED}",
    "县审核",
    "意见：同意",
    f"单位：341599　经办人：P2　{SIGNED}",
    "公示情况 第1次：2024年3月1日至2024年3月7日，异议1件；监督电话：0564-1234567",
    "银行授信",
    "RCB01：30,000.00元，2024年3月8日至2025年3月8日，经办人P2",
    "经办人签字（盖章）：　　　　　　　2024年3月8日",
    "农户确认",
    "本人对以上评定内容无异议。",
    "签字（按手印）：　　　　　　　　　　　年　　月　　日",
    "有效期：2024年3月8日起，至2025年3月8日前。评定依据：rated/1。",
    "本表一式三份，农户、银行、县级各留存一份。",
]
HEAD: Final = "H1", "34159919790301001X", "王示例"


def ask(county: RatingCounty, number: str = "H1", **given: str) -> dict[str, Any]:
    """Return what the form shows, held to what is declared of it."""
    query = service.query("rating_form")
    with county.transaction() as transaction:
        answer = query.ask(
            transaction,
            {"number": number} | given,
            today=county.clock.today(),
            kinds=service.kinds(),
            context=lambda: county.office.context,
        )
    assert query.row().validate(answer.content) == {}
    content: dict[str, Any] = answer.content
    return content


def sheets(county: RatingCounty, folder: Path, number: str = "H1") -> list[list[str]]:
    """Print a form and return the lines of each page; every page is A4."""
    return printed(county, ask(county, number), folder)


def printed(county: RatingCounty, answer: dict[str, Any], folder: Path) -> list[list[str]]:
    """Print an answer and return the lines of each page."""
    form = next(form for form in service.forms() if form.name == "rating_form")
    content = print_form(form, answer, own=folder / "forms", on=county.clock.today())
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    assert [[round(float(each)) for each in page.mediabox] for page in pages] == [A4] * len(pages)
    return [page.extract_text().splitlines() for page in pages]


@pytest.fixture
def rated(county: RatingCounty) -> RatingCounty:
    """Return the county with one household rated after an objection, on the roster, with a bank's line."""
    with county.transaction() as transaction:
        transaction.execute(
            "INSERT INTO registry.person (household_no, identity_number, head_name, person_name, relation_to_head,"
            " region, category, is_head, household_size, village_group, annual_income, as_of, submission, sequence,"
            " line) VALUES (%s, %s, %s, %s, '户主', %s, 'out_of_poverty', 'yes', 4, '三组', 23456.70, '2024-01-01',"
            " 0, 0, 2)",
            [HEAD[0], HEAD[1], HEAD[2], HEAD[2], VILLAGE],
        )
    county.collect([indicators("H1", kind="out_of_poverty")])
    county.file_groups()
    for member, step in (("VILL1", "village_review"), ("TOWN1", "township_review"), (COUNTY, "county_review")):
        assert county.step(member, step) is None
    assert county.post() is None
    assert county.object_to("O1") is None
    assert county.answer("O1", "no") is None
    county.run_calendar(7)
    line = {"borrower": "household", "borrower_no": "H1", "amount": "30000.00"}
    period = {"from_date": "2024-03-08", "until_date": "2025-03-08"}
    assert county.send("credit_line", "RCB01", **line | period) is None
    return county


def test_the_form_is_printed_in_triplicate_on_a4(rated: RatingCounty, tmp_path: Path):
    """One page each for household, bank and county, alike but for whom it is; the identity number is masked."""
    household, bank, county = sheets(rated, tmp_path)
    assert [page[0] for page in (household, bank, county)] == [
        f"评级编号：{ask(rated)['number']} 第{part}留存" for part in ("一联　农户", "二联　银行", "三联　县级")
    ]
    assert bank[1:] == county[1:] == household[1:] == PAGE


def test_what_is_too_long_for_a_page_is_printed_smaller(rated: RatingCounty, tmp_path: Path):
    """Many indicators and steps, and long reasons: three pages still, with every word."""
    form = ask(rated)
    opinions = [each | {"decision": "退回", "reason": "收入待核实" * 40} for each in form["opinions"] * 2]
    form |= {"indicators": form["indicators"] * 4, "opinions": opinions, "lines": form["lines"] * 4}
    pages = printed(rated, form, tmp_path)
    assert len(pages) == 3
    for page in pages:
        assert "".join(page).count("收入待核实" * 40) == 6
        assert page[-1] == PAGE[-1]


def test_the_form_says_how_the_score_came_about(rated: RatingCounty):
    """Points times weight, in the policy's order of the indicators."""
    form = ask(rated)
    assert [(each["name"], each["weight"], each["points"], each["adds"]) for each in form["indicators"]] == [
        ("劳动能力", "30", "90", "27.00"),
        ("收入", "30", "70", "21.00"),
        ("信用", "40", "80", "32.00"),
    ]
    assert (form["score"], form["grade"], form["line"], form["further_points"]) == ("80.00", "AA", "40000.00", None)
    assert (form["kind"], form["exclusions"], form["refused"]) == ("脱贫户", [], [])
    assert [(each["title"], each["decision"], each["person"], each["decided_on"]) for each in form["opinions"]] == [
        ("村评议", "同意", "P2", "2024-03-01"),
        ("乡镇审查", "同意", "P2", "2024-03-01"),
        ("县审核", "同意", "P2", "2024-03-01"),
    ]


def test_the_form_keeps_the_group_that_approved(rated: RatingCounty):
    """One that was filed since, before the rating came into force or after it, is not shown."""
    groups = [(each["region"], each["plan"]) for each in ask(rated)["groups"]]
    group: dict[str, Any] = {"members": 7, "representatives": 4, "plan": "评级方案9号"}
    for day in ("2024-03-04", "2024-03-08"):
        assert rated.send("rating_group", "VILL1", region=VILLAGE, **group, date=day) is None
    assert [(each["region"], each["plan"]) for each in ask(rated)["groups"]] == groups
    assert groups == [(VILLAGE, "评级方案1号"), (VILLAGE[:9], "评级方案1号")]


def test_a_grade_that_a_default_made_weaker_rests_on_the_reviews_of_the_former_one(rated: RatingCounty):
    """The bank's line goes on until somebody ends it; who decided stays on the form."""
    rated.tell("loans_changed", 2, [loan("H1", "L1", {}, {"five_tier_class": "loss"})])
    form = ask(rated)
    assert form["grade"] == "A"
    assert [each["decision"] for each in form["opinions"]] == ["同意"] * 3
    assert len(form["postings"]) == 1


def test_a_form_of_what_is_not_decided_leaves_room_for_it(county: RatingCounty, tmp_path: Path):
    """An enterprise that was only collected: nobody's opinion, no posting, no line, and dates to be filled in."""
    enterprise = indicators("E1", borrower="enterprise", kind=None, applicant_age=None, exclusions="crime")
    county.collect([enterprise])
    for page in sheets(county, tmp_path, "E1"):
        said = "\n".join(page)
        assert "企业信用评定表" in said
        assert said.count("意见：") == said.count("意见：\n") == 3
        assert said.count("　　　　年　　月　　日") == 5
        assert {"否决情形 违法犯罪", "不予原因 违法犯罪", "评议小组 未备案", "公示情况 未公示"} < set(page)


def test_who_is_not_rated_or_lies_elsewhere_has_no_form(county: RatingCounty):
    """The answer names the number."""
    county.collect([indicators("H1")])
    with pytest.raises(UsageError, match="HL7027"):
        ask(county, "H2")
    with pytest.raises(UsageError, match="HL7027"):
        ask(county, region="341599102")
    assert ask(county, region=VILLAGE)["name"] is None
