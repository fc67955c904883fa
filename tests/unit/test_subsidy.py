"""Subsidies of interest: the worked examples and facts of real plans, each by a small policy of its own."""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from marshmallow import ValidationError

from huilian.core.errors import ConfigurationError
from huilian.policy.reference_rates import UnknownRateError
from huilian.policy.subsidy import CASE
from huilian.policy.tables import MissingFactError
from tests.support.subsidies import RATES, assess, cap, codes, subsidies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huilian.policy.subsidy import Subsidies

    Plan = Callable[..., Subsidies]

YEARLY = 'period_ends = { value = ["12-31"], source = "三" }'
JINGDONG = 'period_ends = { value = ["03-21", "06-21", "09-21", "12-21"], source = "景东" }'
ON_REPAYMENT = 'settled = { value = "on_repayment", source = "三" }'


@pytest.fixture(name="plan")
def _plan(tmp_path: Path) -> Plan:
    """Return what reads a policy of one product from the rules of its subsidy."""
    return functools.partial(subsidies, tmp_path)


ANHUI = (
    'rate = { value = "lowest(5%, benchmark, contract)", source = "篇三 三(三)" }',
    ON_REPAYMENT,
    f"caps = [{cap(of='subsidy', per='household', within='lifetime', amount='3000.00', beyond='cut', source='篇三')}]",
)


def test_a_loan_repaid_on_its_due_date_earns_the_benchmark_for_its_366_days(plan: Plan):
    """Anhui: 50,000.00 at 4.35 % from 2019-03-01 to 2020-03-01 is 2,211.25."""
    loan = {"start": "2019-03-01", "due": "2020-03-01", "settled": "2020-03-01", "annual_rate_percent": "4.35"}
    found = assess(plan(*ANHUI), "2020-01-01", "2020-04-01", **loan)
    assert found["amount"] == "2211.25"
    assert found["by_payer"] == {"county": "2211.25"}
    assert found["reasons"] == []
    assert found["segments"] == [
        {
            "from": "2019-03-01",
            "to": "2020-03-01",
            "days": 366,
            "principal": "50000.00",
            "rate_percent": "4.35",
            "amount": "2211.250000",
        }
    ]
    assert (found["policy"], found["version"], found["product"]) == ("county", "3", "credit")


@pytest.mark.parametrize(("paid_before", "paid"), [("0.00", "3000.00"), ("1234.56", "1765.44"), ("3000.00", "0.00")])
def test_a_household_gets_what_is_left_of_its_3000(plan: Plan, paid_before: str, paid: str):
    """Anhui: 1,096 days at 4.75 % are 7,230.56 before the cap."""
    loan = {"start": "2019-03-01", "due": "2022-03-01", "settled": "2022-03-01", "annual_rate_percent": "4.75"}
    found = assess(plan(*ANHUI), paid_before=paid_before, **loan)
    assert found["periods"][0]["rounded"] == "7230.56"
    assert found["amount"] == paid
    assert found["reasons"][0]["code"] == "cap"
    assert found["reasons"][0]["clause"] == "篇三"


XINGAN = ('rate = { value = "3%", source = "篇六" }',)


def test_three_per_cent_of_a_loan_at_six_leaves_half_to_the_household(plan: Plan):
    """Xingan: of 1,825.00 interest in 365 days the county pays 912.50."""
    loan = {"principal": "30000.00", "annual_rate_percent": "6", "settled": "2022-01-01"}
    assert assess(plan(), "2021-01-01", "2022-01-01", **loan)["amount"] == "1825.00"
    found = assess(plan(*XINGAN), "2021-01-01", "2022-01-01", **loan)
    assert found["amount"] == "912.50"
    assert [period["amount"] for period in found["periods"]] == ["225.00", "227.50", "230.00", "230.00"]


def test_days_after_the_due_date_earn_nothing(plan: Plan):
    """Xingan: repaid 20 days late, the subsidy is still 912.50."""
    loan = {"principal": "30000.00", "annual_rate_percent": "6", "settled": "2022-01-21"}
    found = assess(plan(*XINGAN), "2021-01-01", "2022-04-01", **loan)
    assert found["amount"] == "912.50"
    assert codes(found) == ["overdue"]


def test_a_period_follows_the_balance_day_by_day(plan: Plan):
    """Yanchi: 45 days on 50,000.00 and 46 on 30,000.00 at 3.85 % are 388.21."""
    loan = {"start": "2021-01-10", "due": "2022-01-10", "balances": [{"from": "2021-05-16", "balance": "30000.00"}]}
    found = assess(plan(), "2021-04-01", "2021-07-01", **loan)
    assert found["amount"] == "388.21"
    assert [(each["days"], each["principal"], each["amount"]) for each in found["segments"]] == [
        (45, "50000.00", "240.625000"),
        (46, "30000.00", "147.583333"),
    ]


LUSHI = (
    """rate = [
      { borrower = "household", value = "contract", source = "篇八" },
      { borrower = "enterprise", value = "2%", source = "篇八" },
    ]""",
    'principal_per_household_led = { value = "50000.00", source = "篇八", assumed = true }',
    "caps = ["
    + cap(of="principal", per="household", within="day", amount="50000.00", beyond="cut", borrower="household")
    + "]",
    'lead_bank_only = { value = true, source = "篇八" }',
)


def test_an_enterprise_is_subsidised_on_what_matches_the_households_it_leads(plan: Plan):
    """Lushi: 1,000,000.00 leading 12 households: a year of 365 days at 2 % on 600,000.00 is 12,166.67."""
    loan = {"kind": "enterprise", "principal": "1000000.00", "households_led": 12}
    found = assess(plan(*LUSHI, YEARLY), "2021-01-01", "2022-01-01", **loan)
    assert found["amount"] == "12166.67"
    assert found["segments"][0]["principal"] == "600000.00"
    assert codes(found) == ["households_led"]
    with pytest.raises(MissingFactError, match="households_led"):
        assess(plan(*LUSHI, YEARLY), "2021-01-01", "2022-01-01", **{**loan, "households_led": None})


def test_older_loans_of_the_household_use_up_its_50000_first(plan: Plan):
    """Lushi: each day min(balance, what the older loans leave of 50,000)."""
    older = {
        "loan_no": "A0",
        "start": "2020-06-01",
        "balances": [{"from": "2020-06-01", "balance": "30000.00"}, {"from": "2021-02-01", "balance": "10000.00"}],
        "settled": "2021-03-02",
    }
    younger = {"loan_no": "A9", "start": "2021-01-01", "balances": [{"from": "2021-01-01", "balance": "50000.00"}]}
    found = assess(plan(*LUSHI), "2021-01-01", "2021-04-01", other_loans=[younger, older], annual_rate_percent="3.6")
    assert [(each["from"], each["principal"]) for each in found["segments"]] == [
        ("2021-01-01", "20000.00"),
        ("2021-02-01", "40000.00"),
        ("2021-03-02", "50000.00"),
    ]
    # 20,000 x 31 days + 40,000 x 29 days + 50,000 x 30 days, at 3.6 % of 360 days.
    assert found["amount"] == "328.00"
    assert codes(found) == ["older_loans"]


def test_only_the_lead_bank_s_loans_are_subsidised_where_a_plan_says_so(plan: Plan):
    """A bank that is not told of passes: the case says false where it is known."""
    assert assess(plan(*LUSHI), lead_bank=True)["amount"] == assess(plan(*LUSHI))["amount"] != "0.00"
    found = assess(plan(*LUSHI), lead_bank=False)
    assert (found["amount"], codes(found), found["segments"]) == ("0.00", ["not_lead_bank"], [])


# Facts of plans beyond the eight.

COHORTS = """share = [
  { signed = "..2020-12-31", accrued = "..", value = "100%", source = "旧" },
  { signed = "2021-01-01..", accrued = "..2023-12-31", value = "100%", source = "新" },
  { signed = "2021-01-01..", accrued = "2024-01-01..2025-12-31", value = "70%", source = "新七成" },
  { signed = "2021-01-01..", accrued = "2026-01-01..", none = true, source = "未定" },
]"""


def test_old_contracts_keep_their_terms_and_new_ones_change_by_day_of_accrual(plan: Plan):
    """Qingyang 2024: signed by 2020-12-31 all interest; later ones 70 % of what accrues in 2024 and 2025."""
    loan = {"start": "2023-07-01", "due": "2026-07-01", "annual_rate_percent": "3.6", "principal": "50000.00"}
    new = assess(plan(COHORTS, YEARLY), "2023-01-01", "2027-01-01", signed="2023-06-20", **loan)
    assert [(each["from"], each["to"], each["rate_percent"]) for each in new["segments"]] == [
        ("2023-07-01", "2024-01-01", "3.60"),
        ("2024-01-01", "2025-01-01", "2.52"),
        ("2025-01-01", "2026-01-01", "2.52"),
    ]
    # 184 days at 5.00 a day, then 366 and 365 at 3.50.
    assert [period["amount"] for period in new["periods"]] == ["920.00", "1281.00", "1277.50"]
    assert [(reason["code"], reason["clause"]) for reason in new["reasons"]] == [
        ("overdue", "二"),
        ("share", "新七成"),
        ("not_said", "未定"),
    ]
    old = assess(plan(COHORTS, YEARLY), "2024-01-01", "2025-01-01", signed="2020-12-31", **loan)
    assert old["amount"] == "1830.00"


@pytest.mark.parametrize(
    ("principal", "limit", "paid"), [("100000.00", "50000.00", "455.00"), ("500000.00", "100000.00", "910.00")]
)
def test_only_the_part_of_a_loan_under_the_limit_is_subsidised(plan: Plan, principal: str, limit: str, paid: str):
    """National 2021: above 50,000 nothing; Hainan: loans to 500,000 are subsidised on 100,000."""
    part = f"""principal = [
      {{ amount_slice = "..{limit}", value = "100%", source = "内" }},
      {{ amount_slice = "{limit}..", value = "0%", source = "外" }},
    ]"""
    found = assess(plan(part), "2021-04-01", "2021-07-01", principal=principal, annual_rate_percent="3.6")
    assert found["amount"] == paid
    assert found["segments"][0]["principal"] == limit
    assert [(each["code"], each["clause"]) for each in found["reasons"]] == [("part_of_principal", "外")]
    # What is repaid leaves the part above the limit first: min(balance, limit).
    repaid = [{"from": "2021-05-01", "balance": limit}]
    found = assess(
        plan(part), "2021-04-01", "2021-07-01", principal=principal, annual_rate_percent="3.6", balances=repaid
    )
    assert (found["amount"], len(found["segments"])) == (paid, 1)


BY_TERM = """rate = [
  { term = "..12", value = "lowest(contract, lpr_1y)", source = "一年期" },
  { term = "13..", value = "lowest(contract, lpr_5y)", source = "五年期" },
]"""


def test_the_rate_is_capped_by_term_at_the_day_of_signing(plan: Plan):
    """Qingyang: up to a year the 1-year LPR, longer the 5-year LPR, fixed for the contract."""
    loan = {"signed": "2022-01-10", "start": "2022-02-01", "annual_rate_percent": "5"}
    quarter = ("2022-10-01", "2023-01-01")
    short = assess(plan(BY_TERM), *quarter, **loan, due="2023-02-01")
    long = assess(plan(BY_TERM), *quarter, **loan, due="2025-02-01")
    assert [short["segments"][0]["rate_percent"], long["segments"][0]["rate_percent"]] == ["3.80", "4.65"]
    assert [short["amount"], long["amount"]] == ["485.56", "594.17"]


def test_a_rate_that_depends_on_the_day_of_accrual_follows_the_publications(plan: Plan):
    """Then a new LPR begins a new segment."""
    rate = """rate = [
      { accrued = "..2020-12-31", value = "benchmark", source = "旧" },
      { accrued = "2021-01-01..", value = "lpr_1y", source = "新" },
    ]"""
    loan = {"start": "2020-10-01", "due": "2022-06-01"}
    found = assess(plan(rate, YEARLY), "2020-01-01", "2023-01-01", **loan)
    assert [(each["from"], each["rate_percent"]) for each in found["segments"]] == [
        ("2020-10-01", "4.75"),
        ("2021-01-01", "3.85"),
        ("2021-12-20", "3.80"),
        ("2022-01-01", "3.80"),
        ("2022-01-20", "3.70"),
    ]
    assert [each["amount"] for each in found["periods"]] == ["606.94", "1950.90", "778.61"]


def test_settlement_ends_on_the_days_that_the_county_has(plan: Plan):
    """Jingdong settles to 21 June: the quarter runs from 22 March."""
    found = assess(plan(JINGDONG), "2021-06-01", "2021-07-01", annual_rate_percent="3.6")
    assert (found["amount"], found["periods"][0]["from"], found["periods"][0]["to"]) == (
        "460.00",
        "2021-03-22",
        "2021-06-22",
    )


def test_a_subsidy_year_of_its_own_runs_from_october_to_september(plan: Plan):
    """Shaanxi: a loan of 2021 is paid to 30 September 2021, then for the year after that."""
    ends = 'period_ends = { value = ["09-30"], source = "陕西" }\nyear_ends = { value = ["09-30"], source = "陕西" }'
    found = assess(plan(ends), "2021-09-01", "2022-10-01", annual_rate_percent="3.6")
    assert [(each["from"], each["to"], each["amount"]) for each in found["periods"]] == [
        ("2021-01-01", "2021-10-01", "1365.00"),
        ("2021-10-01", "2022-10-01", "460.00"),
    ]


def test_an_estimate_is_settled_by_the_difference(plan: Plan):
    """Jingdong 2020: 4,518,410.91 were paid on an estimate before the period closed."""
    rules = f"{JINGDONG}\nestimated = {{ value = true, source = '景东' }}"
    loan = {"principal": "400000000.00", "annual_rate_percent": "4.4", "start": "2020-01-01", "due": "2021-01-01"}
    quarter = ("2020-06-01", "2020-07-01")
    estimate = assess(plan(rules), *quarter, **loan)
    assert (estimate["amount"], estimate["estimated"]) == ("4497777.78", True)
    paid = assess(plan(rules), *quarter, **loan, paid_on_estimate="4518410.91")
    assert paid["difference"] == "-20633.13"
    assert assess(plan(), *quarter, **loan)["estimated"] is False


FULL, STARTED = (f'day_count = {{ value = "{word}", source = "月" }}' for word in ("months", "started_months"))


@pytest.mark.parametrize(("rule", "paid"), [(FULL, "600.00"), (STARTED, "750.00")])
def test_a_part_of_a_month_counts_or_does_not(plan: Plan, rule: str, paid: str):
    """50,000.00 at 3.6 % is 150.00 a month: 15 January to 25 May is four months and ten days."""
    loan = {"start": "2021-01-15", "settled": "2021-05-25", "annual_rate_percent": "3.6"}
    found = assess(plan(rule), "2021-01-01", "2021-07-01", **loan)
    assert found["amount"] == paid
    assert sum(each["months"] for each in found["segments"]) == int(Decimal(paid) / 150)
    # The months that end in the first quarter are those to 14 February and 14 March.
    assert found["periods"][0]["amount"] == "300.00"


def test_a_balance_that_falls_within_a_month_counts_all_month_or_not_at_all(plan: Plan):
    """A full month counts what was owed all month, a started month the most that was owed in it."""
    loan = {"annual_rate_percent": "3.6", "balances": [{"from": "2021-02-10", "balance": "20000.00"}]}
    full, started = (assess(plan(rule), "2021-01-01", "2021-04-01", **loan) for rule in (FULL, STARTED))
    assert [full["amount"], started["amount"]] == ["270.00", "360.00"]


@pytest.mark.parametrize(
    ("rule", "on_time", "late", "code"),
    [
        ("stops_at_due_date", "1825.00", "1825.00", "overdue"),
        ("continues", "1825.00", "1925.00", ""),
        ("forfeits_period", "1825.00", "1365.00", "period_forfeited"),
        ("only_repaid_on_time", "1825.00", "0.00", "not_repaid_on_time"),
    ],
)
def test_what_an_overdue_loan_earns_is_the_plan_s_word(plan: Plan, rule: str, on_time: str, late: str, code: str):
    """Due on 1 January 2022 in a year that ends on 30 September; repaid on the day, or 20 days late."""
    rules = (
        f'overdue = {{ value = "{rule}", source = "逾期" }}',
        'period_ends = { value = ["09-30"], source = "年" }',
        'rate = { value = "3.6%", source = "一" }',
    )
    time = ("2021-01-01", "2022-10-01")
    assert assess(plan(*rules), *time, settled="2022-01-01")["amount"] == on_time
    found = assess(plan(*rules), *time, settled="2022-01-21")
    assert found["amount"] == late
    assert (code in codes(found)) is bool(code)


def test_what_waits_for_repayment_rests_on_the_rule_that_says_so(plan: Plan):
    """Not on that of overdue loans."""
    rules = (
        'settled = { value = "on_repayment", source = "三(三)" }',
        'overdue = { value = "stops_at_due_date", source = "逾期" }',
    )
    [reason] = assess(plan(*rules), "2021-01-01", "2021-07-01")["reasons"]
    assert (reason["code"], reason["clause"]) == ("not_repaid_yet", "三(三)")


def test_only_what_is_repaid_waits_for_repayment(plan: Plan):
    """Such a plan settles on repayment: before, nobody knows."""
    rule = 'overdue = { value = "only_repaid_on_time", source = "逾期" }'
    assert codes(assess(plan(rule), "2021-01-01", "2021-07-01")) == ["not_repaid_yet"]
    found = assess(plan(rule), "2022-01-01", "2022-04-01", settled="2022-01-01", annual_rate_percent="3.6")
    assert found["amount"] == "1825.00"
    assert assess(plan(rule), "2021-10-01", "2022-01-01", settled="2022-01-01")["amount"] == "0.00"


HAINAN = (
    """rate = [
      { due = "..2022-07-31", signed = "..2022-07-31", value = "5%", source = "海南" },
      { due = "2022-08-01..2022-12-31", signed = "..2022-07-31", value = "6%", source = "海南 加" },
      { due = "2023-01-01..", signed = "..2022-07-31", value = "5%", source = "海南" },
      { due = "..", signed = "2022-08-01..2022-12-31", value = "6%", source = "海南 加" },
      { due = "..", signed = "2023-01-01..", value = "5%", source = "海南" },
    ]""",
    """payers = [
      { rate_slice = "..5%", value = { county = "100%" }, source = "海南 县" },
      { rate_slice = "5%..", value = { province = "100%" }, source = "海南 省" },
    ]""",
)


@pytest.mark.parametrize(
    ("loan", "by_payer"),
    [
        ({"start": "2022-03-01", "due": "2022-10-01"}, {"county": "638.89", "province": "127.78"}),
        ({"start": "2022-03-01", "due": "2023-03-01"}, {"county": "638.89"}),
        ({"start": "2022-09-01", "due": "2023-09-01"}, {"county": "208.33", "province": "41.67"}),
    ],
)
def test_the_added_slice_of_the_rate_is_paid_by_the_province(
    plan: Plan, loan: dict[str, str], by_payer: dict[str, str]
):
    """Hainan: 5 % from the county; for loans due or new in August to December 2022 1 % more from the province."""
    found = assess(plan(*HAINAN), "2022-07-01", "2022-10-01", **loan)
    assert found["by_payer"] == by_payer
    assert Decimal(found["amount"]) == sum(map(Decimal, by_payer.values()))


def test_payers_within_a_slice_share_by_largest_remainder(plan: Plan):
    """One fen that is left goes to the first named."""
    payers = 'payers = { value = { province = 1, city = 1, county = 1 }, source = "三级" }'
    found = assess(
        plan(payers, 'rate = { value = "3.6%", source = "一" }'), "2021-01-01", "2021-04-01", principal="1001.00"
    )
    assert found["amount"] == "9.01"
    assert found["by_payer"] == {"province": "3.01", "city": "3.00", "county": "3.00"}


def test_an_ordinary_farmer_s_loan_is_subsidised_for_one_year_only(plan: Plan):
    """Hainan: the second year of an ordinary household's loan earns nothing."""
    share = """share = [
      { household_kind = "ordinary", loan_year = "1..1", value = "100%", source = "海南 年" },
      { household_kind = "ordinary", loan_year = "2..", value = "0%", source = "海南 年" },
      { household_kind = ["poor", "out_of_poverty"], loan_year = "..", value = "100%", source = "海南" },
      { household_kind = ["monitored", "marginal"], loan_year = "..", value = "100%", source = "海南" },
    ]"""
    loan = {"start": "2021-05-16", "due": "2023-05-16", "annual_rate_percent": "3.6"}
    time = ("2022-04-01", "2022-07-01")
    ordinary = assess(plan(share), *time, household_kind="ordinary", **loan)
    assert (ordinary["amount"], codes(ordinary)) == ("225.00", ["share"])
    assert assess(plan(share), *time, household_kind="monitored", **loan)["amount"] == "455.00"
    with pytest.raises(MissingFactError, match="household_kind"):
        assess(plan(share), *time, **loan)


def test_an_extension_keeps_the_term_of_the_contract(plan: Plan):
    """A loan of a year that was extended keeps the rate of a year."""
    loan = {"signed": "2021-12-31", "start": "2022-01-01", "annual_rate_percent": "5"}
    extended = assess(plan(BY_TERM), "2023-01-01", "2023-04-01", **loan, due="2023-07-01", due_at_signing="2023-01-01")
    assert extended["segments"][0]["rate_percent"] == "3.80"
    assert extended["reasons"] == []


def test_a_line_that_owes_nothing_at_its_due_date_is_not_overdue(plan: Plan):
    """It was drawn and repaid, though nobody closed it."""
    forfeits = 'overdue = { value = "forfeits_period", source = "逾期" }'
    balances = [{"from": "2021-11-01", "balance": "0.00"}]
    found = assess(plan(forfeits, YEARLY), "2021-01-01", "2023-01-01", due="2021-12-01", balances=balances)
    assert (found["amount"], found["reasons"]) == ("1625.56", [])
    found = assess(plan(forfeits, YEARLY), "2021-01-01", "2023-01-01", due="2021-12-01")
    assert (found["amount"], codes(found)) == ("0.00", ["overdue", "period_forfeited"])


def test_a_half_fen_of_the_period_is_rounded_up_once(plan: Plan):
    """Segments of 0.002 and 0.003 make 0.01; each rounded by itself they would be nothing."""
    balances = [{"from": "2021-01-02", "balance": "30.00"}]
    found = assess(
        plan('rate = { value = "3.6%", source = "一" }'), principal="20.00", balances=balances, settled="2021-01-03"
    )
    assert [each["amount"] for each in found["segments"]] == ["0.002000", "0.003000"]
    assert (found["periods"][0]["exact"], found["amount"]) == ("0.005000", "0.01")


def test_periods_count_whose_last_day_lies_in_the_time(plan: Plan):
    """The first day of the time is in it, the last is not."""
    loan = {"annual_rate_percent": "3.6"}
    quarters = [each["to"] for each in assess(plan(), "2021-03-31", "2021-06-30", **loan)["periods"]]
    assert quarters == ["2021-04-01"]
    whole = assess(plan(), **loan)
    assert [each["amount"] for each in whole["periods"]] == ["450.00", "455.00", "460.00", "460.00"]


def test_every_row_that_was_read_is_listed_with_the_rate_known_until(plan: Plan):
    """A figure can be followed back to its clauses."""
    rate = 'rate = { value = "lpr_1y", source = "利率" }'
    found = assess(plan(rate), "2031-01-01", "2031-04-01", start="2031-01-01", due="2032-01-01")
    assert [row["rule"].rpartition(".")[2] for row in found["parameters"]] == ["overdue", "rate"]
    assert found["known_until"] == RATES.known_until["lpr_1y"].isoformat()
    assert {"step": "rate", "rule": "lpr_1y", "percent": "3.00", "share": "100.00%"} in found["steps"]
    assert assess(plan(rate), "2021-01-01", "2021-04-01")["known_until"] is None
    with pytest.raises(UnknownRateError):
        assess(plan(rate), start="2018-01-01", due="2019-01-01")


def test_a_loan_outside_its_product_is_refused_and_an_unknown_product_is_a_mistake(plan: Plan):
    """The first is a reason, the second cannot be judged."""
    assert codes(assess(plan(), start="2009-01-01", due="2010-01-01")) == ["no_product"]
    assert codes(assess(plan(), start="2009-01-01", due="2010-01-01", product="credit")) == ["not_of_product"]
    with pytest.raises(ConfigurationError, match="HL6007"):
        assess(plan(), product="other")


def test_a_case_with_wrong_fields_is_refused_with_each_of_them():
    """Nothing is computed from a guess."""
    raw = {"loan_no": "A1", "kind": "village", "start": "2021-01-01", "due": "2021-02-30", "principal": "1.5"}
    assert sorted(CASE.validate(raw)) == ["annual_rate_percent", "due", "kind", "principal"]
    twice = [{"from": "2021-01-02", "balance": "1.00"}, {"from": "2021-01-02", "balance": "2.00"}]
    fine = {"loan_no": "A1", "kind": "household", "start": "2021-01-01", "due": "2022-01-01", "principal": "1.00"}
    assert sorted(CASE.validate({**fine, "annual_rate_percent": "4", "balances": twice})) == ["balances"]
    unknown = [{"loan_no": "A2", "start": "2021-01-01", "balances": []}]
    assert sorted(CASE.validate({**fine, "annual_rate_percent": "4", "settled": "2020-12-31"})) == ["settled"]
    assert CASE.load({**fine, "annual_rate_percent": None, "balances": None, "other_loans": None}).balances == ()
    with pytest.raises(ValidationError, match="neither balances nor principal"):
        CASE.load({**fine, "annual_rate_percent": "4", "other_loans": unknown})
    assert CASE.validate({**fine, "annual_rate_percent": "4", "due": "2020-12-31"}) == {
        "due": ["早于起始日 (before start)"]
    }
