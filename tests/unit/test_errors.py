"""The error catalogue: published, complete in both languages, and one tree."""

from __future__ import annotations

import ast
import json
import string
from pathlib import Path

import pytest

from huilian.core import error_texts, errors
from huilian.core.error_texts import TEXTS


def _facts(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", TEXTS)
def test_every_text_formats_in_both_languages_with_the_same_facts(code: str):
    """A fact that only one language names would be lost on the other's reader."""
    chinese, english = TEXTS[code]
    assert _facts(chinese) == _facts(english)
    facts = {name: f"<{name}>" for name in _facts(chinese)}
    for language in ("zh", "en"):
        text = errors.describe(code, language, **facts)
        assert all(value in text for value in facts.values())
        assert "{" not in text


@pytest.mark.parametrize("code", TEXTS)
def test_a_code_fits_six_characters(code: str):
    """The narrowest counterparty format gives a code six bytes."""
    assert len(code) == errors.CODE_LENGTH
    assert code.startswith("HL")
    assert code[2:].isdigit()


def test_codes_stand_once_and_in_order():
    """A dictionary would silently keep the last of two: look at the source."""
    codes = []
    for path in sorted(Path(error_texts.__file__).parent.glob("[a-z]*.py")):
        [literal] = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Dict)]
        found = [key.value for key in literal.keys if isinstance(key, ast.Constant)]
        assert found == sorted(set(found))
        codes += found
    assert sorted(codes) == list(TEXTS)


def test_no_two_codes_say_the_same():
    """Two codes with one text cannot be told apart by the people who read it."""
    for language in (0, 1):
        texts = [text[language] for text in TEXTS.values()]
        assert len(set(texts)) == len(texts)


def test_an_error_carries_its_code_its_facts_and_both_texts():
    """Programs branch on the code, people read either language."""
    error = errors.FileRefused("HL3006", file="a.csv")
    assert (error.code, error.facts) == ("HL3006", {"file": "a.csv"})
    assert (error.text("zh"), error.text("en")) == ("文件 a.csv 为空，请重新导出", "a.csv is empty: export it again")
    assert str(error) == "HL3006 a.csv is empty: export it again"


def test_a_fact_in_two_languages_stands_in_each_text_in_its_own():
    """Kept as a plain text it has both, and is told so in both."""
    what = error_texts.Bilingual("区划 341599 不在其辖区内", "region 341599 is not its own")
    refused = errors.MessageRefused("HL1052", member="TOWN1", what=what)
    assert refused.chinese == "机构 TOWN1 不能办理：区划 341599 不在其辖区内"
    assert refused.english == "member TOWN1 may not take this step: region 341599 is not its own"
    kept = json.loads(json.dumps(refused.facts))
    assert kept == {"member": "TOWN1", "what": "区划 341599 不在其辖区内 (region 341599 is not its own)"}
    assert errors.kept("HL1052", kept, "").chinese.endswith("(region 341599 is not its own)")


def test_a_missing_fact_is_a_mistake_of_the_caller():
    """An error never leaves with a hole in its text."""
    with pytest.raises(KeyError, match="file"):
        errors.FileRefused("HL3006")


def test_every_exported_error_belongs_to_the_tree():
    """One base catches all that Huilian raises on purpose."""
    exported = [getattr(errors, name) for name in errors.__all__ if name[0].isupper() and name != "Reason"]
    assert all(issubclass(each, errors.HuilianError) for each in exported)


def test_a_record_is_told_of_no_date_that_it_may_not_have():
    """Files may say more; their adapters' texts name it."""
    assert errors.describe("HL2003") == "不是有效日期（应为 2024-05-31，不带时间）"
    assert errors.describe("HL2003", "en") == "not a date (such as 2024-05-31, without a time)"
