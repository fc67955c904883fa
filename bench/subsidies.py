"""`python -m bench.subsidies`: a quarter's subsidy of a large county, computed and held against what banks ask.

Two hundred thousand loans of as many households; every second has a repayment in the quarter by its bank's journal,
every tenth by a ledger alone, and for each the bank asks for an amount. Prints the seconds of one run, from its record
to what others are told, and the most memory that the process had before and after it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import tempfile
import time
from pathlib import Path

from huilian.core.clock import FixedClock
from huilian.settings import Settings
from tests.support.carried_county import COUNTY, members
from tests.support.county import new_office
from tests.support.subsidy_county import SubsidyCounty

NOW = dt.datetime(2021, 7, 5, 1, tzinfo=dt.UTC)
KIB_PER_MIB = 1024
_LOANS = """
    INSERT INTO subsidy.loan_step (institution, loan_no, day, household_no, region, product, principal,
        annual_rate_percent, start_date, due_date, status, continuation, n)
    SELECT 'RCB01', 'A' || n, '2021-03-31', 'H' || n, '341599101' || lpad((n %% 100)::text, 3, '0'), 'A', 50000, 3.85,
           date '2020-01-01' + n %% 365, date '2022-01-01' + n %% 365, 'normal', 'none', 1
    FROM generate_series(1, %(loans)s) n
"""
_BALANCES = """
    INSERT INTO subsidy.balance_step (institution, loan_no, day, told_by, amount)
    SELECT 'RCB01', 'A' || n, day, by, amount FROM generate_series(1, %(loans)s) n CROSS JOIN LATERAL (VALUES
        (date '2021-03-31', 'ledger', 50000, true), (date '2021-04-30' + n %% 60, 'journal', 20000, n %% 2 = 0),
        (date '2021-06-30', 'ledger', -20000, n %% 2 = 0 OR n %% 10 = 1)) AS b (day, by, amount, holds) WHERE holds
"""
_CLAIMS = """
    INSERT INTO subsidy.claim (institution, loan_no, borrower_no, period_start, period_end, amount, member, date,
        entered, message)
    SELECT 'RCB01', 'A' || n, 'H' || n, '2021-04-01', '2021-07-01', CASE n %% 2 WHEN 0 THEN 400 ELSE 486.60 END,
           'RCB01', '2021-07-02', '2021-07-02', 'm' FROM generate_series(1, %(loans)s) n
"""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.subsidies", description=__doc__)
    parser.add_argument("--loans", type=int, default=200_000, help="how many (default 200,000)")
    loans = parser.parse_args().loans
    with tempfile.TemporaryDirectory(prefix="huilian-bench-") as name:
        folder = Path(name)
        # The embedded server runs as another user when we are root: it must be able to pass through.
        folder.chmod(0o755)
        settings = Settings(COUNTY, "yanchi")
        with new_office(folder, settings, members(SubsidyCounty.members), clock=FixedClock(NOW)) as office:
            county = SubsidyCounty(office, office.clock)
            with county.transaction() as transaction:
                for statement in (_LOANS, _BALANCES, _CLAIMS):
                    transaction.execute(statement, {"loans": loans})
                transaction.execute("ANALYZE subsidy.loan_step, subsidy.balance_step, subsidy.claim")
            message = county.record("subsidy_run", COUNTY, run_no="R1", period="2021-Q2", institution=None)
            before, begun = _most_memory(), time.perf_counter()
            [taker] = county.takers(message)
            office.processor.deliver(taker, message.seal, message.payload)
            seconds = time.perf_counter() - begun
            rows = county.rows("SELECT state, count(*) AS n, sum(own) AS own FROM subsidy.item GROUP BY 1 ORDER BY 1")
    found = ", ".join(f"{row['n']:,} {row['state']} ({row['own']:,})" for row in rows)
    print(f"{loans:,} loans in {seconds:.2f} s: {found}")
    print(f"most memory: {before} MiB before, {_most_memory()} MiB after")


def _most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIB_PER_MIB


if __name__ == "__main__":
    main()
