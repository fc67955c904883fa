"""Eligibility by a policy: every reason at once, and what the case does not show is never taken as met."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from huilian.policy import eligibility, reference_rates
from huilian.policy.loss import fund_room, rewards_for_lending
from huilian.policy.reading import Reading
from tests.support.policies import LENDING, policy_of

if TYPE_CHECKING:
    from huilian.policy.policies import Policy

RATES = reference_rates.load()
DAY = dt.date(2024, 1, 1)
NATIONAL = policy_of(
    products="""
[products.household]
title = "小额信贷"
borrowers = ["household"]
open = "2021-01-01..2025-12-31"

[products.household.lending]
amount_minimum = { value = "5000.00", source = "国 二" }
amount_maximum = [
  { grade = "none", none = true, source = "国 一" },
  { grade = ["A", "AA"], value = "50000.00", source = "国 二" },
]
term_maximum = { value = 36, source = "国 三" }
rate_maximum = [
  { term = "..12", value = "lpr_1y", source = "国 四" },
  { term = "13..", value = "lpr_5y", source = "国 四" },
]
age = { value = "18..65", source = "国 五" }
purposes_refused = { value = ["gambling", "old_debts"], source = "国 六" }
purposes_allowed = { value = ["planting", "breeding", "old_debts"], source = "国 六" }
outstanding = { value = "one_of_each", source = "国 七" }
principal_maximum = { value = "100000.00", source = "国 八" }
collateral = { value = ["joint"], source = "国 九" }
lenders = { value = ["rural_commercial_bank"], source = "国 十" }

[[products.household.lending.conditions]]
condition = "civil_capacity"
source = "国 条件一"
[[products.household.lending.conditions]]
condition = "other"
name = "sober"
title = "无不良嗜好"
source = "国 条件二"
[[products.household.lending.exclusions]]
ground = "public_employee"
title = "公职人员"
source = "国 排除一"
[[products.household.lending.exclusions]]
ground = "over_indebted"
title = "负债超过资产的 60%"
debt_ratio = "60%<.."
source = "国 排除二"

[products.rich_village]
title = "富民贷"
borrowers = ["household", "enterprise"]
open = "2021-01-01.."
[products.rich_village.lending]
amount_maximum = { value = "200000.00", source = "富 一" }
outstanding = { value = "one_in_all", source = "富 二" }
""",
    header='grades = ["A", "AA"]',
)


def _judge(policy: Policy = NATIONAL, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # what JSON has
    raw = {
        "household": "341599101001-001",
        "applicant": {"age": 45, "kind": "out_of_poverty", "civil_capacity": True, "sober": True},
        "amount": "50000.00",
        "term": 12,
        "purpose": "planting",
        "product": None,
        "date": "2024-03-01",
        "existing_loans": [],
        "grade": "AA",
        "debt_ratio_percent": "60",
    }
    return eligibility.judge(policy, eligibility.CASE.load(raw | changes), RATES).as_json()


def _codes(**changes: Any) -> list[str]:  # noqa: ANN401  # what JSON has
    found = _judge(**changes)
    return [*(reason["code"] for reason in found["reasons"]), *("to_be_shown" for _ in found["to_be_shown"])]


def _only(conditions: str, **changes: Any) -> list[str]:  # noqa: ANN401  # what JSON has
    """Return the reasons under a policy that asks for nothing but some conditions."""
    policy = policy_of(products=LENDING + conditions, header='region_lists = { key = ["152222101"] }')
    return _codes(policy=policy, **changes)


def test_a_borrower_who_meets_everything_is_eligible():
    """Every bound included."""
    found = _judge(applicant={"age": 65, "kind": "poor", "civil_capacity": True, "sober": True}, term=36)
    assert (found["eligible"], found["reasons"], found["consequences"]) == (True, [], [])
    assert (found["household_no"], found["policy"], found["version"], found["product"]) == (
        "341599101001-001",
        "county",
        "7",
        "household",
    )
    assert {"check": "amount_maximum", "given": "50000.00", "met": True, "source": "国 二"} in found["steps"]


def test_every_reason_is_told_at_once_with_its_clause():
    """Nobody comes back four times."""
    found = _judge(
        applicant={"age": 66, "kind": "poor", "civil_capacity": False, "sober": False},
        amount="50000.01",
        term=37,
        purpose="gambling",
        date="2026-01-01",
        product="household",
        debt_ratio_percent="60.01",
        exclusions=["public_employee"],
        collateral=["house"],
        lender="money_lender",
        existing_loans=[{"product": "household", "balance": "49999.99"}],
    )
    assert found["eligible"] is False
    assert [(reason["code"], reason["clause"]) for reason in found["reasons"]] == [
        ("product_closed", ""),
        ("amount_above", "国 二"),
        ("term_above", "国 三"),
        ("age", "国 五"),
        ("purpose_refused", "国 六"),
        ("purpose_not_allowed", "国 六"),
        ("collateral_not_allowed", "国 九"),
        ("lender_not_allowed", "国 十"),
        ("loan_outstanding", "国 七"),
        ("civil_capacity", "国 条件一"),
        ("sober", "国 条件二"),
        ("public_employee", "国 排除一"),
        ("over_indebted", "国 排除二"),
    ]
    assert found["reasons"][1]["chinese"] == "金额超过上限：50000.01 > 50000.00"
    assert found["reasons"][10]["chinese"] == "不满足：无不良嗜好"


def test_what_the_case_does_not_say_is_a_reason_and_what_it_does_not_show_is_told():
    """Facts of the loan must be there; conditions that people judge are to be seen by whoever approves."""
    found = eligibility.judge(NATIONAL, eligibility.CASE.load({"date": "2024-03-01"}), RATES).as_json()
    assert [(reason["code"], reason["about"]) for reason in found["reasons"]] == [
        ("not_shown", "amount"),
        ("not_shown", "grade"),
        ("not_shown", "term"),
        ("not_shown", "age"),
        ("not_shown", "purpose"),
        ("not_shown", "existing_loans"),
    ]
    assert [reason["code"] for reason in found["to_be_shown"]] == ["civil_capacity", "sober", "over_indebted"]
    assert found["to_be_shown"][0] == {
        "code": "civil_capacity",
        "chinese": "有完全民事行为能力",
        "clause": "国 条件一",
    }


def test_bounds_of_amount_term_and_age_are_included():
    """One fen, one month or one year beyond is too much."""
    amounts = {amount: _codes(amount=amount) for amount in ("4999.99", "5000.00", "50000.00", "50000.01")}
    assert amounts == {"4999.99": ["amount_below"], "5000.00": [], "50000.00": [], "50000.01": ["amount_above"]}
    ages = {age: _codes(applicant={"age": age, "civil_capacity": True, "sober": True}) for age in (17, 18, 65, 66)}
    assert ages == {17: ["age"], 18: [], 65: [], 66: ["age"]}
    assert [_codes(term=term) for term in (36, 37)] == [[], ["term_above"]]


def test_a_rate_is_capped_by_the_rate_of_its_term_on_the_day_of_signing():
    """Qingyang: up to a year the 1-year LPR, up to three years the 5-year LPR. A rate not given is not judged."""
    assert _codes(annual_rate_percent="3.45", term=12) == []
    assert _codes(annual_rate_percent="3.46", term=12) == ["rate_above"]
    assert _codes(annual_rate_percent="3.95", term=13) == []
    assert _codes(annual_rate_percent="3.96", term=13) == ["rate_above"]
    assert _codes(annual_rate_percent="3.45", term=None) == ["not_shown"]
    late = _judge(annual_rate_percent="3.00", product="rich_village", date="2026-01-01")
    assert "known_until" not in late


def test_a_cap_by_a_rate_beyond_the_last_publication_says_so():
    """A county enters later rates itself."""
    policy = policy_of(products=LENDING + 'rate_maximum = { value = "lpr_1y", source = "一" }')
    found = _judge(policy, annual_rate_percent="3.00", date="2099-01-01")
    assert (found["eligible"], found["known_until"]) == (True, RATES.known_until["lpr_1y"].isoformat())


def test_the_ungraded_get_no_loan():
    """No grade is not the same as a grade that was not told."""
    assert _codes(grade=None) == ["no_lending"]


def test_products_stand_side_by_side():
    """One of each here, one in all there; all balances count towards the household's maximum."""
    other = [{"product": "rich_village", "balance": "50000.00"}]
    assert _codes(existing_loans=other) == []
    assert _codes(existing_loans=[{"product": "rich_village", "balance": "50000.01"}]) == ["household_total_above"]
    assert _codes(existing_loans=other, product="rich_village") == ["loan_outstanding"]
    assert _codes(existing_loans=[{"product": "household", "balance": "0.01"}]) == ["loan_outstanding"]
    assert _codes(existing_loans=[{"product": "household", "balance": "0.00"}]) == []
    # A loan whose product nobody knows may be of this one.
    assert _codes(existing_loans=[{"balance": "0.01"}]) == ["loan_outstanding"]


def test_a_product_is_found_by_borrower_and_day():
    """The first that is open; where none is, the first tells the other reasons."""
    assert _judge(date="2025-12-31")["product"] == "household"
    assert _judge(date="2026-01-01")["product"] == "rich_village"
    assert _judge(kind="enterprise", applicant={"households_led": 3})["product"] == "rich_village"
    assert _codes(date="2020-12-31", amount="4999.99") == ["product_closed", "amount_below"]
    assert _codes(kind="enterprise", product="household") == ["borrower_not_served"]
    with pytest.raises(ValidationError, match="household, rich_village"):
        _judge(product="houshold")


def test_exclusions_are_a_list_with_grounds():
    """A credit system's grounds; one that the policy does not have is an error."""
    assert _codes(exclusions=["public_employee"]) == ["public_employee"]
    assert _codes(debt_ratio_percent="60.000001") == ["over_indebted"]
    assert _codes(exclusions=["over_indebted"], debt_ratio_percent="70") == ["over_indebted"]
    with pytest.raises(ValidationError, match="public_servant"):
        _judge(exclusions=["public_servant"])


def test_a_score_may_stand_for_a_grade():
    """Hubei: bands of score, no letters; under 60 nothing."""
    policy = policy_of(
        products="""
[products.household]
title = "小额信贷"
borrowers = ["household"]
open = "2015-01-01.."
[products.household.lending]
amount_maximum = [
  { score = "..<60", none = true, source = "鄂" },
  { score = "60..<70", value = "50000.00", source = "鄂" },
  { score = "70..", value = "60000.00", source = "鄂" },
]
[[products.household.lending.conditions]]
condition = "rated"
source = "鄂"
"""
    )
    assert _codes(policy=policy, score="59.99") == ["no_lending"]
    assert _codes(policy=policy, score="60") == []
    assert _codes(policy=policy, score="69.99", amount="60000.00") == ["amount_above"]
    raw = {"date": "2024-03-01", "amount": "1.00"}
    found = eligibility.judge(policy, eligibility.CASE.load(raw), RATES)
    assert [reason.about for reason in found.reasons] == ["score"]
    assert [reason.code for reason in found.to_be_shown] == ["rated"]


@pytest.mark.parametrize(
    ("condition", "met", "unmet"),
    [
        ("willing", {"willing": True}, {"willing": False}),
        ("no_collateral", {}, {"collateral": ["house"]}),
        ("no_guarantor", {"collateral": ["house"]}, {"collateral": ["guarantor"]}),
        ("on_roster", {"roster_since": "2024-03-01"}, {"roster_since": "2024-03-02"}),
        ("on_roster", {"on_roster": True}, {"roster_since": "2020-01-01", "roster_until": "2024-03-01"}),
        ("rated", {"grade": "A"}, {"grade": None}),
        ("not_blacklisted", {"blacklisted": False}, {"blacklisted": True}),
        ("not_blacklisted", {"not_blacklisted": True}, {"blacklisted_maliciously": True}),
        ("not_blacklisted_maliciously", {"blacklisted": False}, {"blacklisted_maliciously": True}),
        ("not_blacklisted_maliciously", {"blacklisted": True, "blacklisted_maliciously": False}, None),
        ("no_open_default", {"existing_loans": []}, {"existing_loans": [{"balance": "1.00", "overdue_days": 1}]}),
        ("no_default_ever", {"defaulted_ever": False}, {"defaulted_ever": True}),
        ("consent", {"consent": True}, {"consent": False}),
        ("lead_bank", {"lead_bank": True}, {"lead_bank": False}),
        ("insured", {"insured": True}, {"insured": False}),
        ("guaranteed", {"met": ["guaranteed"]}, {"guaranteed": False}),
        ("no_default_ever", {"no_default_ever": True}, {"existing_loans": [{"balance": "1.00", "overdue_days": 1}]}),
        ("registered_poor", {"applicant": {"kind": "poor"}}, {"applicant": {"kind": "ordinary"}}),
        ("leads_households", {"households_led": 1}, {"households_led": 0}),
    ],
)
def test_a_condition_is_shown_by_its_own_name_or_by_other_facts(
    condition: str, met: dict[str, Any], unmet: dict[str, Any] | None
):
    """Whichever the case has."""
    conditions = f'[[products.household.lending.conditions]]\ncondition = "{condition}"\nsource = "一"\n'
    assert _only(conditions, **met) == []
    if unmet is not None:
        assert _only(conditions, **unmet) == [condition]


@pytest.mark.parametrize(
    ("condition", "case"),
    [
        ("willing", {}),
        ("on_roster", {}),
        ("not_blacklisted", {"blacklisted_maliciously": False}),
        ("not_blacklisted_maliciously", {"blacklisted": True}),
        ("no_open_default", {"existing_loans": None}),
        ("no_default_ever", {"existing_loans": []}),
        ("registered_poor", {"applicant": {"kind": "monitored"}}),
        ("leads_households", {}),
        ("programme_scale", {}),
        ("in_region_list", {}),
    ],
)
def test_a_condition_that_no_fact_shows_is_to_be_shown(condition: str, case: dict[str, Any]):
    """A monitored household may be registered or not: nobody guesses."""
    needed = {"programme_scale": 'amount = "200000000.00"\n', "in_region_list": 'list = "key"\n'}.get(condition, "")
    conditions = f'[[products.household.lending.conditions]]\ncondition = "{condition}"\n{needed}source = "一"\n'
    assert _only(conditions, **case) == ["to_be_shown"]


def test_conditions_may_name_a_day_a_kind_a_scale_or_an_end():
    """Xingan's scale and roster; the roster of a fixed day; kinds of household."""
    conditions = """
[[products.household.lending.conditions]]
condition = "on_roster_of_day"
day = "2016-12-31"
source = "一"
[[products.household.lending.conditions]]
condition = "of_household_kind"
kinds = ["poor", "out_of_poverty"]
source = "一"
[[products.household.lending.conditions]]
condition = "programme_scale"
amount = "200000000.00"
source = "一"
[[products.household.lending.conditions]]
condition = "programme_end"
day = "2024-03-01"
source = "一"
"""
    facts = {"roster_since": "2016-12-31", "programme_balance": "199950000.00"}
    assert _only(conditions, **facts) == []
    changed = {"roster_since": "2017-01-01", "programme_balance": "199950000.01", "date": "2024-03-02"}
    assert _only(conditions, **changed, applicant={"kind": "ordinary"}) == [
        "on_roster_of_day",
        "of_household_kind",
        "programme_scale",
        "programme_end",
    ]


def test_a_region_is_looked_for_in_the_policy_s_lists():
    """A village lies in a listed township."""
    policy = policy_of(
        products=LENDING
        + '[[products.household.lending.conditions]]\ncondition = "in_region_list"\nlist = "key"\nsource = "一"\n',
        header='region_lists = { key = ["152222101", "152222102003"], other_villages = ["152222103001"] }',
    )
    found = {
        region: _codes(policy=policy, applicant={"region": region})
        for region in ("152222101007", "152222102003", "152222102004", "152222103001")
    }
    assert found == {
        "152222101007": [],
        "152222102003": [],
        "152222102004": ["in_region_list"],
        "152222103001": ["in_region_list"],
    }


def test_a_wide_region_of_which_a_part_is_listed_tells_nothing():
    """Of a township with one listed village nobody can say whether the borrower lives there."""
    lists = {"header": 'region_lists = { key = ["152222101", "152222102003"] }'}
    condition = '[[products.household.lending.conditions]]\ncondition = "in_region_list"\nlist = "key"\nsource = "一"\n'
    by_list = LENDING + (
        'term_maximum = [{ region_list = "key", value = 36, source = "一" }, '
        '{ region_list = "other", value = 24, source = "一" }]\n'
    )
    for products, told in ((LENDING + condition, "to_be_shown"), (by_list, "not_shown")):
        policy = policy_of(products=products, **lists)
        assert _codes(policy=policy, applicant={"region": "152222102"}) == [told]
        assert _codes(policy=policy, applicant={"region": "152222101000"}) == []


def test_a_region_that_is_no_code_is_an_error():
    """Eight digits are a slip, not a region outside the lists."""
    with pytest.raises(ValidationError, match="6、9 或 12 位区划代码"):
        _codes(applicant={"region": "15222210"})


def test_a_condition_may_hold_for_some_borrowers_only():
    """A filter whose fact is not known is itself not shown."""
    conditions = (
        '[[products.household.lending.conditions]]\ncondition = "insured"\nhousehold_kind = "poor"\nsource = "一"\n'
    )
    assert _only(conditions, applicant={"kind": "poor"}) == ["to_be_shown"]
    assert _only(conditions, applicant={"kind": "ordinary"}) == []
    found = _judge(policy_of(products=LENDING + conditions), applicant={})
    assert [(reason["code"], reason["about"]) for reason in found["to_be_shown"]] == [("insured", "household_kind")]


FUND = """
[fund]
lending_multiple_maximum = {{ value = "10", source = "六" }}
beyond = {{ value = "{beyond}", source = "六 超额" }}
"""


def test_a_deposit_carries_ten_times_itself_and_not_a_fen_more():
    """Domain example 9: balances and open reservations together."""
    policy = policy_of(FUND.format(beyond="refuse"))
    facts = {"deposit": "20000000.00", "committed": "199950000.00"}
    assert _codes(policy=policy, **facts, amount="50000.00") == []
    assert _codes(policy=policy, **facts | {"committed": "199950000.01"}) == ["over_lending_multiple"]
    room = fund_room(Reading(policy, None), deposit=Decimal("20000000.00"), committed=Decimal(0), on=DAY)
    assert room is not None
    assert (room.free, room.beyond, room.clause) == (Decimal("200000000.00"), "refuse", "六 超额")
    assert fund_room(Reading(policy_of(), None), deposit=Decimal(1), committed=Decimal(0), on=DAY) is None


def test_too_much_lending_may_be_a_consequence_instead_of_a_refusal():
    """Guangxi: what exceeds the multiple is lent, without subsidy or cover."""
    found = _judge(
        policy_of(FUND.format(beyond="lend_without_cover")), deposit="5000.00", committed="0.01", amount="50000.00"
    )
    assert (found["eligible"], found["reasons"]) == (True, [])
    assert found["consequences"] == [
        {
            "code": "over_lending_multiple",
            "chinese": "超过风险补偿金的放大倍数，不贴息、不补偿",
            "clause": "六 超额",
        }
    ]


def test_a_bank_may_be_paid_by_what_it_lent():
    """Hainan: 2 % for the risk and 2 % as a reward, on loans to poor households."""
    policy = policy_of(
        """
[fund]
compensation_for_lending = { value = "2%", source = "琼" }
reward_for_lending = [
  { borrower = "household", value = "2%", source = "琼" },
  { borrower = "enterprise", none = true, source = "琼" },
]
"""
    )
    reading = Reading(policy, None)
    lent = Decimal("1234567.89")
    assert rewards_for_lending(reading, lent, borrower="household", on=DAY) == {
        "compensation": Decimal("24691.36"),
        "reward": Decimal("24691.36"),
    }
    assert rewards_for_lending(reading, lent, borrower="enterprise", on=DAY) == {"compensation": Decimal("24691.36")}


def test_conditions_that_are_met_may_be_listed():
    """Beside true and false; what is listed and denied is an error."""
    conditions = "".join(
        f'[[products.household.lending.conditions]]\ncondition = "{code}"\nsource = "一"\n'
        for code in ("willing", "able")
    )
    assert _only(conditions, met=["willing", "able"]) == []
    assert _only(conditions, met=["willing"], able=False) == ["able"]
    with pytest.raises(ValidationError, match="出现两次"):
        _only(conditions, met=["willing"], willing=False)
    with pytest.raises(ValidationError, match="条件代码"):
        _only(conditions, met="willing")


def test_facts_may_stand_with_applicant_household_or_loan():
    """But not differently in two places; a key that nobody knows is named."""
    split = {"household": {"household_no": "1", "region": "341599101001"}, "civil_capacity": True}
    found = _judge(**split, applicant={"age": 45, "kind": "poor", "sober": True})
    assert (found["eligible"], found["household_no"]) == (True, "1")
    with pytest.raises(ValidationError) as caught:
        _judge(age=44)
    assert caught.value.messages == {"age": ["出现两次，且不相同 (given twice, differently)"]}
    assert eligibility.CASE.ignored({"applicant": {"agee": 1, "sober": True}, "household": "1", "amount": "1.00"}) == [
        "agee"
    ]


FACTS = {
    "age": 66,
    "civil_capacity": False,
    "sober": False,
    "amount": "50000.01",
    "term": 37,
    "purpose": "gambling",
    "existing_loans": [{"product": "household", "balance": "60000.00"}],
    "grade": None,
    "debt_ratio_percent": "61",
}


@given(st.sets(st.sampled_from(sorted(FACTS))), st.sets(st.sampled_from(sorted(FACTS))))
def test_leaving_a_fact_out_never_makes_a_borrower_eligible_with_nothing_to_be_shown(
    wrong: set[str], left_out: set[str]
):
    """Neither a wrong one nor a right one."""
    right = {"age": 45, "civil_capacity": True, "sober": True, "amount": "50000.00", "term": 12, "purpose": "planting"}
    right |= {"existing_loans": [], "grade": "AA", "debt_ratio_percent": "60"}
    facts = right | {key: FACTS[key] for key in wrong}
    raw = {"date": "2024-03-01"} | {key: each for key, each in facts.items() if key not in left_out}
    found = eligibility.judge(NATIONAL, eligibility.CASE.load(raw), RATES)
    assert (found.eligible and not found.to_be_shown) == (not wrong and not left_out)


RATED = """
[rating]
weights = { value = { credit = "100%" }, source = "评 一" }
line = [
  { grade = "none", none = true, source = "评 二" },
  { grade = "A", value = "50000.00", source = "评 三" },
]
"""
RATED_CONDITION = '[[products.household.lending.conditions]]\ncondition = "rated"\nsource = "贷 一"\n'
REQUEST = """
[[products.household.application_steps]]
step = "apply"
title = "申请"
by = ["household"]
needs = ["consent", "signature"]
source = "申 一"
"""


def _reasons(policy: Policy, **changes: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401  # what JSON has
    """Return what stands against a loan of 10,000.00: code, text, clause."""
    found = _judge(policy, **{"amount": "10000.00", "grade": "A"} | changes)
    return [(reason["code"], reason["chinese"], reason["clause"]) for reason in found["reasons"]]


def test_all_loans_together_stay_within_the_credit_line():
    """One fen above it is too much; the clause is the row that sets the line."""
    policy = policy_of(RATED, header='grades = ["A"]')
    loans = [{"balance": "30000.00"}, {"balance": "9999.99"}]
    assert _reasons(policy, line="49999.99", existing_loans=loans) == []
    assert _reasons(policy, line="49999.98", existing_loans=loans) == [
        ("over_line", "超过授信额度：39999.99 + 10000.00 > 49999.98", "评 三")
    ]
    assert _reasons(policy, line="1.00", existing_loans=None) == [("not_shown", "没有说明：已有贷款", "")]
    assert _reasons(policy, existing_loans=loans) == []


def test_the_clause_of_a_line_is_the_condition_that_asks_for_a_rating_where_no_row_sets_it():
    """Where the bank sets the line."""
    assert _reasons(policy_of(products=LENDING + RATED_CONDITION), line="1.00")[0][2] == "贷 一"
    revolving = 'line_validity = { value = 36, source = "贷 二" }\n'
    assert _reasons(policy_of(products=LENDING + revolving), line="1.00")[0][2] == "贷 二"
    assert _reasons(policy_of(), line="1.00")[0][2] == ""


def test_nothing_is_lent_where_lending_is_suspended():
    """The clauses are those by which lending stops; a text says where."""
    breaker = '[[breakers]]\nkind = "bad_ratio_above"\nlimit = "5%"\nlevel = "township"\nsource = "停 一"\n'
    policy = policy_of(breaker + breaker.replace("township", "village").replace("停 一", "停 二"))
    assert _reasons(policy, suspended="341599101") == [
        ("suspended_area", "所在区域或贷款银行已暂停放贷：341599101", "停 一；停 二")
    ]
    assert _reasons(policy_of(), suspended=True) == [("suspended_area", "所在区域或贷款银行已暂停放贷", "")]
    assert _reasons(policy, suspended=False) == []
    with pytest.raises(ValidationError, match="true、false 或文本"):
        _reasons(policy, suspended=1)


def test_a_borrower_has_one_application_at_a_time():
    """The clause is the step by which one applies."""
    policy = policy_of(products=LENDING + REQUEST)
    assert _reasons(policy, application_open="SQ1") == [("application_open", "另有办理中的申请：SQ1", "申 一")]
    assert _reasons(policy, application_open=False) == []


def test_a_household_is_led_once():
    """The clause is the condition of leading, or else the ways of helping."""
    ways = 'ways = { value = ["shares"], source = "带 一" }\n'
    leads = '[[products.household.lending.conditions]]\ncondition = "leads_households"\nsource = "带 二"\n'
    told = "农户已由其他主体带动"
    assert _reasons(policy_of(products=LENDING + ways), led_by_another="QY1") == [
        ("led_by_another", f"{told}：QY1", "带 一")
    ]
    both = policy_of(products=LENDING + ways + leads)
    assert _reasons(both, led_by_another=True, households_led=2) == [("led_by_another", told, "带 二")]
    assert _reasons(policy_of(), led_by_another=True) == [("led_by_another", told, "")]


def test_who_did_not_sign_or_consent_cannot_apply_where_the_request_needs_it():
    """What the case does not say is no reason: forms may still come."""
    policy = policy_of(products=LENDING + REQUEST)
    assert _reasons(policy, signed=False, consent=False) == [
        ("not_signed", "申请人或家庭成员没有签字", "申 一"),
        ("consent", "没有签字同意并授权查询征信", "申 一"),
    ]
    assert _reasons(policy, signed=True, consent=True) == []
    assert _reasons(policy) == []
    assert _reasons(policy_of(), signed=False, consent=False) == []
    asked = '[[products.household.lending.conditions]]\ncondition = "consent"\nsource = "贷 一"\n'
    twice = policy_of(products=LENDING + asked + REQUEST)
    assert [(code, clause) for code, _, clause in _reasons(twice, consent=False)] == [("consent", "贷 一")]


@pytest.mark.parametrize(
    ("after", "fact", "code"),
    [
        ("default", "defaulted_ever", "no_default_ever"),
        ("malicious_default", "blacklisted_maliciously", "not_blacklisted_maliciously"),
    ],
)
def test_what_bars_for_good_is_a_reason_without_a_condition(after: str, fact: str, code: str):
    """A consequence that only weakens is none, nor one that bars from a subsidy."""
    entry = '[[consequences]]\nafter = "{}"\nchanges = ["{}"]\nhow = "{}"\nsource = "惩 一"\n'
    bars = policy_of(entry.format(after, "new_loans", "barred_for_good"))
    assert [(found, clause) for found, _, clause in _reasons(bars, **{fact: True})] == [(code, "惩 一")]
    assert _reasons(bars, **{fact: False}) == []
    assert _reasons(policy_of(entry.format(after, "new_loans", "weaker")), **{fact: True}) == []
    assert _reasons(policy_of(entry.format(after, "subsidy", "barred_for_good")), **{fact: True}) == []
    asked = f'[[products.household.lending.conditions]]\ncondition = "{code}"\nsource = "贷 一"\n'
    both = policy_of(entry.format(after, "new_loans", "barred_for_good"), products=LENDING + asked)
    assert [(found, clause) for found, _, clause in _reasons(both, **{fact: True})] == [(code, "贷 一")]


def test_what_an_enterprise_borrows_beyond_the_households_it_leads_is_told():
    """Domain example 4: 12 households of 50,000.00 match 600,000.00; the rest has no subsidy."""
    policy = policy_of(
        products="""
[products.enterprise]
title = "企业贷款"
borrowers = ["enterprise"]
open = "2015-01-01.."
[products.enterprise.lending]
amount_maximum = { value = "10000000.00", source = "企 一" }
[products.enterprise.subsidy]
rate = { value = "2%", source = "企 二" }
principal_per_household_led = { value = "50000.00", source = "企 三" }
overdue = { value = "stops_at_due_date", source = "企 四" }
"""
    )
    asked = {"kind": "enterprise", "applicant": {"households_led": 12}}
    assert _judge(policy, **asked, amount="600000.00")["consequences"] == []
    found = _judge(policy, **asked, amount="600000.01")
    assert (found["eligible"], found["consequences"]) == (
        True,
        [
            {
                "code": "above_matched_amount",
                "chinese": "超过带动户数对应的额度 600000.00，超过部分不贴息",
                "clause": "企 三",
            }
        ],
    )
