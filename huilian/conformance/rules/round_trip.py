"""What the county sends is written in the institution's layout and read back unchanged."""

from __future__ import annotations

import datetime as dt
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl
from polars.testing import assert_frame_equal

from huilian.adapters import REJECTIONS, Outgoing
from huilian.conformance import generation
from huilian.conformance.generation import own_number
from huilian.conformance.rule import DoesNotApplyError, Finding, Rule
from huilian.core.errors import FileRefused, describe
from huilian.wire.batches import wire_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.conformance.rule import Subject
    from huilian.wire.catalogue import Contract

__all__ = ["RULE"]

_NONE: Final = "只读不写 (it writes no files)"
_DAY: Final = dt.date(2024, 5, 31)
_MEMBER: Final = "RCB01"
_FILES: Final = (*((size, True) for size in (1, 2, 7, 60)), *((1, False) for _ in range(25)), (60, False))
"""How many records the files have that are written, and whether plain ones; single messages are one each.
Extreme ones mostly by themselves, since one that a layout cannot hold refuses its whole file."""
_ZIP_SECONDS: Final = 2.1
"""After which another time of day would show in a workbook: its clock counts in twos."""


def _examine(subject: Subject) -> Iterator[Finding]:
    if not subject.adapter.writes:
        raise DoesNotApplyError(_NONE)
    for dataschema in subject.adapter.writes:
        contract = subject.catalogue.contracts[dataschema]
        for number, (size, plain) in enumerate(_FILES, start=1):
            made = generation.records(
                contract, size if contract.bulk else 1, seed=number, plain=plain, county=subject.settings.county
            )
            regarding = next(iter(subject.adapter.reads.values()), None)
            outgoing = Outgoing(dataschema, _MEMBER, _DAY, number, made, regarding, county=subject.settings.county)
            kind = "常见内容 (plain)" if plain else "极端内容 (extreme)"
            try:
                wrong = _written(subject, outgoing, contract)
            except FileRefused as refusal:
                # What a layout cannot hold may be refused, as long as ordinary records are written.
                wrong = f"{refusal.code} {refusal.chinese}" if plain else None
            except Exception as error:  # noqa: BLE001  # named beside the records it happened with
                wrong = f"{type(error).__name__}: {error}"
            if wrong:
                yield Finding(f"{dataschema}，{made.height} 条，{kind}", wrong)
                break
    yield from _samples(subject)
    yield from _names(subject)
    if subject.adapter.receipt_names_rows:
        yield from _rows(subject)


def _samples(subject: Subject) -> Iterator[Finding]:
    # Versions of a contract may share a layout, and so a sample.
    for sample in subject.samples.good:
        for dataschema in (each for each, name in subject.adapter.writes.items() if name == sample.name):
            source = subject.folder / sample.name
            source.write_bytes(sample.data)
            try:
                height = subject.adapter.read_back(source, dataschema, subject.settings).height
            except FileRefused as refusal:
                yield Finding(sample.name, f"{refusal.code} {refusal.chinese}")
            else:
                if not height:
                    yield Finding(sample.name, "没有读回任何记录 (no record comes back)")


def _rows(subject: Subject) -> Iterator[Finding]:
    """See that receipts of the samples name their rows: one that is rejected shows, and the receipt comes back."""
    contract = subject.catalogue.contracts[generation.CONTRACT]
    for sample in subject.incoming():
        outcome = subject.bench.translate(sample)
        if not outcome.records:
            continue
        line = min(line for _, line in outcome.records)
        error = {"line": line, "field": "?", "code": "HL2001", "message": describe("HL2001"), "reference": None}
        none, one = pl.DataFrame(schema=REJECTIONS), pl.DataFrame([error], schema=REJECTIONS)
        source = subject.folder / sample.name
        source.write_bytes(sample.data)
        try:
            plain = generation.receipt_of(source, none, rows=outcome.rows)
            told = replace(plain, rejections=one)
            refused = generation.receipt_of(source, one, rows=outcome.rows, refused=True)
            wrong = next(filter(None, (_written(subject, each, contract) for each in (plain, told, refused))), None)
            if wrong is None and _bytes(subject, plain) == _bytes(subject, told):
                wrong = f"第 {line} 行退回，回执却一样 (a row is rejected and the receipt says the same)"
        except Exception as error:  # noqa: BLE001  # named beside the file it happened with
            wrong = f"{type(error).__name__}: {error}"
        finally:
            source.unlink()
        if wrong:
            yield Finding(f"{generation.CONTRACT}，{sample.name}", wrong)


def _bytes(subject: Subject, outgoing: Outgoing) -> bytes:
    target = subject.folder / subject.adapter.outgoing_name(outgoing)
    subject.adapter.write(outgoing, subject.settings, target)
    written = target.read_bytes()
    target.unlink()
    return written


def _written(subject: Subject, outgoing: Outgoing, contract: Contract) -> str | None:
    adapter = subject.adapter
    name = adapter.outgoing_name(outgoing)
    if not name or Path(name).name != name:
        return f"outgoing_name 给出 {name!r}，不是文件名 (is no file name)"
    subject.bench.cases += 1
    target = subject.folder / name
    adapter.write(outgoing, subject.settings, target)
    first = target.read_bytes()
    if zipfile.is_zipfile(target) and outgoing.number == 1:
        time.sleep(_ZIP_SECONDS)
    adapter.write(outgoing, subject.settings, target)
    if target.read_bytes() != first:
        return "同样的记录两次写出字节不同 (the same records gave other bytes)"
    found = adapter.read_back(target, outgoing.dataschema, subject.settings)
    target.unlink()
    return _unequal(outgoing.records, found, contract)


def _unequal(sent: pl.DataFrame, found: pl.DataFrame, contract: Contract) -> str | None:
    wanted = wire_types(contract.schema)
    for name, column_type in found.schema.items():
        if wanted.get(name) != column_type:
            return f"读回的列 {name}（{column_type}）不是契约的 (is no column of the contract)"
    own = own_number(contract)
    if own is not None and own not in found.columns:
        return f"读不回 {own}，无从辨认记录 (it does not come back, so no record can be told from another)"
    if not found.columns:
        return "什么也没有读回 (nothing comes back)"
    if found.height != sent.height:
        return f"写出 {sent.height} 条，读回 {found.height} 条 (records written and read back)"
    for name in found.columns:
        try:
            assert_frame_equal(sent.select(name), found.select(name))
        except AssertionError:
            place = next(row for row in range(sent.height) if sent[name][row] != found[name][row])
            return f"{name} 写出 {sent[name][place]!r}，读回 {found[name][place]!r} (written and read back)"
    return None


def _names(subject: Subject) -> Iterator[Finding]:
    for dataschema in subject.adapter.writes:
        contract = subject.catalogue.contracts[dataschema]
        made = generation.records(contract, 1, seed=1, plain=True, county=subject.settings.county)
        names = [
            subject.adapter.outgoing_name(
                Outgoing(
                    dataschema,
                    _MEMBER,
                    day,
                    number,
                    made,
                    next(iter(subject.adapter.reads.values()), None),
                    county=subject.settings.county,
                )
            )
            for day in (_DAY, _DAY + dt.timedelta(days=1))
            for number in (1, 2)
        ]
        if len(set(names)) < len(names):
            what = f"不同日期或序号的文件同名 (files of other days or numbers share a name): {names}"
            yield Finding(dataschema, what)


RULE = Rule(
    "round_trip",
    "写出再读回",
    "Every record it writes comes back as it went in, and the same records give the same bytes.",
    _examine,
    reading=False,
)
