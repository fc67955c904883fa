"""Where the conformance suite cuts a file off."""

from __future__ import annotations

import io
import zipfile

from huilian.conformance import damage


def test_every_byte_is_every_byte():
    """From the empty file to the one that lacks its last byte, the longest first."""
    chosen = damage.at_every_byte(b"abc")
    assert (chosen.sizes, chosen.size) == ((2, 1, 0), 3)
    assert str(chosen) == "3 字节逐字节截断，3 处 (cut at every byte)"


def test_boundaries_of_text_are_cut_on_both_sides():
    """A line's end of two bytes is one boundary; what lies between is cut now and then."""
    filling = b"x" * 10_000
    data = filling + b"a,b\r\n" + filling
    chosen = damage.at_many_places(data)
    assert {10_001, 10_002, 10_003, 10_005} <= set(chosen.sizes)
    assert 10_004 not in chosen.sizes
    assert {0, 100, 20_004} <= set(chosen.sizes)
    assert list(chosen.sizes) == sorted(chosen.sizes, reverse=True)
    assert (chosen.boundaries, chosen.of) == (4, 4)
    assert str(chosen) == (
        f"20005 字节中截断 {len(chosen.sizes)} 处，其中 4 处在字段与行的边界"
        " (cuts, of which at the boundaries of fields and lines)"
    )


def test_the_parts_of_an_archive_are_boundaries():
    """Each member, each entry of the directory and its end."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in ("one", "two"):
            archive.writestr(zipfile.ZipInfo(name), b"z" * 20_000)
    data = target.getvalue()
    chosen = damage.at_many_places(data)
    starts = {place for mark in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06") for place in _places(data, mark)}
    assert len(starts) == 5
    assert starts <= set(chosen.sizes)


def _places(data: bytes, mark: bytes) -> list[int]:
    return [place for place in range(len(data)) if data.startswith(mark, place)]


def test_of_very_many_boundaries_some_are_chosen_and_that_is_said():
    """Always the same ones."""
    data = b"ab,cd\n" * 5_000
    chosen = damage.at_many_places(data)
    assert chosen == damage.at_many_places(data)
    assert (chosen.boundaries, chosen.of) == (2_000, 19_999)
    assert "该文件共有 19999 处边界 (of 19999)" in str(chosen)
