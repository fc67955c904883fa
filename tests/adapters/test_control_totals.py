"""Each adapter hands on what a file states of itself, rejected rows included."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from huilian.adapters import loading
from huilian.conformance import samples

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.adapters import Piece

STATED = {
    "guarantee_company": ("guarantees.guaranteed_amount", "guarantees.outstanding_amount"),
    "insurer": ("rows", "policies.premium+claims.amount"),
    "postal_savings_bank": ("rows",),
}
"""What a file of these adapters, each of which has a sample with errors, states at least."""


def read(name: str, sample: samples.Sample, folder: Path) -> list[Piece]:
    """Return the pieces of a sample."""
    adapter = loading.find(name)
    found = samples.of_package(f"adapters.{name}")
    path = folder / sample.name
    path.write_bytes(sample.data)
    identity = adapter.recognise(sample.name)
    assert identity is not None
    return list(adapter.read(path, identity, loading.settings_for(adapter, "341599", {name: found.settings})))


def taken(pieces: list[Piece], kind: str) -> Counter[str]:
    """Return rows and amounts of what was accepted, by the names in which they are stated."""
    sums: Counter[str] = Counter()
    for piece in pieces:
        sums["rows"] += piece.accepted.height
        for name in piece.accepted.columns:
            amounts = piece.accepted.get_column(name)
            if amounts.dtype == "String" and name in ("principal", "balance", "interest", "amount", "premium"):
                total = sum(map(Decimal, amounts), Decimal())
                sums[name if (piece.type or kind) == kind else f"{piece.type}.{name}"] += total  # type: ignore[assignment]
    return sums


@pytest.mark.parametrize("name", [*STATED, "rural_commercial_bank"])
def test_a_file_without_errors_states_what_was_taken_of_it(name: str, tmp_path: Path):
    """To the row and to the fen, in the agreed names."""
    adapter = loading.find(name)
    for sample in samples.of_package(f"adapters.{name}").good:
        identity = adapter.recognise(sample.name)
        if identity is None:
            continue  # it is sent, not read
        pieces = read(name, sample, tmp_path)
        stated = {key: value for piece in pieces for key, value in piece.stated.items()}
        assert set(stated) - {"rows"} <= {*adapter.totals[identity.kind], "policies.premium+claims.amount"}
        sums = taken(pieces, identity.kind)
        for key, value in stated.items():
            if all(part in sums for part in key.split("+")):
                assert Decimal(value) == sum(sums[part] for part in key.split("+")), (sample.name, key)
        # A file of recoveries has no trailer.
        assert stated or not adapter.totals[identity.kind]


@pytest.mark.parametrize(("name", "names"), STATED.items(), ids=STATED)
def test_what_a_file_with_errors_states_covers_what_was_rejected(name: str, names: tuple[str, ...], tmp_path: Path):
    """Its own count and sums, which are more than what was taken."""
    found = samples.of_package(f"adapters.{name}").with_errors
    assert found
    for sample, _ in found:
        pieces = read(name, sample, tmp_path)
        stated = {key: value for piece in pieces for key, value in piece.stated.items()}
        identity = loading.find(name).recognise(sample.name)
        assert identity is not None
        # Those of an insurer add up by kind of element.
        totals = () if name == "insurer" else loading.find(name).totals[identity.kind]
        assert {*names, *totals} <= stated.keys()
        if "rows" in stated:
            assert int(stated["rows"]) == sum(piece.rows for piece in pieces)
