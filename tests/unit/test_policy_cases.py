"""The cases beside each pack: the plans' worked examples, to the fen."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from huilian.policy import policies, reference_rates, working_days
from huilian.policy.workbench import case_file

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

EXAMPLES = Path(__file__).parents[2] / "examples" / "policies"
FILES: dict[str, Traversable] = {
    **{name: files("contracts") / "policies" / f"{name}.toml" for name in policies.available()},
    **{path.stem: path for path in sorted(EXAMPLES.glob("*.toml")) if "." not in path.stem},
}
RATES = reference_rates.load()
WORKING_DAYS = working_days.load()


def _outcomes(name: str) -> list[case_file.Outcome]:
    source = FILES[name]
    beside = source.name.replace(".toml", case_file.SUFFIX)
    folder = EXAMPLES if isinstance(source, Path) and source.parent == EXAMPLES else files("contracts") / "policies"
    cases, faults = case_file.read(folder / beside)
    assert (bool(cases), faults) == (True, ())
    policy = policies.load(source)
    return [case_file.run(case, policy, RATES, WORKING_DAYS) for case in cases]


@pytest.mark.parametrize("name", FILES)
def test_every_case_beside_a_policy_comes_out(name: str):
    """What a lawyer reads there is what is paid."""
    wrong = {each.case.title: each.wrong for each in _outcomes(name) if each.wrong}
    assert wrong == {}, json.dumps(wrong, ensure_ascii=False, default=str, indent=2)


@pytest.mark.parametrize("name", FILES)
def test_no_case_gives_what_nobody_reads(name: str):
    """A key that a function does not know is misspelt."""
    for each in _outcomes(name):
        ignored = [found["ignored"] for found in each.found.get("months", [each.found])]
        assert [key for keys in ignored for key in keys] == [], each.case.title


def test_cases_cover_every_function():
    """Each is tried by what a plan says."""
    found = {each.case.function for name in FILES for each in _outcomes(name)}
    assert found == {"rating", "eligibility", "subsidy", "loss", "breaker", "insurance"}
