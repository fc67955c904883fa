"""What a ledger has, as digests on disk: read again as it was written, and held against the next one."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from huilian.institution.last_ledger import Basis, Content, digests, stored, throw_away
from huilian.institution.spool import SpooledSubmission

if TYPE_CHECKING:
    import pytest

BALANCES = st.dictionaries(st.integers(0, 30), st.integers(0, 3), max_size=20)
SIZES = st.integers(1, 7)


def pieces(balances: dict[int, int], size: int) -> list[pl.DataFrame]:
    """Return a ledger with these loans, by number, in pieces of `size` rows."""
    frame = pl.DataFrame(
        {
            "line": range(2, len(balances) + 2),
            "loan_no": [f"RCB2024{number:07d}" for number in balances],
            "balance": [f"{balance}.00" for balance in balances.values()],
        },
        schema={"line": pl.Int64, "loan_no": pl.String, "balance": pl.String},
    )
    return [frame.slice(start, size) for start in range(0, frame.height, size)]


def written(folder: Path, balances: dict[int, int], size: int) -> Content:
    """Write what a ledger has."""
    content = Content("loan_no", folder)
    for piece in pieces(balances, size):
        content.take(piece)
    content.finish()
    return content


@given(BALANCES, SIZES)
def test_what_was_written_comes_back_in_order(balances: dict[int, int], size: int):
    """Whatever the pieces it came in, also when there are none."""
    with tempfile.TemporaryDirectory() as name:
        written(Path(name), balances, size)
        content = stored(Path(name))
        assert content is not None
        # Another process throws it away: what is being read is read to its end.
        throw_away(Path(name))
        with contextlib.closing(content):
            back = [rows for piece in content.pieces() for rows in piece.rows()]
        assert list(Path(name).iterdir()) == []
    assert back == [rows for piece in pieces(balances, size) for rows in digests(piece, "loan_no").rows()]


@given(BALANCES, BALANCES, SIZES, SIZES)
def test_a_ledger_is_held_against_the_one_before_loan_by_loan(
    before: dict[int, int], after: dict[int, int], size: int, other: int
):
    """What it has just the same is known, what it has not is gone; nothing else is either."""
    with tempfile.TemporaryDirectory() as name:
        first, second = Path(name) / "first", Path(name) / "second"
        for folder in (first, second):
            folder.mkdir()
        written(first, before, size)
        (first / "manifest.json").write_text('{"parts": []}')
        content = stored(first)
        assert content is not None
        basis = Basis(SpooledSubmission(first), content)
        next_one = Content("loan_no", second)
        known = [there for piece in pieces(after, other) for there in basis.has(next_one.take(piece))]
        gone = [key for some in basis.gone(next_one.keys()) for key in some]
        next_one.finish()
        basis.close()
    assert known == [before.get(number) == balance for number, balance in after.items()]
    assert gone == [f"RCB2024{number:07d}" for number in before if number not in after]


def test_a_full_disk_leaves_no_content_and_hinders_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The ledger can still be held against the one before; the next one is sent whole."""
    content = Content("loan_no", tmp_path)
    first, second, third = pieces({1: 1, 2: 2, 3: 3}, 1)
    content.take(first)
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(Content, "_write", full)
        content.take(second)
    content.take(third)
    content.finish()
    assert content.keys().len() == 3
    assert list(tmp_path.iterdir()) == []
    assert stored(tmp_path) is None
