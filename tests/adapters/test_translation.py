"""What columns become: well-formed values canonical, others left for the schema to judge."""

from __future__ import annotations

import polars as pl
import pytest

from adapters.toolkit import translation
from adapters.toolkit.repeats import Repeats
from adapters.toolkit.translation import Column, Kind, Translation

VALUES = [
    (translation.money, "50,000.00", "50000.00"),
    (translation.money, "50000", "50000.00"),
    (translation.money, "50000.0", "50000.00"),
    (translation.money, "1,234,567.5", "1234567.50"),
    (translation.money, "-1,000.00", "-1000.00"),
    (translation.money, "0", "0.00"),
    (translation.money, "5,00.00", "5,00.00"),
    (translation.money, "1.234", "1.234"),
    (translation.money, None, None),
    (translation.date, "20240531", "2024-05-31"),
    (translation.date, "2024-05-31", "2024-05-31"),
    (translation.date, "2024/5/3", "2024-05-03"),
    (translation.date, "2024/10/30", "2024-10-30"),
    (translation.date, "2024-005-31", "2024-005-31"),
    (translation.date, "2024531", "2024531"),
    (translation.date, None, None),
    (translation.date, "99991231", None),
    (translation.date, "1900/1/1", None),
    (translation.any_day, "99991231", "9999-12-31"),
    (translation.money, "-0.0", "0.00"),
    (translation.number, "--", None),
    (translation.number, "J-0", "J-0"),
    (translation.identity, "３４１５９９１９９００１０１００１ｘ", "34159919900101001X"),
    (translation.identity, "34159919900101001x", "34159919900101001X"),
    (translation.rate, "4.35", "4.35"),
    (translation.whole, "30", "30"),
    (translation.code({"1": "normal"}), "1", "normal"),
    (translation.code({"1": "normal"}), "normal", "?"),
    (translation.code({"1": "normal"}), None, None),
]


@pytest.mark.parametrize(("kind", "value", "expected"), VALUES)
def test_a_value_becomes_canonical(kind: Kind, value: str | None, expected: str | None):
    """What is well formed in the source's conventions is rewritten; the rest never becomes well formed."""
    frame = pl.DataFrame({"value": [value]}, schema={"value": pl.String})
    assert frame.select(kind(pl.col("value"))).to_series().to_list() == [expected]


@pytest.mark.parametrize("value", ["", ".", "-", "1.", ".5", "a.5", "1,00", "１00", "1 000", "5万", "1e5"])
def test_what_is_no_amount_does_not_become_one(value: str):
    """Completing decimals makes an amount of nothing that was none."""
    frame = pl.DataFrame({"value": [value]})
    assert not frame.select(translation.money(pl.col("value")).str.contains(r"^-?[0-9]+\.[0-9]{2}$")).item()


def test_an_empty_cell_may_stand_for_a_value():
    """A column may say what an empty cell means; otherwise it stays empty."""
    table = Translation((Column("逾期天数", "overdue_days", empty="0"), Column("渠道", "channel")))
    cells = pl.DataFrame(
        {"line": [2], "逾期天数": [None], "渠道": [None]}, schema_overrides={"逾期天数": pl.String, "渠道": pl.String}
    )
    assert table.canonical(cells).rows() == [(2, "0", None)]


def test_a_number_is_a_repeat_from_its_second_time_on():
    """Repeats are found within a call and across calls; empty numbers never are."""
    repeats = Repeats()
    assert repeats.find(pl.Series(["a", "b", "a", None, None])).to_list() == [False, False, True, False, False]
    assert repeats.find(pl.Series(["c", "b", None, "c"])).to_list() == [False, True, False, True]
    assert repeats.find(pl.Series([], dtype=pl.String)).to_list() == []


def test_repeats_are_found_among_many_numbers():
    """No number is taken for another among 600,000, and every repeat is found."""
    repeats = Repeats()
    for start in range(0, 600_000, 50_000):
        assert not repeats.find(pl.Series([f"J{number}" for number in range(start, start + 50_000)])).any()
    assert repeats.find(pl.Series(["J0", "J300000", "J599999", "J600000"])).to_list() == [True, True, True, False]
