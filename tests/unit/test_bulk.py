"""Bulk payloads: batches within the limits, and contracts that are exact to the field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huilian.core.errors import MessageRefused
from huilian.wire import batches as bulk
from huilian.wire.batches import Batcher, from_ndjson, to_ndjson
from huilian.wire.envelope import BODY_LIMIT, LINE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable

TYPES = pl.Schema({"name": pl.String(), "number": pl.Int64()})
NESTED = pl.Schema({"name": pl.String(), "inner": pl.Struct({"number": pl.Int64()})})

TEXT = st.none() | st.text(st.characters(codec="utf-8"))
NUMBER = st.none() | st.integers(-(2**63) + 1, 2**63 - 1)
ROWS = st.lists(st.tuples(TEXT, NUMBER), max_size=5)


def batches(frames: Iterable[pl.DataFrame]) -> list[tuple[int, bytes]]:
    """Return the payloads for all of the frames, each with its number of records."""
    batcher = Batcher()
    return [*(payload for frame in frames for payload in batcher.add(frame)), *batcher.flush()]


def refusal(body: bytes, types: pl.Schema = TYPES) -> tuple[str, dict[str, Any]]:
    """Return code and facts of the refusal of a payload."""
    with pytest.raises(MessageRefused) as caught:
        from_ndjson(body, types)
    return caught.value.code, dict(caught.value.facts)


@given(ROWS)
def test_what_is_written_is_read_again(rows: list[tuple[str | None, int | None]]):
    """Any text and any whole number come back as they were, nulls as nulls."""
    frame = pl.DataFrame(rows, schema=TYPES, orient="row")
    assert from_ndjson(to_ndjson(frame), TYPES).rows() == rows


@given(ROWS, st.booleans(), st.sampled_from([None, (", ", " : ")]), st.booleans())
def test_another_hand_may_write_the_same_records(
    rows: list[tuple[str | None, int | None]],
    ascii_only: bool,  # noqa: FBT001  # drawn, not passed
    separators: tuple[str, str] | None,
    turned: bool,  # noqa: FBT001  # the same
):
    """Blanks, escapes and the order of fields are the writer's own business."""
    lines = [
        json.dumps(
            {"number": number, "name": name} if turned else {"name": name, "number": number},
            ensure_ascii=ascii_only,
            separators=separators,
        )
        for name, number in rows
    ]
    assert from_ndjson("\n".join(lines).encode(), TYPES).rows() == rows


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(["name", "number", "other"]), JSON_VALUES), st.booleans())
def test_a_record_is_read_exactly_when_it_is_as_agreed(record: dict[str, Any], compact: bool):  # noqa: FBT001  # drawn
    """Other fields, missing ones and values of another type are refused, whatever polars would make of them."""
    body = json.dumps(record, separators=(",", ":") if compact else None).encode()
    name, number = record.get("name"), record.get("number")
    agreed = (
        set(record) == {"name", "number"}
        and (name is None or isinstance(name, str))
        and (number is None or (type(number) is int and abs(number) < 2**63))
    )
    if agreed:
        assert from_ndjson(body, TYPES).rows() == [(name, number)]
    else:
        assert refusal(body)[0] == "HL1010"


@pytest.mark.parametrize(
    ("body", "code", "facts"),
    [
        (b'{"name":"a","number":1}\n{"name":"a"', "HL1007", {"line": 2}),
        (b'{"name":"a","number":1}\n\n{"name":"a","number":1}\n', "HL1007", {"line": 2}),
        (b'{"name":"a","number":1}\n\n', "HL1007", {"line": 2}),
        (b'{"name":"a","number":1}{"name":"a","number":1}\n', "HL1007", {"line": 1}),
        (b'{"name":"\xff","number":1}\n', "HL1007", {"line": 1}),
        (b'{"name":"\\ud83d","number":1}\n', "HL1007", {"line": 1}),
        (b'{"name":"a","number":1,"number":1}\n', "HL1007", {"line": 1}),
        (b'\xef\xbb\xbf{"name":"a","number":1}\n', "HL1007", {"line": 1}),
        (b"null\n", "HL1007", {"line": 1}),
        (b"[" * 100_000 + b"\n", "HL1007", {"line": 1}),
        (b'{"name":"a","number":1}\n{"number":1}\n', "HL1010", {"line": 2, "field": "name", "what": "HL2001"}),
        (b'{"number":1,"nom":"a"}\n', "HL1010", {"line": 1, "field": "name", "what": "HL2001"}),
        (b'{"name":"a","number":1,"colour":"red"}\n', "HL1010", {"line": 1, "field": "?", "what": "HL2023"}),
        (b'{"name":"\\":","colour":1}\n', "HL1010", {"line": 1, "field": "?", "what": "HL2023"}),
        (b'{"name":1,"number":1}\n', "HL1010", {"line": 1, "field": "name", "what": "HL2023"}),
        (b'{"name":["a"],"number":1}\n', "HL1010", {"line": 1, "field": "name", "what": "HL2023"}),
        (b'{"name":"a","number":"1"}\n', "HL1010", {"line": 1, "field": "number", "what": "HL2004"}),
        (b'{"name":"a","number":1.0}\n', "HL1010", {"line": 1, "field": "number", "what": "HL2004"}),
        (b'{"name":"a","number":true}\n', "HL1010", {"line": 1, "field": "number", "what": "HL2004"}),
        (b'{"name":"a","number":NaN}\n', "HL1007", {"line": 1}),
        (b'{"name":"a","number":9223372036854775808}\n', "HL1010", {"line": 1, "field": "number", "what": "HL2004"}),
    ],
)
def test_what_is_not_as_agreed_is_refused_with_line_and_field(body: bytes, code: str, facts: dict[str, Any]):
    """The first line that is wrong is named; a field nobody knows is not quoted."""
    assert refusal(body) == (code, facts)


def test_nested_records_are_held_to_their_own_fields_by_name():
    """An object stands where an object belongs."""
    body = b'{"name":"a","inner":{"number":1}}\n{"name":"b","inner":null}\n'
    assert from_ndjson(body, NESTED).rows() == [("a", {"number": 1}), ("b", None)]
    code, facts = refusal(b'{"name":"a","inner":"x"}\n', NESTED)
    assert (code, facts["field"]) == ("HL1010", "inner")


def test_an_empty_payload_has_no_records():
    """Not even a line break is needed."""
    for body in (b"", b"\n", b"  \n"):
        frame = from_ndjson(body, TYPES)
        assert (frame.height, frame.schema) == (0, TYPES)


def test_a_payload_has_ten_thousand_lines_at_most():
    """Ten thousand are read; one more is not even looked at."""
    body = b'{"name":"a","number":1}\n' * LINE_LIMIT
    assert from_ndjson(body, TYPES).height == 10_000
    assert refusal(body + b"{") == ("HL1006", {"size": "10001 lines", "limit": "10000 lines"})


def test_what_was_checked_before_is_read_without_looking_closely():
    """Kept payloads were let in already; that they can be read is all that is asked."""
    assert from_ndjson(b'{"name":"a"}\n', TYPES, checked=True).rows() == [("a", None)]
    with pytest.raises(MessageRefused, match="HL1007"):
        from_ndjson(b"{\n", TYPES, checked=True)


@given(st.lists(st.integers(0, 40), max_size=6), st.integers(1, 9))
def test_batches_hold_every_row_once_and_in_order(heights: list[int], limit: int):
    """However the rows come, payloads are as full as they may be, and the last holds what is left."""
    frames = []
    for height in heights:
        first = sum(frame.height for frame in frames)
        rows = [(f"名{number}", number) for number in range(first, first + height)]
        frames.append(pl.DataFrame(rows, schema=TYPES, orient="row"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "LINE_LIMIT", limit)
        made = batches(frames)
    assert from_ndjson(b"".join(body for _, body in made), TYPES).rows() == [
        row for each in frames for row in each.rows()
    ]
    assert [body.count(b"\n") for _, body in made] == [records for records, _ in made]
    assert [records for records, _ in made[:-1]] == [limit] * (len(made) - 1)
    assert all(0 < records <= limit for records, _ in made)


def test_a_batch_whose_rows_are_larger_than_the_first_is_split():
    """The size is guessed from the first rows; where the guess is wrong no payload exceeds the limit."""
    rows = [("a", number) for number in range(200)] + [("b" * 3_000, number) for number in range(3_000)]
    frame = pl.DataFrame(rows, schema=TYPES, orient="row")
    made = batches([frame])
    assert len(made) > 2
    assert all(len(body) <= BODY_LIMIT for _, body in made)
    assert sum(records for records, _ in made) == 3_200


def test_a_row_larger_than_a_payload_is_refused():
    """There is no way to send it."""
    frame = pl.DataFrame([("b" * BODY_LIMIT, 1)], schema=TYPES, orient="row")
    with pytest.raises(MessageRefused, match="HL1006"):
        batches([frame])


def test_the_same_rows_give_the_same_batches():
    """A file translated again has the same parts; where lines fill them, even when read in other pieces."""
    frame = pl.DataFrame([("a", number) for number in range(25_000)], schema=TYPES, orient="row")
    whole = batches([frame])
    pieces = batches(frame.iter_slices(7_000))
    assert [records for records, _ in whole] == [10_000, 10_000, 5_000]
    assert pieces == whole == batches([frame])


def test_a_batcher_that_took_nothing_has_nothing_left():
    """No rows, no payload."""
    batcher = Batcher()
    assert list(batcher.add(pl.DataFrame(schema=TYPES))) == []
    assert list(batcher.flush()) == []
