"""`python -m bench.applications`: a county's spring, every step as lists, on the embedded server.

Ten thousand households apply with their villages' opinion, the township, the bank and the county decide, and the fund
reserves. Prints the seconds of each step and the most memory that the process had.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stdnum.cn import ric

from huilian.core.clock import FixedClock
from huilian.settings import Settings
from tests.support.applications import TAKEN_BY, ApplicationCounty, form, members, step
from tests.support.county import new_office
from tests.support.ratings import BEGIN, COUNTY, VILLAGE

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = ("township_review", "bank_verification", "county_confirmation")
KIB_PER_MIB = 1024


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.applications", description=__doc__)
    parser.add_argument("--households", type=int, default=10_000, help="how many apply (default 10,000)")
    households = parser.parse_args().households
    with tempfile.TemporaryDirectory(prefix="huilian-bench-") as name:
        folder = Path(name)
        # The embedded server runs as another user when we are root: it must be able to pass through.
        folder.chmod(0o755)
        with new_office(folder, Settings(COUNTY, "xingan"), members(), clock=FixedClock(BEGIN)) as office:
            _measure(ApplicationCounty(office, office.clock), households)
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIB_PER_MIB} MiB")


def _measure(county: ApplicationCounty, households: int) -> None:
    county.deposit(amount="1000000000.00")
    _enrol(county, households)
    forms = [form(f"A{each}", f"H{each}", applicant=_number(each)) for each in range(households)]
    recommended = [step(f"A{each}", "village_recommendation") for each in range(households)]
    seconds = _timed("forms and recommendations", lambda: county.send_list(forms, recommended))
    for name in STEPS:
        steps = [step(f"A{each}", name) for each in range(households)]
        seconds += _timed(name, lambda name=name, steps=steps: county.send_list((), steps, member=TAKEN_BY[name]))
    rows = county.rows("SELECT state, count(*) AS n FROM registry.application GROUP BY 1")
    states = ", ".join(f"{row['n']} {row['state']}" for row in rows)
    print(f"{'in all':28} {seconds:7.2f} s, {states}")


def _timed(label: str, work: Callable[[], dict[str, Any]]) -> float:
    begun = time.perf_counter()
    receipt = work()
    seconds = time.perf_counter() - begun
    print(f"{label:28} {seconds:7.2f} s, {receipt['changed']} records applied")
    return seconds


def _number(household: int) -> str:
    digits = f"341599{19800101 + household // 1000 % 28}{household % 1000:03}"
    return digits + str(ric.calc_check_digit(digits + "0"))


def _enrol(county: ApplicationCounty, households: int) -> None:
    with county.transaction() as transaction:
        transaction.many(
            "INSERT INTO registry.person (household_no, identity_number, head_name, person_name, relation_to_head,"
            " region, category, is_head, as_of, submission, sequence, line)"
            " VALUES (%s, %s, '户主甲', '户主甲', '本人', %s, 'out_of_poverty', 'yes', '2023-01-01', 0, 0, 0)",
            [(f"H{each}", _number(each), VILLAGE) for each in range(households)],
        )
        transaction.many(
            "INSERT INTO registry.consent (consent_no, household_no, identity_number, scope, from_date, date, member,"
            " message) VALUES (%s, %s, %s, '{credit_inquiry}', '2023-01-01', '2023-01-01', 'VILL1', '-')",
            [(f"C{each}", f"H{each}", _number(each)) for each in range(households)],
        )


if __name__ == "__main__":
    main()
