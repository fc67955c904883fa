"""The cases beside each pack: the plans' worked examples, to the fen."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from huilian.policy import policies, reference_rates, working_days
from huilian.policy.workbench import case_file

PACKS = policies.available()
RATES = reference_rates.load()
WORKING_DAYS = working_days.load()


@pytest.mark.parametrize("name", PACKS)
def test_every_case_beside_a_pack_comes_out(name: str):
    """What a lawyer reads there is what is paid."""
    cases, faults = case_file.read(files("contracts") / "policies" / f"{name}{case_file.SUFFIX}")
    assert (bool(cases), faults) == (True, ())
    policy = policies.load(name)
    outcomes = [case_file.run(case, policy, RATES, WORKING_DAYS) for case in cases]
    wrong = {each.case.title: each.wrong for each in outcomes if each.wrong}
    assert wrong == {}, json.dumps(wrong, ensure_ascii=False, default=str, indent=2)


@pytest.mark.parametrize("name", PACKS)
def test_no_case_gives_what_nobody_reads(name: str):
    """A key that a function does not know is misspelt."""
    policy = policies.load(name)
    for case in case_file.read(files("contracts") / "policies" / f"{name}{case_file.SUFFIX}")[0]:
        found = case_file.run(case, policy, RATES, WORKING_DAYS).found
        ignored = [each["ignored"] for each in found.get("months", [found])]
        assert [each for each in ignored if each] == [], case.title


def test_cases_cover_every_function():
    """Each is tried by what a plan says."""
    found = {
        case.function
        for name in PACKS
        for case in case_file.read(files("contracts") / "policies" / f"{name}{case_file.SUFFIX}")[0]
    }
    assert found == {"rating", "eligibility", "subsidy", "loss", "breaker", "insurance"}
