"""Ledgers told by their differences: what comes of them is what would have come of the whole."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huilian.core.errors import MessageRefused
from huilian.county.messages.processor import Result
from tests.integration.services.test_registry_model import MONTHS, histories
from tests.support.assertions.ledgers import check_changes, check_figures, check_registry, submission
from tests.support.builders.loans import state
from tests.support.model import Ledger, Model
from tests.support.reporting import BANKS, ReportingCounty, Submission, again

BANK = BANKS[1]
JANUARY, FEBRUARY, MARCH = dt.date(2025, 1, 31), dt.date(2025, 2, 28), dt.date(2025, 3, 31)


def ledger(as_of: dt.date, *loans: str, base: Submission | None = None, **changes: str) -> Submission:
    """Return a ledger with these loans, all in the same state."""
    return Submission(BANK, as_of, [{"loan_no": loan} | state(**changes) for loan in loans], base=base)


def refused(county: ReportingCounty, told: Submission) -> str:
    """Deliver what the county refuses; return the code, and see that nothing of it counts."""
    before = county.everything()
    codes = []
    for message in county.messages(told):
        outcome = county.deliver(message)
        if outcome.result is Result.REFUSED:
            assert isinstance(outcome.refusal, MessageRefused)
            codes.append(outcome.refusal.code)
    assert county.receipt(told) is None
    assert county.everything() | {"receipt": None} == before | {"receipt": None}
    [code] = codes
    return code


def may_be_based(model: Model, base: Ledger, ledger: Ledger) -> bool:
    """Return whether the county can complete a ledger from its base, by the definition."""
    dates = model.dates(base.institution)
    beside = [each for each in model.ledgers if (each.institution, each.as_of) == (base.institution, base.as_of)]
    return base.as_of == dates[-1] < ledger.as_of and len(beside) == 1


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.randoms(use_true_random=False))
def test_whatever_is_told_by_its_differences_comes_to_the_same(
    opened: ReportingCounty, ledgers: list[Ledger], choice: object
):
    """Based on any earlier ledger: it is completed exactly, or asked for as a whole; the model agrees after each."""
    opened.empty()
    model, sent = Model(), []
    for each in ledgers:
        of_bank = [pair for pair in sent if pair[0].institution == each.institution]
        whole = submission(each, part_rows=4)
        told = whole
        if of_bank:
            base, stated = choice.choice(of_bank)  # type: ignore[attr-defined]  # a random.Random
            told = replace(whole, base=stated)
            if not may_be_based(model, base, each):
                assert refused(opened, told) == "HL1021"
                told = whole
        receipt = opened.push(told)
        assert receipt["status"] == "accepted"
        assert {name: receipt[name] for name in ("changed", "unchanged", "missing")} == model.counts(each)
        model.enter(each)
        sent.append((each, told))
        check_registry(opened, model)
        check_changes(opened, model)
        check_figures(opened, model, MONTHS)


def test_only_what_changed_is_sent_and_the_receipt_counts_the_whole(county: ReportingCounty):
    """One loan of four changed, one came, one went."""
    first = ledger(JANUARY, "L1", "L2", "L3", "L4")
    county.push(first)
    rows = [*first.rows[:2], first.rows[2] | {"balance": "20000.00"}, {"loan_no": "L5"} | state()]
    second = Submission(BANK, FEBRUARY, rows, base=first)
    assert [(kind, [record["loan_no"] for record in records]) for kind, records in second.bodies()] == [
        ("loan_ledger", ["L3", "L5"]),
        ("loans_gone", ["L4"]),
    ]
    receipt = county.push(second)
    counts = {name: receipt[name] for name in ("rows", "accepted", "changed", "unchanged", "missing")}
    assert counts == {"rows": 4, "accepted": 4, "changed": 2, "unchanged": 2, "missing": 1}


def test_a_ledger_without_any_difference_has_no_parts_and_is_a_ledger(county: ReportingCounty):
    """The bank has reported for the month."""
    first = ledger(JANUARY, "L1", "L2")
    county.push(first)
    second = replace(ledger(FEBRUARY, "L1", "L2"), base=first)
    assert second.bodies() == []
    receipt = county.push(second)
    assert (receipt["accepted"], receipt["changed"], receipt["unchanged"]) == (2, 0, 2)
    assert BANK not in county.figures_of("2025-02")["stale"]


def test_pushed_again_it_is_answered_with_the_same_receipt(county: ReportingCounty):
    """Told by its differences or as a whole, from whatever base."""
    first = ledger(JANUARY, "L1", "L2")
    county.push(first)
    second = ledger(FEBRUARY, "L1", base=first, balance="1.00")
    receipt = county.push(second)
    before = county.everything()
    assert county.push(second) == receipt
    assert county.push(replace(second, base=None)) == receipt
    assert county.push(replace(second, base=second)) == receipt
    assert county.everything() == before


def test_a_ledger_based_on_what_is_not_the_newest_is_asked_for_as_a_whole(county: ReportingCounty):
    """Its base is an older one, or unknown here; sent whole under the same name, it is taken."""
    first = ledger(JANUARY, "L1", "L2")
    county.push(first)
    county.push(ledger(FEBRUARY, "L1"))
    for base in (first, ledger(FEBRUARY, "L1", "L2")):
        third = ledger(MARCH, "L1", "L2", "L3", base=base)
        assert refused(county, third) == "HL1021"
    assert county.push(replace(third, base=None))["status"] == "accepted"


def test_totals_that_the_whole_does_not_come_to_ask_for_the_whole(county: ReportingCounty):
    """By a fen, by a loan; what is wrong with the file itself is judged then."""
    first = ledger(JANUARY, "L1", "L2")
    county.push(first)
    second = ledger(FEBRUARY, "L1", "L3", base=first)
    totals = second.totals()
    for stated in (
        {"totals": totals | {"balance": "60000.01"}},
        {"totals": totals | {"principal": "99999.99"}},
        {"accepted": 3, "rows": 3},
    ):
        assert refused(county, again(second, stated=stated)) == "HL1021"
    whole = again(second, stated={"totals": totals | {"balance": "60000.01"}}, base=None)
    receipt = county.push(whole)
    assert (receipt["status"], receipt["code"]) == ("refused", "HL3012")


def test_a_loan_that_is_there_and_gone_asks_for_the_whole(county: ReportingCounty):
    """Or one that appears twice."""
    first = ledger(JANUARY, "L1", "L2")
    county.push(first)

    class Contradicting(Submission):
        def bodies(self) -> list[tuple[str, list[dict[str, object]]]]:
            return [("loan_ledger", self.of_type("loan_ledger")), ("loans_gone", [{"line": 1, "loan_no": "L1"}])]

    rows = [{"loan_no": loan} | state(balance="1.00") for loan in ("L1", "L2")]
    assert refused(county, Contradicting(BANK, FEBRUARY, rows, base=first)) == "HL1021"
    never = Submission(BANK, FEBRUARY, rows, base=replace(first, rows=[*first.rows, {"loan_no": "L9"} | state()]))
    assert refused(county, again(never)) == "HL1021"
    twice = Submission(BANK, FEBRUARY, [*rows, rows[0]], base=first)
    assert refused(county, twice) == "HL1021"


def test_loans_gone_stand_in_no_ledger_that_is_told_as_a_whole(county: ReportingCounty):
    """What a whole ledger leaves out is missing; nobody need say so."""
    first = ledger(JANUARY, "L1", "L2")
    county.push(first)
    second = ledger(FEBRUARY, "L1", base=first)
    manifest, *parts = county.messages(replace(second, base=None))
    gone = {"sequence": len(parts), "type": "loans_gone", "records": 1, "sha256": "0" * 64}
    stated = [*manifest.json()["parts"], gone]
    outcome = county.deliver(county.manifest(again(second, base=None), stated))
    assert (outcome.result, str(outcome.refusal)[:6]) == (Result.REFUSED, "HL1010")


def test_a_numbered_file_says_all_that_it_states(county: ReportingCounty):
    """A lower number that comes later must not overwrite what it confirmed."""
    first = ledger(JANUARY, "L1", "L2")
    county.push(first)
    numbered = replace(ledger(FEBRUARY, "L1", "L2", base=first), file_sequence=2)
    assert refused(county, numbered) == "HL1021"
    assert county.push(replace(numbered, base=None))["status"] == "accepted"
