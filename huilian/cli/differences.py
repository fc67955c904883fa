"""`huilian differences`."""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

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
    "loan_number_at_two_banks": "两家银行借据号相同",
    "guarantee_without_loan": "有担保无借据",
    "two_guarantees_on_one_loan": "一笔借据有多笔担保",
    "compensation_without_guarantee": "有代偿无担保",
    "policy_without_loan": "有保单无借据",
    "claim_without_policy": "有赔案无保单",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "differences",
        "列出对不上的地方：台账与花名册、前后两期台账、流水与借据、各银行之间、担保与借据、保单与借据、赔案与保单。",
        "List what does not match: between ledgers, roster and repayments, banks, guarantees, policies and claims.",
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
    show = _print_json if as_json else _print_table
    if to:
        from huilian.institution.transports.http import HttpReader  # noqa: PLC0415  # only where another server is asked

        with HttpReader(to, token, ca).differences(region=region, institution=institution) as answer:
            show(json.loads(line) for line in answer.lines)
        return
    from huilian import regions, service  # noqa: PLC0415  # loads every service

    with session.reading() as opened, opened.database.snapshot() as transaction:
        regions.refuse_outside(opened.settings.county, region)
        show(service.query("differences")(transaction, region=region, institution=institution))


def _print_json(found: Iterable[Mapping[str, Any]]) -> None:
    """Print the rows as one list, each as it comes."""
    before = "["
    for row in found:
        sys.stdout.write(before + json.dumps(row, ensure_ascii=False))
        before = ", "
    sys.stdout.write("[]\n" if before == "[" else "]\n")


def _print_table(found: Iterable[Mapping[str, Any]]) -> None:
    """Print the first rows, and how many there are."""
    columns = ("institution", "loan_no", "reference", "household_no", "region", "as_of")
    rows, number = [], 0
    for number, row in enumerate(found, start=1):  # the last number is how many there are
        if number <= SHOWN:
            rows.append([_KINDS.get(row["kind"], row["kind"]), *(row[column] for column in columns)])
    screen.show(screen.table(["情形", "机构", "借据号", "业务编号", "户编号", "区划", "日期"], rows))
    more = f"，此处 {SHOWN} 条，全部请用 --json (the first {SHOWN} are shown)" if number > SHOWN else ""
    screen.out().print(f"共 {number:,} 条 (in all){more}", soft_wrap=True)
