"""Running the rules."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from huilian.adapters import loading
from huilian.conformance.rule import (
    DONE,
    EXEMPT,
    FAILED,
    SAMPLE_COUNTY,
    DoesNotApplyError,
    Finding,
    Note,
    Report,
    Result,
    Rule,
    Subject,
)
from huilian.conformance.rules import damaged, reading, round_trip
from huilian.conformance.samples import given, of_package
from huilian.conformance.worker import Bench
from huilian.core.errors import ConfigurationError

if TYPE_CHECKING:
    from huilian.adapters import Adapter
    from huilian.conformance.samples import Samples
    from huilian.wire.catalogue import Catalogue

__all__ = ["RULES", "examine"]

RULES: Final = (
    reading.REGISTRATION,
    reading.SAMPLES,
    damaged.EVERY_ERROR,
    damaged.CONTROL_TOTALS,
    reading.ENCODINGS,
    damaged.CUT_SHORT,
    damaged.HOSTILE,
    reading.REPEATABLE,
    reading.ISOLATION,
    reading.MEMORY,
    round_trip.RULE,
)
"""All rules, in the order they are run and reported."""

_FINDINGS_AT_MOST: Final = 5
"""Findings of one rule after which it is not looked at any further."""
_NO_SAMPLE: Final = "没有可用的样例：每种文件至少一份，不超过 200 kB (no sample of 200 kB at most to look at)"

Progress = Callable[[Rule], None]


def examine(
    adapter: Adapter,
    origin: str,
    catalogue: Catalogue,
    *,
    files: list[Path] | None = None,
    county: str = SAMPLE_COUNTY,
    carried: Samples | None = None,
    told: Mapping[str, Any] | None = None,
    lies_in: Path | None = None,
    rules: Sequence[Rule] = RULES,
    progress: Progress = lambda _rule: None,
) -> Report:
    """Hold an adapter to all rules.

    Args:
        adapter: the adapter.
        origin: its entry point's value, "adapters.rural_commercial_bank:adapter".
        catalogue: the contracts there are.
        files: further files of the institution to translate.
        county: six digits of the county that samples and files are of.
        carried: samples instead of those in the adapter's package.
        told: the adapter's own settings, beside those its samples need; tables are added to.
        lies_in: the folder the adapter lies in, where it is not installed.
        rules: those to be looked at.
        progress: told of each rule before it is run.

    Where `samples/settings.toml` does not fit the adapter, that is all that is reported.
    """
    carried = of_package(origin.partition(":")[0]) if carried is None else carried
    try:
        settings = loading.settings_for(adapter, county, {adapter.name: _together(carried.settings, told or {})})
    except ConfigurationError as error:
        wrong = Finding("samples/settings.toml", f"{error.code} {error.chinese}")
        rule = reading.SAMPLES
        return Report(adapter.name, adapter.version, (Result(rule.name, rule.chinese, FAILED, findings=(wrong,)),))
    with tempfile.TemporaryDirectory(prefix="huilian-check-") as name:
        folder = Path(name)
        cases = folder / "cases"
        cases.mkdir()
        with Bench(adapter.name, origin, settings, cases, lies_in=lies_in) as bench:
            told_of = given(list(files or ()))
            exemptable = frozenset(rule.name for rule in RULES if not rule.always)
            subject = Subject(adapter, origin, catalogue, settings, carried, told_of, bench, folder, exemptable)
            results = []
            for rule in rules:
                progress(rule)
                results.append(_result(rule, subject))
    return Report(adapter.name, adapter.version, tuple(results))


def _together(needed: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings its samples need, and those of an installation over them; tables are joined."""
    found = dict(needed)
    for name, value in told.items():
        table = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = dict(found[name]) | dict(value) if table else value
    return found


def _result(rule: Rule, subject: Subject) -> Result:
    declared = subject.adapter.exempt.get(rule.name)
    if declared and not rule.always:
        return Result(rule.name, rule.chinese, EXEMPT, reason=declared)
    if rule.reading and not subject.adapter.reads:
        return Result(rule.name, rule.chinese, EXEMPT, reason="只写不读 (it reads no files)")
    if rule.reading and not rule.always and not any(subject.damaged()):
        # A rule that had nothing to look at has not been kept.
        return Result(rule.name, rule.chinese, FAILED, findings=(Finding("samples", _NO_SAMPLE),))
    before = subject.bench.cases
    findings: list[Finding] = []
    notes: list[Note] = []
    try:
        for found in rule.examine(subject):
            if isinstance(found, Note):
                notes.append(found)
                continue
            findings.append(found)
            if len(findings) == _FINDINGS_AT_MOST:
                break
    except DoesNotApplyError as reason:
        return Result(rule.name, rule.chinese, EXEMPT, reason=reason.reason)
    except Exception as error:  # noqa: BLE001  # whatever the adapter does, the other rules are looked at
        findings = [Finding(subject.adapter.name, f"意外错误 (unexpected) {type(error).__name__}: {error}")]
    cases = subject.bench.cases - before
    status = FAILED if findings else DONE
    return Result(rule.name, rule.chinese, status, cases, tuple(findings), notes=tuple(notes))
