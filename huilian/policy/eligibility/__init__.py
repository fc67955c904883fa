"""Eligibility: whether a borrower may have a loan, and every reason against it at once.

One function, `judge`, serves `huilian policy try eligibility` and the services.
"""

from huilian.policy.eligibility.case import CASE, REASONS, Eligibility, EligibilityCase, ExistingLoan
from huilian.policy.eligibility.checks import judge
from huilian.policy.eligibility.conditions import bars_for_good

__all__ = ["CASE", "REASONS", "Eligibility", "EligibilityCase", "ExistingLoan", "bars_for_good", "judge"]
