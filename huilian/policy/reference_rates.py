"""Benchmark rates and loan prime rates by date and term: data of their own, which a county adds to."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import ConfigurationError
from huilian.policy import positions
from huilian.policy.facts import FACTS, Interval, Vocabulary, read_date, read_range
from huilian.policy.faults import WrongValueError, refuse_others
from huilian.policy.values import KINDS, Rate

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from decimal import Decimal
    from importlib.resources.abc import Traversable
    from pathlib import Path

__all__ = ["OWN_FILE", "ReferenceRate", "ReferenceRates", "UnknownRateError", "load"]


OWN_FILE: Final = "rates.toml"
"""What a county adds, in its data directory."""
SERIES: Final = ("benchmark", "lpr_1y", "lpr_5y")
_EVERY_TERM: Final = read_range(FACTS["term"], "..")


class UnknownRateError(Exception):
    """No rate of a series was published by a day.

    Args:
        series: "benchmark", "lpr_1y" or "lpr_5y".
        day: which.
    """

    def __init__(self, series: str, day: dt.date) -> None:
        super().__init__(f"{series} is not known on {day}")
        self.series = series
        self.day = day


@dataclass(frozen=True)
class ReferenceRate:
    """A published rate.

    Args:
        series: "benchmark", "lpr_1y" or "lpr_5y".
        since: the day of its notice.
        term: the months for which it holds.
        percent: a year.
    """

    series: str
    since: dt.date
    term: Interval
    percent: Decimal


@dataclass(frozen=True)
class ReferenceRates:
    """All published rates that were entered.

    Args:
        rates: by series, the newest first.
        known_until: by series, the last day for which it was looked up.
    """

    rates: Mapping[str, tuple[ReferenceRate, ...]]
    known_until: Mapping[str, dt.date]

    def published(self, series: str, day: dt.date, term: int) -> ReferenceRate:
        """Return the rate of a series that holds on a day for a term in months.

        Raises:
            UnknownRateError: none was published by then.
        """
        for rate in self.rates[series]:
            if rate.since <= day and rate.term.has(term):
                return rate
        raise UnknownRateError(series, day)

    def percent(self, rate: Rate, *, on: dt.date, term: int, contract: Decimal | None) -> Decimal:
        """Return what a policy's rate comes to, per cent a year.

        Args:
            rate: as the policy has it.
            on: the day whose publications count: the day of signing fixes them for the contract.
            term: of the loan, in months.
            contract: the loan's own rate, where it is known.

        Raises:
            UnknownRateError: it refers to a rate that is not known.
        """
        if rate.among:
            found = [self.percent(each, on=on, term=term, contract=contract) for each in rate.among]
            return min(found) if rate.base == "lowest" else max(found)
        if not rate.base:
            return rate.plus
        if rate.base == "contract":
            if contract is None:
                raise UnknownRateError("contract", on)
            base = contract
        else:
            base = self.published(rate.base, on, term).percent
        return base * rate.factor + rate.plus

    def doubt(self, rate: Rate, on: dt.date) -> dt.date | None:
        """Return until when the series that a rate refers to are known, if `on` lies after that; else None."""
        series = [each.base for each in (rate, *rate.among) if each.base in self.known_until]
        passed = [self.known_until[each] for each in series if self.known_until[each] < on]
        return min(passed, default=None)


def load(folder: Path | None = None) -> ReferenceRates:
    """Return the rates that come with Huilian, and those of `rates.toml` in a county's data directory.

    Raises:
        ConfigurationError: HL6006, naming the file, the line and what is wrong.
    """
    sources: list[Traversable] = [files("contracts") / "reference_rates.toml"]
    if folder is not None and (folder / OWN_FILE).is_file():
        sources.append(folder / OWN_FILE)
    rates: dict[str, dict[tuple[dt.date, str], ReferenceRate]] = {name: {} for name in SERIES}
    known_until: dict[str, dt.date] = {}
    for source in sources:
        for name, until, found in _series(source):
            # What a county enters replaces what was entered for the same day and term.
            rates[name].update({(rate.since, rate.term.text): rate for rate in found})
            known_until[name] = max(filter(None, (known_until.get(name), until, *(rate.since for rate in found))))
    ordered = {
        name: tuple(sorted(each.values(), key=lambda rate: rate.since, reverse=True)) for name, each in rates.items()
    }
    return ReferenceRates(ordered, known_until)


def _series(source: Traversable) -> list[tuple[str, dt.date | None, list[ReferenceRate]]]:
    found = []
    lines: positions.Lines = {}
    path: positions.Path = ()
    try:
        raw, lines = positions.read(source.read_text("utf-8"))
        refuse_others(raw, set(SERIES))
        for name, table in raw.items():
            path = (name,)
            refuse_others(table, {"title", "known_until", "rates"})
            until = read_date(table["known_until"]) if "known_until" in table else None
            rates = []
            for place, each in enumerate(table.get("rates", [])):
                path = (name, "rates", place)
                rates.append(_rate(name, each))
            found.append((name, until, rates))
    except WrongValueError as error:
        line = positions.line_of(lines, path)
        raise ConfigurationError("HL6006", file=f"{source.name}:{line}", what=error.told()) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("HL6006", file=source.name, what=str(error)) from None
    return found


def _rate(series: str, raw: Any) -> ReferenceRate:  # noqa: ANN401  # whatever the file has
    refuse_others(raw, {"from", "term", "value", "source"})
    for key in ("from", "value"):
        if key not in raw:
            raise WrongValueError("missing", key=f"{series}.rates: {key}")
    term = read_range(FACTS["term"], raw["term"]) if "term" in raw else _EVERY_TERM
    return ReferenceRate(series, read_date(raw["from"]), term, KINDS["percent"].read(raw["value"], Vocabulary()))
