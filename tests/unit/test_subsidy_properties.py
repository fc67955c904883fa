"""What holds of every subsidy, whatever the plan and the loan."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huilian.core.clock import months_later
from huilian.policy.reading import Reading
from huilian.policy.subsidy import OtherLoan, Payment, SubsidyCase
from tests.support.subsidies import RATES, cap, subsidies

if TYPE_CHECKING:
    from huilian.policy.subsidy import Subsidies

    Plans = dict[str, Subsidies]

TINY = Fraction(1, 10**40)
DAY = dt.timedelta(days=1)
FIRST, LAST = dt.date(2020, 1, 1), dt.date(2024, 1, 1)

PAYERS = """payers = [
  { rate_slice = "..3%", value = { county = "70%", city = "30%" }, source = "p" },
  { rate_slice = "3%..4%", value = { province = 1, city = 1, county = 1 }, source = "p" },
  { rate_slice = "4%..", value = { centre = "100%" }, source = "p" },
]"""
RATE = """rate = [
  { signed = "..2020-12-31", term = "..12", value = "lowest(5%, benchmark, contract)", source = "r" },
  { signed = "..2020-12-31", term = "13..", value = "contract x 0.5 + 0.1%", source = "r" },
  { signed = "2021-01-01..", term = "..12", value = "lowest(contract, lpr_1y)", source = "r" },
  { signed = "2021-01-01..", term = "13..", value = "lpr_5y", source = "r" },
]"""
FLOATING = """rate = [
  { accrued = "..2021-06-30", value = "lpr_1y", source = "r" },
  { accrued = "2021-07-01..", value = "lowest(lpr_1y, contract)", source = "r" },
]"""
SHARE = """share = [
  { accrued = "..2021-03-31", loan_year = "..", value = "100%", source = "s" },
  { accrued = "2021-04-01..", loan_year = "..1", value = "70%", source = "s" },
  { accrued = "2021-04-01..2022-04-30", loan_year = "2..", value = "33.3333%", source = "s" },
  { accrued = "2022-05-01..", loan_year = "2..", none = true, source = "s" },
]"""
PRINCIPAL = """principal = [
  { amount_slice = "..50000.00", value = "100%", source = "p" },
  { amount_slice = "50000.00..80000.00", value = "50%", source = "p" },
  { amount_slice = "80000.00..", none = true, source = "p" },
]"""
JINGDONG = """period_ends = { value = ["02-29", "06-21", "12-21"], source = "e" }
year_ends = { value = ["09-30"], source = "e" }"""
FORFEITS = 'overdue = { value = "forfeits_period", source = "o" }'
CONTINUES = 'overdue = { value = "continues", source = "o" }'
SETTLED = 'settled = { value = "on_repayment", source = "s" }'
OWED = "caps = [{}, {}]".format(
    cap(of="principal", per="household", within="year", amount="60000.00", beyond="cut"),
    cap(of="principal", per="borrower_and_bank", within="day", amount="40000.00", beyond="cut"),
)


def capped(beyond: str) -> str:
    """Return caps of a subsidy: in a year, in a lifetime, of a loan."""
    return "caps = [{}, {}, {}]".format(
        cap(of="subsidy", per="household", within="year", amount="700.00", beyond=beyond),
        cap(of="subsidy", per="loan", within="period", amount="300.00", beyond="cut"),
        cap(of="subsidy", per="household", within="lifetime", amount="2000.00", beyond=beyond),
    )


PLANS = {
    "shares": (RATE, SHARE, PAYERS, FORFEITS),
    "parts": (FLOATING, PRINCIPAL, PAYERS, JINGDONG, CONTINUES),
    "owed": (RATE, OWED, JINGDONG),
    "owed_repaid": (RATE, OWED, JINGDONG, SETTLED),
    "cut": (RATE, capped("cut"), PAYERS),
    "refused": (RATE, capped("refuse"), SHARE, JINGDONG),
    "waits": (RATE, capped("wait"), SHARE),
    "repaid": (RATE, SETTLED, capped("cut"), SHARE, PAYERS),
    "months": ('day_count = { value = "months", source = "m" }', RATE, SHARE, PAYERS, JINGDONG),
    "started": ('day_count = { value = "started_months", source = "m" }', RATE, SHARE, PRINCIPAL, capped("cut")),
}
CAPPED = ("cut", "refused", "waits", "repaid", "started")
BY_MONTH = ("months", "started")
MOST_PRINCIPAL = {"owed": 40000, "owed_repaid": 40000, "parts": 65000, "started": 65000}
BUDGET = 'appropriations = [{ year = "2021-01-01..2021-12-31", amount = "400.00", beyond = "wait", source = "a" }]'


@pytest.fixture(name="plans", scope="module")
def _plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Subsidies]:
    """Return the plans; each keeps what it looked up from loan to loan."""
    moratoria = 'moratoria = [{ due = "2021-01-01..2021-12-31", months = 4, until = "2022-02-15", source = "m" }]'
    return {
        name: subsidies(tmp_path_factory.mktemp(name), *rules, BUDGET, head=moratoria) for name, rules in PLANS.items()
    }


amounts = st.integers(0, 15_000_000).map(lambda fen: Decimal(fen) / 100)
days = st.integers(0, (LAST - FIRST).days).map(lambda number: FIRST + number * DAY)


@st.composite
def balances(draw: st.DrawFn) -> tuple[tuple[dt.date, Decimal], ...]:
    """Draw some balances by day."""
    return tuple(sorted(draw(st.dictionaries(days, amounts, max_size=4)).items()))


@st.composite
def cases(draw: st.DrawFn) -> SubsidyCase:
    """Draw a loan with what its household has beside it."""
    start = draw(days)
    due = start + draw(st.integers(1, 1200)) * DAY
    return SubsidyCase(
        loan_no="A5",
        kind="household",
        start=start,
        due=due,
        principal=draw(amounts),
        annual_rate_percent=draw(st.sampled_from(["3.7", "4.35", "4.750000", "6"]).map(Decimal)),
        signed=start - draw(st.integers(0, 90)) * DAY,
        balances=draw(balances()),
        settled=draw(st.none() | st.integers(-300, 200).map(lambda late: max(due + late * DAY, start))),
        institution="B1",
        other_loans=tuple(
            OtherLoan(f"A{number}", draw(days), draw(balances()), draw(st.sampled_from(["B1", "B2"])), draw(amounts))
            for number in range(draw(st.integers(0, 2)))
        ),
        payments_before=(),
    )


names = st.sampled_from(sorted(PLANS))
many = settings(max_examples=60, deadline=None)


@many
@given(name=names, case=cases(), since=days, until=days)
def test_segments_make_the_exact_amount_and_payers_the_paid_one(
    plans: Plans, name: str, case: SubsidyCase, since: dt.date, until: dt.date
):
    """A period is the sum of its segments, rounded once; who pays adds up to the fen."""
    found = plans[name].assess(case, since, until)
    exact = sum((Fraction(each.amount) for each in found.segments), Fraction(0))
    assert abs(exact - sum(Fraction(each.exact) for each in found.periods)) < TINY
    for period in found.periods:
        assert since <= period.last < until
        assert sum(period.by_payer.values()) == period.amount
        assert period.amount + period.waiting <= period.exact + Decimal("0.005")
    for segment in found.segments:
        assert segment.amount > 0
    answer = found.as_json()
    assert sum(map(Decimal, answer["by_payer"].values())) == Decimal(answer["amount"])


@many
@given(name=names, case=cases(), since=days, until=days)
def test_every_day_by_itself_makes_the_same(plans: Plans, name: str, case: SubsidyCase, since: dt.date, until: dt.date):
    """Reading the tables anew for each day or month and adding fractions gives each period's exact amount."""
    plan: Subsidies = plans[name]
    for period in plan.assess(case, since, until).periods:
        first = case.start if SETTLED in PLANS[name] else max(period.first, case.start)
        assert abs(Fraction(period.exact) - by_hand(plan, name, case, first, period.last)) < TINY


def by_hand(plan: Subsidies, name: str, case: SubsidyCase, first: dt.date, last: dt.date) -> Fraction:
    """Return what a loan earns in a period."""
    due = case.due
    if dt.date(2021, 1, 1) <= due <= dt.date(2021, 12, 31):
        due = max(min(months_later(due, 4), dt.date(2022, 2, 15)), due)
    end = case.settled or dt.date.max
    if CONTINUES not in PLANS[name]:
        end = min(end, due)
    total = Fraction(0)
    if name in BY_MONTH:
        number = 0
        while (day := months_later(case.start, number)) < end and day <= last:
            number += 1
            until = months_later(case.start, number)
            if first <= min(until, end) - DAY <= last and (until <= end or name == "started"):
                owed = [balance(case, day + each * DAY) for each in range((min(until, end) - day).days)]
                total += of_day(plan, name, case, day, max(owed) if name == "started" else min(owed)) / 12
        return total
    for number in range((min(end, last + DAY) - first).days):
        day = first + number * DAY
        total += of_day(plan, name, case, day, balance(case, day)) / 360
    return total


def balance(case: SubsidyCase, day: dt.date) -> Decimal:
    """Return what is owed on a day."""
    return [case.principal, *(each for since, each in case.balances if since <= day)][-1]


def of_day(plan: Subsidies, name: str, case: SubsidyCase, day: dt.date, owed: Decimal) -> Fraction:
    """Return a year's subsidy by the terms of a day."""
    product = plan.policy.products["credit"]
    reading = Reading(plan.policy, product, RATES)
    term = next(number for number in range(1, 100) if months_later(case.start, number) >= case.due)
    year = next(number for number in range(1, 100) if months_later(case.start, 12 * number) > day)
    known = {"signed": case.signed, "accrued": day, "term": term, "loan_year": year}
    rate, share = reading.row("subsidy.rate", known), reading.value("subsidy.share", known, Decimal(100))
    if share is None or rate is None:
        return Fraction(0)
    on = day if "accrued" in rate.when else case.signed
    assert on is not None
    percent = RATES.percent(rate.value, on=on, term=term, contract=case.annual_rate_percent)
    part = Fraction(0)
    for low, high, row in reading.slices("subsidy.principal", "amount_slice", known):
        width = min(owed, owed if high is None else high) - low
        part += Fraction(max(width, Decimal(0))) * Fraction(row.value or 0) / 100
    principal = part if reading.table("subsidy.principal") else Fraction(owed)
    if OWED in PLANS[name]:
        older = [each for each in case.other_loans if (each.start, each.loan_no) < (case.start, case.loan_no)]
        october = dt.date(day.year - ((day.month, day.day) < (10, 1)), 10, 1)
        since = [october + number * DAY for number in range((day - october).days + 1)]
        of_year = Fraction(sum(max(owed_by(each, earlier) for earlier in since) for each in older))
        at_bank = Fraction(sum(owed_by(each, day) for each in older if each.institution == case.institution))
        principal = max(min(principal, 60000 - of_year, 40000 - at_bank), Fraction(0))
    return principal * Fraction(percent) / 100 * Fraction(share) / 100


def owed_by(other: OtherLoan, day: dt.date) -> Decimal:
    """Return the balance of another loan on a day."""
    if day < other.start:
        return Decimal(0)
    return [other.principal or Decimal(0), *(each for since, each in other.balances if since <= day)][-1]


@many
@given(name=names, case=cases(), cuts=st.tuples(days, days, days).map(sorted), used=st.sampled_from([None, "0", "250"]))
def test_two_runs_pay_what_one_run_pays(
    plans: Plans, name: str, case: SubsidyCase, cuts: list[dt.date], used: str | None
):
    """The second run is told what the first has paid, and what waits."""
    since, middle, until = cuts
    spent = None if used is None else Decimal(used)
    case = dataclasses.replace(case, appropriation_used=spent)
    whole = plans[name].assess(case, since, until)
    one = plans[name].assess(case, since, middle)
    pers = ("household", "loan", "borrower_and_bank")
    claimed = sum((each.amount + each.waiting for each in one.periods if each.last.year == 2021), Decimal(0))
    rest = dataclasses.replace(
        case,
        paid_before=case.paid_before + one.amount,
        payments_before=tuple(Payment(per, each.last, each.amount) for per in pers for each in one.periods),
        appropriation_used=None if spent is None else spent + claimed,
    )
    two = plans[name].assess(rest, middle, until)
    paid = [(each.last, each.amount, each.waiting) for each in (*one.periods, *two.periods)]
    assert [(each.last, each.amount, each.waiting) for each in whole.periods] == paid


@many
@given(name=names, case=cases(), before=st.integers(0, 250_000).map(lambda fen: Decimal(fen) / 100))
def test_no_cap_is_ever_passed(plans: Plans, name: str, case: SubsidyCase, before: Decimal):
    """Neither by what is paid with what was paid before, nor by the principal."""
    told = (Payment("household", dt.date(2021, 2, 3), before),)
    found = plans[name].assess(dataclasses.replace(case, paid_before=before, payments_before=told))
    if name in CAPPED:
        ends = (9, 30) if JINGDONG in PLANS[name] else (12, 31)
        spent: dict[int, Decimal] = {2021: min(before, Decimal(700))}
        for each in found.periods:
            year = each.last.year + ((each.last.month, each.last.day) > ends)
            spent[year] = spent.get(year, Decimal(0)) + each.amount
        assert max(spent.values()) <= 700
        assert all(each.amount <= 300 for each in found.periods)
        assert found.amount <= max(2000 - before, 0)
    for segment in found.segments:
        assert segment.principal <= MOST_PRINCIPAL.get(name, segment.principal)


@many
@given(name=names, case=cases(), day=days)
def test_a_balance_told_again_changes_nothing(plans: Plans, name: str, case: SubsidyCase, day: dt.date):
    """A loan cut in two by an entry of the same balance pays the same."""
    again = dict(case.balances)
    again.setdefault(day, balance(case, day))
    same = dataclasses.replace(case, balances=tuple(sorted(again.items())))
    one, two = plans[name].assess(case).as_json(), plans[name].assess(same).as_json()
    assert one == two
