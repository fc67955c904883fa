"""Subsidies of interest: what a policy pays for one loan in a time, with every step.

One function, `Subsidies.assess`, serves `huilian policy try subsidy` and the services. What it decides where a plan is
short of words:

- A loan earns from `start` (included) to the day on which it is repaid (not included).
- `amount_slice` cuts the balance of each day: under `..50000.00` lies min(balance, 50,000).
- Limits of the principal apply after that. Older loans of the household use up their limit first, day by day.
- Reference rates are those of the day of signing, unless the rule of the rate depends on `accrued`.
- Months run from the day of the loan's start. A full month counts what was owed all month; a started month counts the
  most that was owed in it. A month belongs to the settlement period that holds its last day.
- The amount of each settlement period is rounded once, half up; segments stay exact.
"""

from huilian.policy.subsidy.calculation import Subsidies
from huilian.policy.subsidy.case import CASE, REASONS, OtherLoan, Payment, Subsidy, SubsidyCase

__all__ = ["CASE", "REASONS", "OtherLoan", "Payment", "Subsidies", "Subsidy", "SubsidyCase"]
