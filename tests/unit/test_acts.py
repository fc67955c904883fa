"""Acts: what their commands' examples send keeps its contract."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from huilian.adapters import loading
from huilian.county.service import Act, acts
from huilian.records import fields as f
from huilian.records.record_files import breaches
from huilian.wire import catalogue

OF_STEPS = {"date": "2026-03-02", "person": "P1"}


def of_list(*, is_list: bool) -> list[Act]:
    """Return the acts whose record comes in lists, or alone."""
    return [act for act in acts() if catalogue.installed().latest(act.message_type).bulk == is_list]


@pytest.mark.parametrize("act", of_list(is_list=False), ids=lambda act: act.command)
def test_an_example_sends_a_record_that_keeps_its_contract(act: Act):
    """Who copies it changes numbers only; the member and the person are the help's own."""
    program, *words = shlex.split(act.example)
    assert (program, " ".join(words[:2])) == ("huilian", act.command)
    options = dict(zip(words[2::2], words[3::2], strict=True))
    schema = catalogue.installed().latest(act.message_type).schema()
    record: dict[str, Any] = {name: value for name, value in OF_STEPS.items() if name in schema.fields}
    for name, field in schema.fields.items():
        value = options.pop(f"--{name.replace('_', '-')}", record.get(name))
        record[name] = int(value) if isinstance(field, f.Whole) and value is not None else value
    assert options == {}
    assert list(breaches(schema, record, "341599")) == []


@pytest.mark.parametrize("act", of_list(is_list=True), ids=lambda act: act.command)
def test_an_example_of_a_list_names_a_file_that_its_adapter_reads(act: Act):
    """It is pushed: the file's name says what it is."""
    program, *words, file, option, adapter = shlex.split(act.example)
    assert (program, " ".join(words), option) == ("huilian", act.command, "--adapter")
    identity = loading.find(adapter).recognise(file)
    assert identity is not None
    assert identity.kind == act.message_type
