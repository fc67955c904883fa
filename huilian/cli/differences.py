"""`huilian differences`."""

import json
from typing import Final

import typer

from huilian.cli import options, screen, session

__all__ = ["register"]

SHOWN: Final = 50
"""Rows in the table; `--json` has all."""
_KINDS: Final = {
    "household_not_on_roster": "户不在花名册",
    "borrower_not_in_household": "借款人不是该户成员",
    "region_not_the_households": "区划与该户不一致",
    "missing_with_balance": "有余额但不再报送",
    "repayment_without_loan": "有还款流水无借据",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "differences",
        "列出对不上的地方：台账与花名册、前后两期台账、流水与借据。",
        "List what does not match: ledgers and roster, one ledger and the next, repayments and loans.",
        "huilian differences --region 341599",
        "huilian differences --region 341599101 --institution RCB01 --json",
    )(differences)


def differences(
    region: options.Region,
    *,
    institution: options.Institution = None,
    to: options.To = None,
    token: options.Token = None,
    ca: options.CaFile = None,
    as_json: options.Json = False,
) -> None:
    """Print what does not match within a region."""
    if to:
        from huilian.transports.http import HttpReader  # noqa: PLC0415  # only where another server is asked

        with HttpReader(to, token, ca).differences(region=region, institution=institution) as answer:
            found = [json.loads(line) for line in answer.lines]
    else:
        found = session.query("differences", region=region, institution=institution)
    if as_json:
        screen.print_json(found)
        return
    console = screen.out()
    columns = ("institution", "loan_no", "household_no", "region", "as_of")
    rows = [[_KINDS.get(row["kind"], row["kind"]), *(row[column] for column in columns)] for row in found[:SHOWN]]
    screen.show(screen.table(["情形", "机构", "借据号", "户编号", "区划", "日期"], rows))
    more = f"，此处 {SHOWN} 条，全部请用 --json (the first {SHOWN} are shown)" if len(found) > SHOWN else ""
    console.print(f"共 {len(found):,} 条 (in all){more}", soft_wrap=True)
