"""Acts: what their commands' examples send keeps its contract."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from huilian.county.service import Act, acts
from huilian.records import fields as f
from huilian.records.record_files import breaches
from huilian.wire import catalogue

OF_STEPS = {"date": "2026-03-02", "person": "P1"}


@pytest.mark.parametrize("act", list(acts()), ids=lambda act: act.command)
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
