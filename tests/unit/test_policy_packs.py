"""The packs that come with Huilian, the schema for editors and the manual: all say what the reader reads."""

from __future__ import annotations

import json
import re
import tomllib
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from huilian.policy import breaker, eligibility, insurance_period, loss, policies, rating, subsidy
from huilian.policy.tables import Row
from huilian.policy.workbench import publish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.policy.tables import Entry

ROOT = Path(__file__).parents[2]
PACKS = (
    "anhui", "guangxi_2019", "hainan_2022", "helping_2026", "huangping", "hubei", "lushi", "national_2021",
    "qingyang_2024", "xingan", "yanchi",
)  # fmt: skip
MANUAL = (ROOT / "docs" / publish.MANUAL).read_text("utf-8")
SHORT_MANUAL = (ROOT / "docs" / "policies.zh-CN.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", MANUAL + SHORT_MANUAL, re.DOTALL | re.MULTILINE)
HEAD = """\
name = "county"
version = "1"
title = "示例"
plans = ["方案"]
grades = ["A", "AA", "AAA", "AAA+"]
"""
PRODUCT = """
[products.household]
title = "贷款"
borrowers = ["household"]
open = "2020-01-01.."
"""
LENDING = """
[products.household.lending]
amount_maximum = { value = "50000.00", source = "一" }
"""


def test_these_packs_come_with_huilian():
    """The four plans of the seed, and seven from public notices."""
    assert policies.available() == PACKS


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_is_read_without_a_fault(name: str):
    """Whoever installs Huilian can choose any of them."""
    policy = policies.load(name)
    assert (policy.name, policy.version) == (name, "2" if name in {"anhui", "lushi", "xingan", "yanchi"} else "1")


def _said(name: str) -> Iterator[tuple[str, Row | Entry]]:
    for _, part in policies.load(name).parts():
        for rule, table in part.rules.items():
            yield from ((rule, row) for row in table.rows)
        for rule, entries in part.lists.items():
            yield from ((rule, entry) for entry in entries)


def _says_nothing(said: Row | Entry) -> bool:
    return isinstance(said, Row) and said.value is None


@pytest.mark.parametrize("name", PACKS)
def test_what_a_pack_assumes_is_marked(name: str):
    """What a source calls not laid down is ours, and nobody takes it for the plan's."""
    silent = re.compile("未规定|未给出|为设定")
    ours = [(rule, said) for rule, said in _said(name) if silent.search(said.source) and not _says_nothing(said)]
    assert [(rule, said.line) for rule, said in ours if not said.assumed] == []


def test_assumed_values_of_a_pack_can_be_listed():
    """The county settles them one by one."""
    assumed = {rule for rule, said in _said("anhui") if said.assumed}
    assert {"rating.weights", "lending.age", "subsidy.rate", "subsidy.overdue", "subsidy.day_basis"} <= assumed
    assert not assumed & {"lending.amount_maximum", "subsidy.caps", "loss.shares", "lending.purposes_refused"}


def _schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files("contracts") / publish.SCHEMA).read_text("utf-8"))
    return found


def test_schema_and_manual_are_as_published():
    """If this fails, run `make contracts`."""
    assert _schema() == publish.schema()
    assert publish.with_tables(MANUAL) == MANUAL
    assert all(
        f"<!-- {name} -->\n{table}<!-- end of {name} -->\n" in MANUAL for name, table in publish.tables().items()
    )


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_is_valid_by_the_schema_for_editors(name: str):
    """An editor marks nothing in a file that is right."""
    validator = jsonschema.Draft202012Validator(_schema())
    pack = tomllib.loads((files("contracts") / "policies" / f"{name}.toml").read_text("utf-8"))
    assert [error.message for error in validator.iter_errors(pack)] == []


MISSPELT: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "a rule": (("products", "household", "lending", "ammount"), {"value": "1.00", "source": "一"}),
    "a section": (("products", "household", "lendin"), {}),
    "a part": (("breaker",), []),
    "a fact": (("products", "household", "lending", "age", "signd"), ".."),
    "a range": (("products", "household", "lending", "age", "signed"), "2021"),
    "a party": (("products", "household", "loss", "shares", "value", "fnd"), "10%"),
    "a field": (("breakers", 0, "level_of"), "village"),
    "an amount": (("products", "household", "lending", "amount_maximum", "value"), 50000),
}


@pytest.mark.parametrize("what", MISSPELT)
def test_what_is_misspelt_is_invalid_by_the_schema(what: str):
    """An editor marks it while it is typed."""
    pack: Any = tomllib.loads((files("contracts") / "policies" / "anhui.toml").read_text("utf-8"))
    (*path, key), value = MISSPELT[what]
    place = pack
    for each in path:
        place = place[each]
    place[key] = value
    assert not jsonschema.Draft202012Validator(_schema()).is_valid(pack)


@pytest.mark.parametrize("place", range(len(EXAMPLES)))
def test_an_example_of_the_manual_is_right(place: int, tmp_path: Path):
    """Whoever copies one has a file without a fault."""
    text = EXAMPLES[place]
    if "name =" not in text.splitlines()[0]:
        product = "" if "[products.household]\n" in text else PRODUCT
        lending = "" if "[products.household.lending]\n" in text else LENDING
        text = f"{HEAD}{product}{lending}\n{text}"
    path = tmp_path / f"{tomllib.loads(text)['name']}.toml"
    path.write_text(text, "utf-8")
    assert [(fault.line, fault.text("en")) for fault in policies.check(path)[1]] == []


def test_the_manual_has_an_example_of_each_way_in_which_plans_differ():
    """Twenty-two of them, each beside its words."""
    chapter = MANUAL.partition("## Twenty-two things plans differ in")[2].partition("\n## ")[0]
    parts = re.split(r"^### (\d+) .*$", chapter, flags=re.MULTILINE)[1:]
    assert [int(number) for number in parts[::2]] == list(range(1, 23))
    assert all("```toml\n" in text for text in parts[1::2])


def _words(found: Any) -> Iterator[str]:  # noqa: ANN401  # what JSON has
    if isinstance(found, dict):
        yield from found.get("enum", ())
        for each in found.values():
            yield from _words(each)
    elif isinstance(found, list):
        for each in found:
            yield from _words(each)


def test_the_manual_says_what_every_code_means():
    """A lawyer need not guess."""
    chapter = MANUAL.partition("\n## Words\n")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| `(\w+)` \| .+ \|$", chapter, re.MULTILINE)
    assert sorted(explained) == sorted(set(_words(publish.schema())))


FUNCTIONS = {
    "Rating": (rating.CASE, rating.REASONS),
    "Eligibility": (eligibility.CASE, eligibility.REASONS),
    "Subsidy": (subsidy.CASE, subsidy.REASONS),
    "Loss": (loss.CASE, loss.REASONS),
    "Breaker": (breaker.CASE, breaker.REASONS),
    "Insurance": (insurance_period.CASE, {}),
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_manual_names_every_key_and_reason_of_a_function(function: str):
    """Who tries records finds there what may go in, and what a code means."""
    schema, reasons = FUNCTIONS[function]
    chapter = MANUAL.partition(f"\n### {function}\n")[2].partition("\n### ")[0]
    named = set(re.findall(r"`(\w+)`", chapter)) | set(re.findall(r'"(\w+)"', chapter))
    # What is true or false stands under the name of its condition.
    keys = {field.data_key or name for name, field in schema.fields.items()} - {"shown"}
    assert (keys | reasons.keys()) - named == set()


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("anhui", ["village", "township"]),
        ("yanchi", ["group", "village", "township"]),
        ("lushi", ["village", "township"]),
    ],
)
def test_a_plan_with_a_campaign_for_credit_regions_says_when_a_region_is_one(name: str, levels: list[str]):
    """Four of five households; the plans name the campaign and no figure."""
    entries = policies.load(name).general.lists["rating.credit_regions"]
    assert [(entry["level"], entry["share_minimum"], entry.assumed) for entry in entries] == [
        (level, Decimal(80), True) for level in levels
    ]
