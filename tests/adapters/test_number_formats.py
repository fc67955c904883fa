"""What a number format makes people see, and what is therefore read of a number, or not."""

from __future__ import annotations

from typing import Final

import pytest

from adapters.toolkit.workbook import formats
from adapters.toolkit.workbook.cells import EPOCH_1900, NUMBER, TEXT, Cell, ColumnKind, amount, shown

YUAN, TEN_THOUSANDS = amount(0), amount(4)

SCALED: Final = "数字格式缩放了显示的数值，看到的与存放的不同"
WORDED: Final = "数字格式在数值中加入了文字，看到的与存放的不同"
UNSIGNED: Final = "数字格式没有显示负号"
SIGNED: Final = "数字格式给正数加上了负号或括号"
ACCOUNTING: Final = '_ ¥* #,##0.00_ ;_ ¥* \\-#,##0.00_ ;_ ¥* "-"??_ ;_ @_ '

READ: Final = [
    # Plain numbers, whatever stands around them.
    ("4.876543", "General", TEN_THOUSANDS, "4.876543"),
    ("4.876543", "G/通用格式", TEN_THOUSANDS, "4.876543"),
    ("4.876543", "0", TEN_THOUSANDS, "4.876543"),
    ("5", "@", TEN_THOUSANDS, "5"),
    ("24000", "#,##0.00_);(#,##0.00)", YUAN, "24000"),
    ("24000", "¥#,##0.00;¥-#,##0.00", YUAN, "24000"),
    ("24000", "[$¥-804]#,##0.00", YUAN, "24000"),
    ("24000", '"人民币"#,##0.00"元"', YUAN, "24000"),
    ("24000", ACCOUNTING, YUAN, "24000"),
    ("-24000", ACCOUNTING, YUAN, "-24000"),
    ("0", ACCOUNTING, YUAN, "0"),
    *((held, formats.built_in(44), YUAN, held) for held in ("24000", "-24000", "0")),
    ("0", "0;-0;;@", YUAN, "0"),
    ("-5", "0.00_);[Red](0.00)", YUAN, "-5"),
    ("-5", "0.00;[Red]0.00", YUAN, "-5"),
    ("-5", "0.00", YUAN, "-5"),
    ("5", "[红色]0.00", YUAN, "5"),
    ("5", "[DBNum2][$-804]General", YUAN, "5"),
    ("0.5", "# ?/?", TEN_THOUSANDS, "0.5"),
    ("341599101200", "0.00E+00", TEXT, "341599101200"),
    ("123456", '#","000', YUAN, "123456"),
    # A point that is text, and commas that divide, explained by the column's unit or by one of their own.
    ("50000", "0!.0000", TEN_THOUSANDS, "5"),
    ("50000", '0"."0000', TEN_THOUSANDS, "5"),
    ("50000", "0\\.0000", TEN_THOUSANDS, "5"),
    ("48765.43", "0!.0,", TEN_THOUSANDS, "4.876543"),
    ("-48765.43", "0!.0,;-0!.0,", TEN_THOUSANDS, "-4.876543"),
    ("48765.43", '0!.0,"万元"', TEN_THOUSANDS, "4.876543"),
    ("48765.43", '0!.0,"万"', YUAN, "48765.43"),
    ("50000", '#,##0,"千元"', YUAN, "50000"),
    ("50000", '[>=10000]0!.0,"万元";0"元"', YUAN, "50000"),
    ("500", '[>=10000]0!.0,"万元";0"元"', YUAN, "500"),
    # A unit that is text.
    ("4.876543", '0.00"万元"', TEN_THOUSANDS, "4.876543"),
    ("4.876543", "0.00万元", TEN_THOUSANDS, "4.876543"),
    ("4.876543", '0.00"万元"', YUAN, "48765.43"),
    ("50000", '0.00"元"', TEN_THOUSANDS, "5"),
    # Percentages, by multiplying or in words.
    ("0.0435", "0.00%", NUMBER, "4.35%"),
    ("4.35", '0.00"%"', NUMBER, "4.35%"),
    ("4.35", "0.00\\%", NUMBER, "4.35%"),
    ("0.2", "0%", TEXT, "20%"),
    # Counts, and numbers of things, whose text may be in the format.
    ("3", '0"人"', NUMBER, "3"),
    ("12", "0000", TEXT, "0012"),
    ("1", '"DB2024-"0000', TEXT, "DB2024-0001"),
    ("20240105", '0000"年"00"月"00"日"', TEXT, "2024年01月05日"),
    ("20240105", "0000!/00!/00", TEXT, "2024/01/05"),
    ("5640000000", "0000\\-0000000", TEXT, "0564-0000000"),
    ("341599101200", "0_ ", TEXT, "341599101200"),
    # Days.
    ("45296.75", "[$-804]yyyy/m/d;@", TEXT, "2024-01-05"),
    ("45296", 'm"月"d"日"', TEXT, "2024-01-05"),
    ("45296", "m/d/yy h:mm", TEXT, "2024-01-05"),
    ("45296", "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", TEXT, "2024-01-05"),
]


@pytest.mark.parametrize(("held", "code", "kind", "read"), READ)
def test_a_number_is_read_as_what_its_format_shows(held: str, code: str, kind: ColumnKind, read: str):
    """With all its digits: a format may round what it shows."""
    assert shown(Cell("number", held, code), "I5", EPOCH_1900, kind) == (read, None)


REJECTED: Final = [
    ("50000", "0!.0000", YUAN, SCALED),
    ("50000", "0!.0", TEN_THOUSANDS, SCALED),
    ("50000", "0!.0,", YUAN, SCALED),
    ("50000", "#,##0,", TEN_THOUSANDS, SCALED),
    ("50000", "0.00,,", YUAN, SCALED),
    ("50000", "0.0,", TEN_THOUSANDS, SCALED),
    ("50000", '0.00,"万元"', YUAN, SCALED),
    ("50000", '0.0000,"万元"', TEN_THOUSANDS, SCALED),
    ("3", '0.0"万"', NUMBER, SCALED),
    ("3", "0,", NUMBER, SCALED),
    ("50000", '0"万"0000', YUAN, WORDED),
    ("5", '0"0000"', YUAN, WORDED),
    ("5", '"20"0', NUMBER, WORDED),
    ("0.85", '0.00"‰"', NUMBER, WORDED),
    ("5", '"约"0', YUAN, WORDED),
    ("5", "0!.00!.00", YUAN, WORDED),
    ("1.5", '"DB"0.0', TEXT, WORDED),
    ("-5", "0.00;0.00", YUAN, UNSIGNED),
    ("5", '"-"0', YUAN, SIGNED),
    ("5", "(0.00)", YUAN, SIGNED),
    ("5", ";;;", YUAN, "数字格式不显示这个数值"),
    ("5", '"已结清"', YUAN, "数字格式不显示这个数值"),
    ("45296", "aaaa", TEXT, "数字格式不显示这个数值"),
    ("45296", "h:mm", TEXT, "数字格式只显示时间，没有日期"),
    ("45296.5", "[h]:mm", YUAN, "数字格式只显示时间，没有日期"),
    ("5", "RMB0.00", YUAN, "数字格式无法理解"),
]


@pytest.mark.parametrize(("held", "code", "kind", "what"), REJECTED)
def test_a_number_that_shows_another_is_not_read_and_its_cell_is_named(
    held: str, code: str, kind: ColumnKind, what: str
):
    """Nobody could say which of the two is meant."""
    text, problem = shown(Cell("number", held, code), "I5", EPOCH_1900, kind)
    assert (text, problem) == (None, ("HL2039", f"单元格 I5 无法取值：{what}"))


@pytest.mark.parametrize(("number", "read"), [(31, "2024-01-05"), (58, "2024-01-05"), (14, "2024-01-05"), (32, None)])
def test_formats_that_a_file_names_by_number_only_are_those_of_chinese_spreadsheets(number: int, read: str | None):
    """31 is 2024年1月5日, 58 is 1月5日, and 32 the hour alone, of whatever day."""
    text, problem = shown(Cell("number", "45296.5", formats.built_in(number)), "L5", EPOCH_1900)
    assert text == read
    assert problem == (None if read else ("HL2039", "单元格 L5 无法取值：数字格式只显示时间，没有日期"))
