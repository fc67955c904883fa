"""Form 1 on paper: who asks for what, the family, and what each step said, on one A4 page."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pypdf
import pytest

from huilian.core.errors import UsageError
from huilian.county import service
from huilian.county.forms import Form, print_form
from tests.support.applications import identity_number, son

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.applications import ApplicationCounty


def ask(county: ApplicationCounty, number: str, **given: str) -> dict[str, Any]:
    """Return what the form shows, held to what is declared of it."""
    query = service.query("application_form")
    with county.transaction() as transaction:
        answer = query.ask(
            transaction,
            {"application": number} | given,
            today=county.clock.today(),
            kinds=service.kinds(),
            context=lambda: county.office.context,
        )
    assert query.row().validate(answer.content) == {}
    content: dict[str, Any] = answer.content
    return content


def printed(county: ApplicationCounty, number: str, own: Path) -> list[str]:
    """Return the lines of the form's one page."""
    form = next(form for form in service.forms() if form.name == "application_form")
    assert isinstance(form, Form)
    made = print_form(form, ask(county, number), own=own, on=county.clock.today())
    [page] = pypdf.PdfReader(io.BytesIO(made)).pages
    assert [int(float(side)) for side in page.mediabox[2:]] == [595, 841]
    return [line.strip() for line in page.extract_text().splitlines() if line.strip()]


def test_the_form_shows_applicant_family_loan_and_every_step(county: ApplicationCounty):
    """Steps to come are there without a decision; numbers are masked; a stand-in is told from the head."""
    with county.transaction() as transaction:
        transaction.execute(
            "INSERT INTO registry.consent SELECT 'CS', household_no, %s, scope, institution, document, from_date,"
            " until_date, date, member, person, message FROM registry.consent WHERE household_no = 'H1'",
            [son("H1")],
        )
    assert county.apply("A1", applicant=son("H1"), other_loans="1200.00") is None
    county.decide("A1", "village_recommendation", opinion="养羊二十只", amount="20000.00")
    found = ask(county, "A1")
    assert (found["name"], found["applicant"], found["stands_in"]) == ("户主甲", "儿子乙", True)
    assert found["identity_number"] == son("H1")[:6] + "********" + son("H1")[-4:]
    assert [(each["name"], each["authorised"]) for each in found["members"]] == [("户主甲", True), ("儿子乙", True)]
    assert (found["amount"], found["granted"], found["purpose"]) == ("30000.00", "20000.00", "种植")
    assert [(each["step"], each["decision"], each["amount"]) for each in found["opinions"]] == [
        ("village_recommendation", "同意", "20000.00"),
        ("township_review", None, None),
        ("bank_verification", None, None),
        ("county_confirmation", None, None),
    ]
    assert (found["state"], found["policy"]) == ("审核中", "xingan/household")


def test_what_was_decided_before_an_application_was_corrected_is_no_opinion_on_it(county: ApplicationCounty):
    """The steps look at it anew."""
    county.apply("A1")
    county.decide("A1", "village_recommendation", decision="send_back", back_to="apply", reason="缺授权书")
    assert ask(county, "A1")["opinions"][0]["reason"] == "缺授权书"
    county.apply("A1", amount="25000.00")
    found = ask(county, "A1")
    assert (found["amount"], found["opinions"][0]["decision"]) == ("25000.00", None)


def test_nothing_is_shown_of_an_application_that_is_not_there_or_elsewhere(county: ApplicationCounty):
    """A station prints its own."""
    county.apply("A1")
    assert ask(county, "A1", region="341599101001")["application_no"] == "A1"
    for number, region in (("A2", "341599"), ("A1", "341599102")):
        with pytest.raises(UsageError, match="HL7028"):
            ask(county, number, region=region)


def test_the_form_is_one_page_with_room_for_signatures_and_seals(county: ApplicationCounty, tmp_path: Path):
    """In Chinese, amounts and days as on paper; an office may have a layout of its own."""
    county.apply("A1")
    county.decide("A1", "village_recommendation", opinion="养羊二十只")
    lines = printed(county, "A1", tmp_path)
    text = "\n".join(lines)
    assert "小额信贷业务申请表" in text
    assert f"证件号码 {identity_number(1)[:6]}********{identity_number(1)[-4:]}" in text
    assert "申请金额 30,000.00元 申请期限 12个月" in text
    assert "意见：同意（养羊二十只）" in text
    assert "单位：VILL1　经办人：P2　签字（已盖章）：　　　　　　　2024年3月1日" in text
    assert "乡镇审核" in text
    (tmp_path / "application_form.typ").write_text('#set page(paper: "a4")\nown layout', "utf-8")
    assert printed(county, "A1", tmp_path) == ["own layout"]
