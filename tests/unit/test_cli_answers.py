"""What is printed of a pushed file."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from huilian.cli.push import ACCEPTED, Answer

COUNTS = {"rows": 3, "accepted": 2, "rejected": 1, "changed": 2, "unchanged": 0, "missing": 0}
RECEIPT, ROWS = Path("INS_PICC_ACK_20240531_01.xml"), Path("退回_INS_PICC_POLICY_20240531_01.xml")


@pytest.mark.parametrize(
    ("rejections", "answer", "lines"),
    [
        (None, None, []),
        (ROWS, None, [f"退回明细 (rejected rows)：{ROWS}"]),
        (
            ROWS,
            RECEIPT,
            [f"退回明细 (rejected rows)：{ROWS}", f"回执文件 (receipt, in its own format)：{RECEIPT}"],
        ),
        (RECEIPT, RECEIPT, [f"回执与退回明细 (rejected rows)：{RECEIPT}"]),
    ],
)
def test_each_file_that_comes_back_is_named_once(rejections: Path | None, answer: Path | None, lines: list[str]):
    """Also where the receipt in the sender's own format is what names the rejected rows."""
    console = Console(file=io.StringIO(), width=200)
    console.print(Answer(Path("file.xml"), "S1", ACCEPTED, COUNTS, rejections, answer=answer).as_table())
    printed = console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # the buffer made above
    assert [line.strip() for line in printed if "：" in line] == lines
