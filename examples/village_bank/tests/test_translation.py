"""What the sample's rows become, to the fen and the day."""

from __future__ import annotations

from pathlib import Path

import village_bank
from huilian.adapters import AdapterSettings
from village_bank import adapter

SAMPLE = Path(village_bank.__file__).parent / "samples" / "BANK01_LOAN_20240531.csv"
SETTINGS = AdapterSettings("341599", {"utf_8": False})


def test_a_row_becomes_a_record():
    """Amounts, dates in every agreed form, and codes."""
    identity = adapter.recognise(SAMPLE.name)
    assert identity is not None
    (piece,) = adapter.read(SAMPLE, identity, SETTINGS)
    assert (piece.rows, piece.rejections.height) == (3, 0)
    wanted = ["loan_no", "balance", "start_date", "settled_date", "five_tier_class", "overdue_principal", "status"]
    assert piece.accepted.select(wanted).rows() == [
        ("J20240001", "30000.00", "2024-01-05", None, "normal", "0.00", "normal"),
        ("J20240002", "0.00", "2024-02-06", "2024-05-20", "normal", "0.00", "settled"),
        ("J20240003", "45000.50", "2024-03-07", None, "special_mention", "1200.00", "overdue"),
    ]
    assert piece.accepted["purpose"].to_list() == ["种植", "种植", "养殖,加工"]


def test_a_file_of_another_name_is_not_taken():
    """Journals, other days and other endings are somebody else's."""
    names = ["BANK01_REPAY_20240531.csv", "BANK01_LOAN_20240231.csv", "BANK01_LOAN_20240531.xlsx"]
    assert [adapter.recognise(name) for name in names] == [None, None, None]
