"""Which characters a text may have: what is taken for another, taken out, or rejects its row."""

from __future__ import annotations

import polars as pl
import pytest

from adapters.toolkit.characters import decoded, encoded, examined, is_utf_8, sound
from adapters.toolkit.text import folded
from tests.support.builders.delimited_files import identity_number

OF_2005 = (
    "A6D9 A6DA A6DB A6DC A6DD A6DE A6DF A6EC A6ED A6F3 FE59 FE61 FE66 FE67 FE6D FE7E FE90 FEA0 FE51 FE52 FE53 FE6C"
)
OF_2022 = "︐︒︑︓︔︕︖︗︘︙龴龵龶龷龸龹龺龻𠂇𠂉𠃌𡗗"


@pytest.mark.parametrize(
    ("data", "character"), [*zip(OF_2005.split(), OF_2022, strict=True), ("FE76", "𢦏"), ("FE91", "𤇾")]
)
def test_private_characters_of_2005_are_those_of_2022_and_are_written_as_they_came(data: str, character: str):
    """FE59 is 龴 (U+9FB4), whatever Python's table says, and goes back to the bank as FE59."""
    code = bytes.fromhex(data)
    assert 0xE000 <= ord(code.decode("gb18030")) <= 0xF8FF
    assert examined(code.decode("gb18030"), "gb18030") == (character, None, "", False)
    assert encoded(character, "gb18030") == code
    assert decoded(code, "gb18030") == character


def test_text_in_utf_8_is_written_as_it_is():
    """Only GB18030 has characters that moved."""
    assert (encoded("龴", "utf-8"), decoded("\ue81e".encode(), "utf-8")) == ("龴".encode(), "\ue81e")


WRONG = {
    "王\ufffd": ("HL2060", "U+FFFD"),
    "王锟斤拷": ("HL2060", "锟斤拷"),
    "锟斤拷": ("HL2060", "锟斤拷"),
    "王\ue000": ("HL2061", "U+E000"),
    "王\ue815": ("HL2061", "U+E815"),
    "王\uf8ff": ("HL2061", "U+F8FF"),
    "王\U000f0000": ("HL2061", "U+F0000"),
    "王\u202e五": ("HL2062", "U+202E"),
    "王\u200e": ("HL2062", "U+200E"),
    "王\u2066五": ("HL2062", "U+2066"),
    "王\u200d五": ("HL2062", "U+200D"),
    "王\u0085五": ("HL2062", "U+0085"),
    "王\u2028五": ("HL2062", "U+2028"),
    "王\x00": ("HL2062", "U+0000"),
    "XE\x00": ("HL2062", "U+0000"),
    "王\u3164": ("HL2062", "U+3164"),
    "王\ufe0f": ("HL2062", "U+FE0F"),
    "王\U000e0100": ("HL2062", "U+E0100"),
    "王\uffff": ("HL2062", "U+FFFF"),
}


@pytest.mark.parametrize("codec", ["gb18030", "utf-8"])
@pytest.mark.parametrize(("text", "found"), WRONG.items())
def test_a_character_that_cannot_be_believed_is_named(codec: str, text: str, found: tuple[str, str]):
    """The message says which character it is, in a form that can be looked up; the text is not repeated."""
    look = examined(text, codec)
    assert (look.code, look.what) == found


@pytest.mark.parametrize(
    "text", ["\u200b张\u200b三", "张\ufeff三\ufeff", "张\u00ad三", "张三\u2060", "张三\u3000\u200b"]
)
def test_marks_of_no_width_that_change_nothing_are_taken_out(text: str):
    """They come from web pages and chat programs, and nobody sees them."""
    assert examined(text, "utf-8") == ("张三", None, "", False)


@pytest.mark.parametrize(
    "text", ["阿依古丽·买买提", "𠅤三", "王䶮", "José", "（个体）张三", "皖农商借字〔2024〕第001号", "Ⅳ", "℃"]
)
@pytest.mark.parametrize("codec", ["gb18030", "utf-8"])
def test_ordinary_and_rare_characters_are_believed(codec: str, text: str):
    """Middle dots, accents, brackets and characters outside GBK are no damage."""
    assert examined(text, codec) == (text, None, "", False)


SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕濮阎闫缪阚"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂香建国华梅红玉淑珍春生海燕宝成喆堃"


def test_names_in_utf_8_are_found_in_a_file_of_gbk():
    """王五 would be 鐜嬩簲; of two characters and four, an even number of bytes, nothing else tells."""
    names = [surname + given for surname in SURNAMES for given in GIVEN]
    for name in [*names, *(name + other for name in names[::7] for other in names[::11])]:
        mistaken = name.encode().decode("gb18030")
        look = examined(mistaken, "gb18030")
        assert look.code == "HL2016", name


def test_names_in_gbk_are_not_taken_for_utf_8():
    """Not one of many names, with given names of one character and of two, is rejected for what it is not."""
    for surname in SURNAMES:
        for first in ("", *GIVEN):
            for second in GIVEN:
                look = examined(surname + first + second, "gb18030")
                assert look.code is None or look.is_doubtful


@pytest.mark.parametrize("name", ["谢袁", "魏叶", "肖谢谭"])
def test_names_in_gbk_are_found_in_a_file_of_utf_8(name: str):
    """谢袁 in GBK is valid UTF-8, of Cyrillic letters."""
    assert examined(name.encode("gbk").decode(), "utf-8").code == "HL2016"


def test_text_cut_at_its_column_is_utf_8_all_the_same():
    """A column of fixed width cuts characters of UTF-8, too."""
    assert is_utf_8("种植业养殖业".encode()[:17])
    assert not is_utf_8("种植".encode("gbk"))
    assert not is_utf_8(b"\xd6")


def test_what_may_be_utf_8_is_rejected_where_something_is_for_certain():
    """洹颁督 in GBK is valid UTF-8 by chance: a name by itself, and none beside a row that is UTF-8."""
    assert examined("洹颁督", "gb18030") == ("洹颁督", "HL2016", "", True)
    certain = "王五".encode().decode("gb18030")
    alone = pl.DataFrame({"line": [2, 3], "姓名": ["洹颁督", "张三"]})
    beside = pl.DataFrame({"line": [2, 3], "姓名": ["洹颁督", certain]})
    assert sound(alone, "gb18030")[1].height == 0
    assert sound(beside, "gb18030")[1]["line"].to_list() == [2, 3]


def test_columns_are_made_sound_and_their_faults_told_by_line():
    """Good cells stay; what is taken out leaves an empty cell where nothing else was."""
    cells = pl.DataFrame(
        {"line": [2, 5, 9], "a": ["张\u200b三", "\u200b", "王\ue001"], "b": ["1", None, "\u202e"], "c": ["x", "y", "z"]}
    )
    frame, faults = sound(cells, "utf-8")
    assert frame.rows() == [(2, "张三", "1", "x"), (5, None, None, "y"), (9, "王\ue001", "\u202e", "z")]
    assert faults.select("line", "field", "code").rows() == [(9, "a", "HL2061"), (9, "b", "HL2062")]
    assert "U+E001" in faults["message"][0]


def test_control_characters_in_plain_columns_are_found_where_the_file_has_any():
    """A column of digits is looked through only then: that would cost time in a million good rows."""
    cells = pl.DataFrame({"line": [2], "a": [identity_number(1) + "\x00"]})
    assert sound(cells, "gb18030")[1].height == 0
    assert sound(cells, "gb18030", data=b"\x00")[1]["code"].to_list() == ["HL2062"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("年利率（％）", "年利率(%)"),
        (" 借 据　号", "借据号"),
        ("\ufeff借据号\u200b", "借据号"),
        ("ＲＣＢ０１＿ＬＯＡＮ＿２０２４０５３１．ＣＳＶ", "RCB01_LOAN_20240531.CSV"),
        ("合　计：", "合计:"),
        ("借据号\ufe0f", "借据号"),
        ("年利率﹙﹪﹚", "年利率(%)"),
        ("年利\uf9db(%)", "年利率(%)"),
        ("\u2f8f政区划代码", "行政区划代码"),
    ],
)
def test_names_are_compared_without_widths_blanks_and_invisible_characters(written: str, name: str):
    """Of columns, of files, and of the row of control totals."""
    assert folded(written) == name
