"""Rules on reading files as they are: recognised, repeatable, apart from each other, in little memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from huilian.adapters import Adapter, validation
from huilian.conformance import damage
from huilian.conformance.rule import DoesNotApplyError, Finding, Note, Rule
from huilian.conformance.samples import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.conformance.rule import Subject

__all__ = ["ENCODINGS", "ISOLATION", "MEMORY", "REGISTRATION", "REPEATABLE", "SAMPLES"]


def _examine_samples(subject: Subject) -> Iterator[Finding]:
    seen = set()
    carried = {id(sample) for sample in subject.samples.good}
    for sample in subject.incoming():
        outcome = subject.bench.translate(sample, records=False)
        what = outcome.wrong()
        if what:
            yield Finding(sample.name, what)
        elif not outcome.recognised:
            yield Finding(sample.name, "文件名不被识别 (its name is not recognised)")
        elif outcome.refused:
            yield Finding(sample.name, f"{outcome.refused} {outcome.refusal}")
        elif not outcome.accepted:
            yield Finding(sample.name, f"{outcome.rows} 行中没有一行入账 (no row is accepted)")
        elif id(sample) in carried and outcome.errors:
            line, field, code = min(outcome.errors)
            yield Finding(sample.name, f"样例不应有错，第 {line} 行 {field} {code} (samples beside are without errors)")
        identity = subject.adapter.recognise(sample.name)
        seen |= {identity.kind} if identity else set()
    for kind in subject.adapter.reads.keys() - seen:
        yield Finding(f"samples/{subject.adapter.reads[kind]}", f"缺少 {kind} 的样例 (no sample of this kind)")


SAMPLES = Rule(
    "samples",
    "样例与文件",
    "Every sample and file is recognised, every row of it accepted or rejected, every accepted record keeps its "
    "contract row by row as it did column by column.",
    _examine_samples,
    always=True,
)


def _examine_registration(subject: Subject) -> Iterator[Finding]:
    adapter = subject.adapter
    for fault in validation.faults(adapter, adapter.name, subject.catalogue, Adapter):
        yield Finding(fault.hook, fault.what)
    for name in adapter.exempt:
        if name not in subject.exemptable:
            yield Finding("exempt", f"没有规则 {name}，或不得豁免 (no such rule, or none is exempt from it)")


REGISTRATION = Rule(
    "registration",
    "登记信息",
    "What the adapter says of itself is complete and fits the API and the contracts.",
    _examine_registration,
    reading=False,
    always=True,
)

_ELSEWHERE: Final = {"TZ": "America/New_York", "PYTHONHASHSEED": "4711", "LC_ALL": "C", "POLARS_MAX_THREADS": "4"}
"""A machine that is set up otherwise; hashes of texts differ in every process anyway."""


def _examine_repeatable(subject: Subject) -> Iterator[Finding]:
    samples = [*subject.incoming(), *(sample for sample, _ in subject.samples.with_errors)]
    here = [subject.bench.translate(sample, records=False).digest for sample in samples]
    again = [subject.bench.translate(sample, records=False).digest for sample in samples]
    subject.bench.renew(**_ELSEWHERE)
    elsewhere = [subject.bench.translate(sample, records=False).digest for sample in samples]
    subject.bench.renew()
    for sample, first, second, third in zip(samples, here, again, elsewhere, strict=True):
        if first != second:
            yield Finding(sample.name, "同一进程内两次结果不同 (two results in one process)")
        elif first != third:
            yield Finding(sample.name, "换一台设置不同的机器结果不同 (another result on another machine)")


REPEATABLE = Rule(
    "repeatable",
    "结果可重复",
    "The same file gives the same records, rejections and returned bytes, wherever it is read.",
    _examine_repeatable,
)

_SPOTS: Final = 40
"""Places of a sample that are spoilt, one at a time, until one refuses the file and one rejects a row."""


def _examine_isolation(subject: Subject) -> Iterator[Finding]:
    files = [sample for sample, _ in subject.damaged()]
    files += [sample for sample, _ in subject.samples.with_errors]
    # Beside each file the same one spoilt: what it leaves behind must not be in the next.
    files += [spoilt for sample, _ in subject.damaged() for spoilt in _spoilt(subject, sample)]
    subject.bench.renew()
    alone = [subject.bench.translate(file, records=False, apart=True).digest for file in files]
    subject.bench.renew()
    # Every file comes after every other, and after itself.
    for number in range(len(files)):
        order = [*range(number, len(files)), *range(number), number]
        for place in order:
            if subject.bench.translate(files[place], records=False).digest != alone[place]:
                what = "读过别的文件后结果不同：适配器留有状态 (another result after other files: it keeps state)"
                yield Finding(files[place].name, what)


def _spoilt(subject: Subject, sample: Sample) -> Iterator[Sample]:
    """Yield a form of `sample` that is refused, and one in which a row is rejected, as far as they can be found."""
    wanted = {True, False}
    document = damage.document(sample.data)
    for spot in damage.chosen(document.digits(), _SPOTS, sample.data):
        spoilt = Sample(sample.name, document.changed({spot: b"#"}))
        outcome = subject.bench.translate(spoilt, records=False)
        if (outcome.refused or outcome.errors) and bool(outcome.refused) in wanted:
            wanted.remove(bool(outcome.refused))
            yield spoilt
        if not wanted:
            return


ISOLATION = Rule(
    "isolation",
    "互不影响",
    "What comes of a file does not depend on what was read before it.",
    _examine_isolation,
)

_NONE: Final = "文件自带编码 (its files carry their encoding)"
_ENCODINGS: Final = ("utf-8", "utf-8-sig", "gb18030", "gbk", "big5", "utf-16", "utf-16-be")
"""What files are saved in on their way, by mistake or on purpose."""


def _examine_encodings(subject: Subject) -> Iterator[Finding]:
    texts = [(sample, text) for sample, _ in subject.damaged() if (text := damage.text_of(sample.data)) is not None]
    if not texts:
        raise DoesNotApplyError(_NONE)
    for sample, text in texts:
        before = subject.bench.translate(sample)
        for encoding in _ENCODINGS:
            try:
                data = text.encode(encoding)
            except UnicodeEncodeError:
                continue
            after = subject.bench.translate(sample, data)
            where = f"{sample.name} ({encoding})"
            wrong = after.wrong()
            if wrong:
                yield Finding(where, wrong)
            for place in before.records.keys() & after.records.keys():
                differs = [name for name, value in before.records[place].items() if after.records[place][name] != value]
                if differs:
                    what = f"第 {place[1]} 行 {'、'.join(differs)} 读成了别的字 (read as other characters)"
                    yield Finding(where, what)


ENCODINGS = Rule(
    "encodings",
    "字符编码",
    "A file saved in another encoding is read the same or refused.",
    _examine_encodings,
)

_NOTHING_TO_ENLARGE: Final = (
    "样例无法放大，或放大后读完之前即被退回 (its samples cannot be enlarged, or are then refused before they are read)"
)
_LINES: Final = 24_000_000, 60_000_000
_MARKED_UP: Final = 4_000_000, 12_000_000
"""Bytes of the two files that are compared; the small one fills every buffer that has a bound. XML and the parts of
a workbook are read much slower."""
_GROWTH: Final = 3
"""Times the difference in size by which memory may differ; what holds all lines, or all elements, takes more than
six. What holds nothing but translated records of XML may take less than one, and is not found."""
_MEGABYTE: Final = 1_000_000
_AS_IT_RUNS: Final = {"POLARS_MAX_THREADS": str(os.cpu_count() or 1)}
"""Each thread holds something of its own."""


def _examine_memory(subject: Subject) -> Iterator[Finding | Note]:
    tried = 0
    for sample, _ in subject.damaged():
        sizes = _MARKED_UP if damage.is_marked_up(sample.data) else _LINES
        small, large = (_peak(subject, sample, size) for size in sizes)
        if small is None or large is None:
            continue
        tried += 1
        told = (
            f"文件从 {sizes[0] // _MEGABYTE} MB 到 {sizes[1] // _MEGABYTE} MB，"
            f"内存从 {small // _MEGABYTE} MB 到 {large // _MEGABYTE} MB"
        )
        if large - small > _GROWTH * (sizes[1] - sizes[0]):
            yield Finding(sample.name, f"{told} (memory grows with the file)")
        else:
            yield Note(sample.name, f"{told} (sizes of the file, and of memory)")
    if not tried:
        raise DoesNotApplyError(_NOTHING_TO_ENLARGE)


def _peak(subject: Subject, sample: Sample, size: int) -> int | None:
    """Return the memory at its highest while an enlarged sample is read, or None where it is not read through."""
    subject.bench.renew(**_AS_IT_RUNS)
    file: Path = subject.folder / "cases" / sample.name
    rows = damage.enlarge(sample.data, size, file)
    if rows is None:
        return None
    try:
        outcome = subject.bench.translate_file(file, lightly=True)
    finally:
        file.unlink()
        subject.bench.renew()
    # Half of them allows for records that span two lines.
    return outcome.peak if outcome.rows >= rows // 2 else None


MEMORY = Rule(
    "memory",
    "内存占用",
    "Memory does not grow with the file.",
    _examine_memory,
)
