"""What the services hold, held against the model."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from huilian.records import columnar
from huilian.wire import envelope
from schemas.records import LoanState
from tests.support.builders.loans import PRODUCTS, VILLAGES, state
from tests.support.reporting import BANKS, COUNTY, Submission

if TYPE_CHECKING:
    from tests.support.model import Ledger, Model, State
    from tests.support.reporting import ReportingCounty

FIELDS = tuple(state())
SHARED = columnar.columns(LoanState)
REGIONS = (COUNTY, "341599001", "341599002", *VILLAGES)


def submission(ledger: Ledger, **extra: Any) -> Submission:  # noqa: ANN401  # whatever a submission has
    """Return a ledger as its bank submits it."""
    rows = [{"loan_no": loan} | row for loan, row in ledger.rows.items()]
    numbered = {"file_sequence": ledger.file_sequence}
    return Submission(ledger.institution, ledger.as_of, rows, sorted(ledger.rejected), **numbered | extra)


def push(county: ReportingCounty, model: Model, ledger: Ledger, **extra: Any) -> None:  # noqa: ANN401  # the same
    """Push a ledger, hold its receipt against the model, and enter it there."""
    receipt = county.push(submission(ledger, **extra))
    assert receipt["status"] == "accepted"
    assert {name: receipt[name] for name in ("changed", "unchanged", "missing")} == model.counts(ledger)
    assert (receipt["accepted"], receipt["rejected"]) == (len(ledger.rows), len(ledger.rejected))
    model.enter(ledger)


def check_registry(county: ReportingCounty, model: Model) -> None:
    """Hold every loan at every date, where its states came from, and its absences against the model."""
    newest = {(row["institution"], row["loan_no"]): row for row in county.rows("SELECT * FROM registry.loan")}
    history = county.rows("SELECT * FROM registry.loan_history ORDER BY as_of")
    absences = county.rows("SELECT * FROM registry.loan_absence")
    numbers = county.rows("SELECT number FROM huilian.submission WHERE status = 'accepted' ORDER BY application")
    assert all(row["as_of"] < newest[row["institution"], row["loan_no"]]["as_of"] for row in history)
    files = {row["number"]: ledger for row, ledger in zip(numbers, model.ledgers, strict=True)}
    for row in [*history, *newest.values()]:
        ledger = files[row["submission"]]
        assert ledger.rows[row["loan_no"]] == _state(row), "a state says which file it was read from"
        assert ledger.lines[row["line"] - 2] == row["loan_no"], "and in which line"
        assert ledger.as_of <= row["as_of"]
        assert row["loan_no"] in model.had(row["institution"], row["as_of"])
    for institution in model.institutions():
        for date in model.dates(institution):
            known = {
                row["loan_no"]: _state(row)
                for row in [*history, *newest.values()]
                if row["institution"] == institution and row["as_of"] <= date
            }
            assert known == model.at(institution, date)
        for (owner, loan), row in newest.items():
            if owner == institution:
                assert row["missing_since"] == model.missing_since(institution, loan)
                spans = [a for a in absences if (a["institution"], a["loan_no"]) == (institution, loan)]
                _check_presence(model, institution, row, spans)


def _check_presence(model: Model, institution: str, row: dict[str, Any], spans: list[dict[str, Any]]) -> None:
    loan, missing_since = row["loan_no"], row["missing_since"]
    dates = model.dates(institution)
    first = min(date for date in dates if loan in model.had(institution, date))
    present = {
        date
        for date in dates
        if date >= first
        and not any(span["since"] <= date < span["until"] for span in spans)
        and (missing_since is None or date < missing_since)
    }
    assert present == {date for date in dates if loan in model.had(institution, date)}


def _state(row: dict[str, Any]) -> State:
    shown = {}
    for name in FIELDS:
        value = row[name]
        if isinstance(value, Decimal):
            value = f"{value:f}"
        shown[name] = value.isoformat() if isinstance(value, dt.date) else value
    return shown


def check_folds(county: ReportingCounty) -> None:
    """Hold the loans that the other services keep, and what each bank has lent, against the registry's."""
    known = county.rows("SELECT institution, loan_no, household_no, region, 1 AS n FROM registry.loan ORDER BY 1, 2")
    for schema in ("risk_fund", "insurance_claim"):
        folded = county.rows(
            f"SELECT institution, loan_no, household_no, region, sum(n) AS n FROM {schema}.loan_change"
            " GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0 ORDER BY 1, 2"
        )
        assert folded == known
    lent = "SELECT institution, sum(balance) AS balance FROM {} GROUP BY 1 HAVING sum(balance) <> 0 ORDER BY 1"
    assert county.rows(lent.format("risk_fund.bank_balance")) == county.rows(lent.format("registry.loan"))


def check_changes(county: ReportingCounty, model: Model) -> None:
    """Add up everything that was published, and hold the sum at every date against the model."""
    rows = county.rows("SELECT seal, payload FROM huilian.message WHERE type = 'loans_changed'")
    changes = [
        json.loads(line)
        for row in rows
        for line in envelope.read(row["seal"], bytes(row["payload"])).body().splitlines()
    ]
    for institution in model.institutions():
        for date in model.dates(institution):
            sums: Counter[tuple[str, str]] = Counter()
            for change in changes:
                begun = change["as_of"] <= date.isoformat()
                if change["institution"] != institution or not begun:
                    continue
                if change["until"] is not None and change["until"] <= date.isoformat():
                    continue
                # A loan that was withdrawn is not there from then on.
                if change["after"] is not None:
                    sums[change["loan_no"], json.dumps(change["after"])] += 1
                if change["before"] is not None:
                    sums[change["loan_no"], json.dumps(change["before"])] -= 1
            expected = {
                (loan, json.dumps({name: known[name] for name in SHARED})): 1
                for loan, known in model.at(institution, date).items()
            }
            assert {key: number for key, number in sums.items() if number} == expected
    check_folds(county)


def check_figures(county: ReportingCounty, model: Model, months: tuple[str, ...]) -> None:
    """Hold the figures of the months, whole and broken down in every way, against the model."""
    ways = [(month, by) for month in months for by in ("village", "township", "institution", "product")]
    answers = county.figures(*({"region": COUNTY, "month": month, "by": by} for month, by in ways))
    for (month, by), answer in zip(ways, answers, strict=True):
        assert answer == {
            "region": COUNTY,
            "month": month,
            **model.figures(COUNTY, month),
            "stale": model.stale(month, BANKS),
            "by": by,
            "rows": model.rows(COUNTY, month, by),
        }


def check_scopes(county: ReportingCounty, model: Model, months: tuple[str, ...]) -> None:
    """Hold the figures of each region, institution and product by itself against the model."""
    scopes: list[dict[str, str]] = [
        scope | {"month": month}
        for month in months
        for scope in (
            *({"region": region} for region in REGIONS),
            *({"region": COUNTY, "institution": bank} for bank in BANKS),
            *({"region": "341599001", "product": product} for product in PRODUCTS),
        )
    ]
    for scope, answer in zip(scopes, county.figures(*scopes), strict=True):
        expected = model.figures(**scope)
        assert {name: answer[name] for name in expected} == expected
