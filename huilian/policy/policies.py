"""Policies: what a county's plan says, read from a file, every value with its source.

A policy is a file `<name>.toml`::

    name = "anhui"
    version = "2"
    title = "扶贫小额信贷工作实施方案（农商银行）"
    plans = ["篇一", "篇三"]

    [products.household]
    title = "扶贫小额信贷"
    borrowers = ["household"]
    open = "2015-01-01.."

    [products.household.lending]
    amount_maximum = { value = "50000.00", source = "篇三 三(二)" }

What a file may say stands in `huilian.policy.structure`, how tables are written in `huilian.policy.facts`.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from huilian.core import regions
from huilian.core.errors import ConfigurationError, UsageError
from huilian.policy import positions, tables
from huilian.policy.contradictions import contradictions
from huilian.policy.facts import FACTS, Interval, Vocabulary, Words, read_condition
from huilian.policy.faults import Fault, WrongValueError
from huilian.policy.structure import HEADER, POLICY, PRODUCT, Field, Listing, Rule, Section
from huilian.policy.tables import Entry, Row, Table

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from importlib.resources.abc import Traversable

    from huilian.policy.positions import Lines

__all__ = ["CASES", "Entry", "Policy", "Product", "WrongPolicyError", "available", "check", "find", "load"]


CASES: Final = ".cases"
"""The cases of `anhui.toml` are in `anhui.cases.toml`, beside it."""


@dataclass(frozen=True)
class Product:
    """One product of a policy, or what the policy says beside its products (its `name` is then empty).

    Args:
        name: as in `[products.<name>]`.
        title: what people call it.
        borrowers: "household", "enterprise", or both.
        open: the days of signing in which there is such a loan.
        rules: tables by section and name, as in "subsidy.share".
        lists: entries by section and name, as in "lending.conditions".
    """

    name: str
    title: str
    borrowers: tuple[str, ...]
    open: Interval | None
    rules: Mapping[str, Table]
    lists: Mapping[str, tuple[Entry, ...]]

    def has(self, section: str) -> bool:
        """Return whether the plan has a section, as "subsidy"."""
        return any(name.startswith(f"{section}.") for name in (*self.rules, *self.lists))


@dataclass(frozen=True)
class Policy:
    """What a plan says.

    Args:
        name: as the file is called, "anhui".
        version: results computed by this policy carry it.
        title: the plan's own title.
        plans: the plans it is drawn from.
        vocabulary: the words that only this policy knows.
        county_kind: of the county it is written for, where the plan tells counties apart.
        products: in the order of the file.
        general: what holds for all of them: rating, fund, breakers and so on.
    """

    name: str
    version: str
    title: str
    plans: tuple[str, ...]
    vocabulary: Vocabulary
    county_kind: str | None
    products: Mapping[str, Product]
    general: Product

    def product(self, name: str | None, *, borrower: str, signed: dt.date | None = None) -> Product | None:
        """Return a product by its name, or the first for a borrower that is open on a day of signing; None without."""
        if name is not None:
            return self.products.get(name)
        for each in self.products.values():
            if borrower in each.borrowers and (signed is None or (each.open is not None and each.open.has(signed))):
                return each
        return None

    def parts(self) -> Iterator[tuple[str, Product]]:
        """Yield what it says, each part with the prefix of its rules."""
        yield "", self.general
        for name, product in self.products.items():
            yield f"products.{name}.", product


class WrongPolicyError(ConfigurationError):
    """A policy file with faults.

    Args:
        file: its name.
        faults: all of them, in the order of the lines.
    """

    def __init__(self, file: str, faults: Sequence[Fault]) -> None:
        more = f" (+{len(faults) - 1})" if len(faults) > 1 else ""
        super().__init__("HL6002", file=f"{file}:{faults[0].line}", what=f"{faults[0].text('zh')}{more}")
        self.english = self.english.replace(faults[0].text("zh"), faults[0].text("en"))
        self.faults = tuple(faults)


def available(folder: Path | None = None) -> tuple[str, ...]:
    """Return the names of the policies that come with Huilian, and of a county's own, in order."""
    own = () if folder is None else (path.name for path in folder.glob("*.toml"))
    names = (*(entry.name for entry in _folder().iterdir()), *own)
    return tuple(sorted({match[1] for name in names if (match := re.fullmatch(rf"({_NAME})\.toml", name))}))


def find(name: str, *, folder: Path | None = None) -> Traversable:
    """Return the file of the policy called so.

    Args:
        name: of the policy.
        folder: where a county keeps policies of its own; they go before those that come with Huilian.

    Raises:
        ConfigurationError: HL6003, no policy has that name.
    """
    known = available(folder)
    if name not in known:
        raise ConfigurationError("HL6003", name=name, known=", ".join(known))
    own = None if folder is None else folder / f"{name}.toml"
    return own if own is not None and own.is_file() else _folder() / f"{name}.toml"


def load(source: str | Traversable, *, folder: Path | None = None) -> Policy:
    """Return a policy: the one called so, or the one in a file.

    Args:
        source: a policy's name, or a file.
        folder: where a county keeps policies of its own; a name is looked for there first.

    Raises:
        ConfigurationError: HL6003, no policy has that name.
        WrongPolicyError: HL6002, with every fault.
    """
    source = find(source, folder=folder) if isinstance(source, str) else source
    policy, faults = check(source, folder=folder)
    if policy is None:
        raise WrongPolicyError(source.name, faults)
    return policy


def check(source: Traversable, *, folder: Path | None = None) -> tuple[Policy | None, tuple[Fault, ...]]:
    """Read a file; return the policy, or None and every fault in the order of the lines.

    Args:
        source: the file.
        folder: where other policies are looked for first, of which it takes a product over.
    """
    return _read(source, folder, takes_over=True)


def _read(source: Traversable, folder: Path | None, *, takes_over: bool) -> tuple[Policy | None, tuple[Fault, ...]]:
    name = source.name
    found = positions.load(source)
    if isinstance(found, Fault):
        return None, (found,)
    raw, lines = found
    reader = _Reader(name, lines, folder, takes_over)
    policy = reader.policy(raw, Path(name).stem)
    # A rule that cannot be read contradicts nothing, nor is it missing.
    unread = [fault.place for fault in reader.faults]
    for line, place, key, facts in contradictions(policy):
        concerned = (place, str(facts.get("other", place)))
        # A product of another policy is checked where it stands.
        if ":" not in place and not any(each.startswith(concerned) for each in unread):
            reader.faults.append(Fault(name, line, place, key, facts))
    faults = tuple(sorted(reader.faults, key=lambda fault: fault.line))
    return (None if faults else policy), faults


def _folder() -> Traversable:
    return files("contracts") / "policies"


_NAME: Final = "[a-z][a-z0-9_]*"
_ROW_KEYS: Final = ("value", "none", "source", "assumed", "note")
_ENTRY_KEYS: Final = ("source", "assumed", "note")
_SECTIONS_NEEDED: Final = ("lending",)


@dataclass
class _Reader:
    """One reading of one file; goes on after a fault, so that all are told at once."""

    file: str
    lines: Lines
    folder: Path | None
    takes_over: bool
    """Whether products of other policies are read; a policy that is read for one of its own has no need of them."""
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: positions.Path, key: str, /, **facts: object) -> None:
        self.faults.append(Fault(self.file, positions.line_of(self.lines, path), _place(path), key, facts))

    def policy(self, raw: dict[str, Any], stem: str) -> Policy:
        known = (*HEADER, *POLICY, "products", "region_lists")
        self._no_others(raw, known, ())
        self.vocabulary = Vocabulary(region_lists=self._region_lists(raw.get("region_lists", {})))
        header = self._fields({key: raw[key] for key in raw if key in HEADER}, HEADER, ())
        self.vocabulary = Vocabulary(header.get("grades", ()), self.vocabulary.region_lists)
        if header.get("name", stem) != stem:
            self.fault(("name",), "name", name=header["name"], stem=stem)
        said = [self._member(raw[key], spec, (key,)) for key, spec in POLICY.items() if key in raw]
        general = Product("", header.get("title", ""), (), None, *_parted(said, 0))
        products = self._products(raw.get("products"))
        return Policy(
            header.get("name", stem),
            header.get("version", ""),
            header.get("title", ""),
            header.get("plans", ()),
            self.vocabulary,
            header.get("county_kind"),
            MappingProxyType(products),
            general,
        )

    def _products(self, raw: object) -> dict[str, Product]:
        if not isinstance(raw, dict) or not raw:
            self.fault(("products",), "no_product")
            return {}
        return {name: self._product(name, each) for name, each in raw.items()}

    def _product(self, name: str, raw: object) -> Product:
        path = ("products", name)
        header: dict[str, Any] = {}
        said: list[Iterator[tuple[positions.Path, Table | tuple[Entry, ...]]]] = []
        if not re.fullmatch(_NAME, name):
            self.fault(path, "code")
        if not isinstance(raw, dict):
            self.fault(path, "table", known=", ".join(PRODUCT))
        elif "from" in raw:
            return self._product_of_another(name, raw)
        else:
            self._no_others(raw, (*PRODUCT, "from"), path)
            fields = {key: spec for key, spec in PRODUCT.items() if isinstance(spec, Field)}
            header = self._fields({key: raw[key] for key in raw if key in fields}, fields, path)
            others = [(key, spec) for key, spec in PRODUCT.items() if key in raw and not isinstance(spec, Field)]
            said = [self._member(raw[key], spec, (*path, key)) for key, spec in others]
            for key in _SECTIONS_NEEDED:
                if key not in raw:
                    self.fault(path, "missing", key=key)
        parts = _parted(said, len(path))
        return Product(name, header.get("title", name), header.get("borrowers", ()), header.get("open"), *parts)

    def _product_of_another(self, name: str, raw: dict[str, Any]) -> Product:
        """Take a product of another policy over, as it stands there."""
        path = ("products", name, "from")
        nothing = Product(name, name, (), None, {}, {})
        self._no_others(raw, ("from",), path[:-1])
        found = re.fullmatch(r"([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)", str(raw["from"]))
        if found is None or found[1] == Path(self.file).stem:
            self.fault(path, "product_of")
            return nothing
        if not self.takes_over:
            return nothing
        try:
            other, faults = _read(find(found[1], folder=self.folder), self.folder, takes_over=False)
        except ConfigurationError as error:
            self.fault(path, "policy_of", what=error.chinese)
            return nothing
        if other is None:
            self.fault(path, "policy_of", what=f"{faults[0].file}:{faults[0].line} {faults[0].text()}")
            return nothing
        if found[2] not in other.products or not other.products[found[2]].rules:
            self.fault(path, "unknown_word", word=found[2], known=", ".join(other.products))
            return nothing
        if other.vocabulary.grades and other.vocabulary.grades != self.vocabulary.grades:
            self.fault(path, "grades_differ", grades=", ".join(other.vocabulary.grades))
        product = other.products[found[2]]
        rules = {key: table.of_policy(other.name) for key, table in product.rules.items()}
        lists = {
            key: tuple(replace(entry, rule=f"{other.name}:{entry.rule}") for entry in entries)
            for key, entries in product.lists.items()
        }
        return replace(product, name=name, rules=MappingProxyType(rules), lists=MappingProxyType(lists))

    def _member(
        self, raw: object, spec: Rule | Listing | Section | Field, path: positions.Path
    ) -> Iterator[tuple[positions.Path, Table | tuple[Entry, ...]]]:
        if isinstance(spec, Section):
            yield from self._section(raw, spec, path)
        elif isinstance(spec, Rule):
            rows = [raw] if isinstance(raw, dict) else raw
            if not isinstance(rows, list):
                self.fault(path, "list")
            elif not rows:
                self.fault(path, "empty")
            elif (table := self._table(rows, spec, path)) is not None:
                yield path, table
        elif isinstance(spec, Listing):
            yield path, tuple(self._entries(raw, spec, path))

    def _section(
        self, raw: object, section: Section, path: positions.Path
    ) -> Iterator[tuple[positions.Path, Table | tuple[Entry, ...]]]:
        if not isinstance(raw, dict):
            self.fault(path, "table", known=", ".join(section.members))
            return
        self._no_others(raw, tuple(section.members), path)
        for key, member in section.members.items():
            if key in raw:
                yield from self._member(raw[key], member, (*path, key))
            elif isinstance(member, Rule) and not member.absent:
                self.fault(path, "missing", key=key)

    def _table(self, raw: list[Any], rule: Rule, path: positions.Path) -> Table | None:
        single = len(raw) == 1
        before = len(self.faults)
        found = [self._row(each, rule, path if single else (*path, place), path) for place, each in enumerate(raw)]
        rows = [row for row in found if row is not None]
        if len(self.faults) > before or len(rows) < len(raw):
            return None
        first = tuple(rows[0].when)
        for place, row in enumerate(rows):
            if set(row.when) != set(first):
                expected, got = (", ".join(sorted(names)) or "-" for names in (first, row.when))
                self.fault((*path, place), "facts_differ", found=got, expected=expected)
        if not first and not single:
            self.fault(path, "constant_list")
        if len(self.faults) > before:
            return None
        gaps, doubled = tables.open_and_doubled([row.when for row in rows], self.vocabulary)
        for one, other, case in doubled:
            self.fault((*path, other), "overlap", line=rows[one].line, case=case)
        for case in gaps:
            self.fault(path, "gap", case=case)
        ordered = (replace(row, when={fact: row.when[fact] for fact in first}) for row in rows)
        return Table(_place(path), tuple(ordered))

    def _row(self, raw: object, rule: Rule, path: positions.Path, table: positions.Path) -> Row | None:
        known = (*rule.facts, *_ROW_KEYS)
        if not isinstance(raw, dict):
            self.fault(path, "table", known=", ".join(known))
            return None
        when = self._when(raw, rule.facts, path)
        self._no_others({key: raw[key] for key in raw if key not in FACTS}, known, path)
        source, assumed = self._provenance(raw, path)
        if ("value" in raw) == ("none" in raw):
            self.fault(path, "value_or_none")
            return None
        if "none" in raw and raw["none"] is not True:
            self.fault((*path, "none"), "true")
        value = self._value(raw["value"], rule, path) if "value" in raw else None
        return Row(_place(table), when, value, source, assumed, positions.line_of(self.lines, path))

    def _value(self, raw: object, rule: Rule | Field, path: positions.Path, key: str = "value") -> Any:  # noqa: ANN401
        try:
            return rule.kind.read(raw, self.vocabulary)
        except WrongValueError as error:
            self.fault((*path, key), error.key, **error.facts)
            return None

    def _when(self, raw: dict[str, Any], facts: tuple[str, ...], path: positions.Path) -> dict[str, Interval | Words]:
        when: dict[str, Interval | Words] = {}
        for key, condition in raw.items():
            if key not in FACTS:
                continue
            if key not in facts:
                self.fault((*path, key), "facts_unknown", fact=key, known=", ".join(facts) or "-")
                continue
            try:
                when[key] = read_condition(FACTS[key], condition, self.vocabulary)
            except WrongValueError as error:
                self.fault((*path, key), error.key, **error.facts)
        return when

    def _provenance(self, raw: dict[str, Any], path: positions.Path) -> tuple[str, bool]:
        if "assumed" in raw and raw["assumed"] is not True:
            self.fault((*path, "assumed"), "true")
        if "source" not in raw:
            self.fault(path, "missing", key="source")
            return "", False
        for key in ("source", "note"):
            if key in raw and (not isinstance(raw[key], str) or not raw[key].strip()):
                self.fault((*path, key), "text", found=repr(raw[key]))
        return str(raw["source"]), "assumed" in raw

    def _entries(self, raw: object, spec: Listing, path: positions.Path) -> Iterator[Entry]:
        if not isinstance(raw, list):
            self.fault(path, "list")
            return
        seen: set[object] = set()
        for place, each in enumerate(raw):
            at = (*path, place)
            known = (*spec.fields, *spec.facts, *_ENTRY_KEYS)
            if not isinstance(each, dict):
                self.fault(at, "table", known=", ".join(known))
                continue
            # A field that bears a fact's name is the field: `due` of a moratorium.
            facts = {key: each[key] for key in each if key in FACTS and key not in spec.fields}
            self._no_others({key: each[key] for key in each if key not in facts}, known, at)
            when = self._when(facts, spec.facts, at)
            fields = self._fields({key: each[key] for key in each if key in spec.fields}, spec.fields, at)
            source, assumed = self._provenance(each, at)
            if spec.unique and not when:
                word = fields.get(spec.unique)
                if word in seen:
                    self.fault((*at, spec.unique), "twice", word=word)
                seen.add(word)
            yield Entry(_place(at), MappingProxyType(fields), when, source, assumed, positions.line_of(self.lines, at))

    def _fields(self, raw: dict[str, Any], specs: Mapping[str, Field], path: positions.Path) -> dict[str, Any]:
        for key, spec in specs.items():
            if spec.required and key not in raw:
                self.fault(path, "missing", key=key)
        found = {key: self._value(value, specs[key], path, key) for key, value in raw.items()}
        return {key: value for key, value in found.items() if value is not None}

    def _region_lists(self, raw: object) -> Mapping[str, tuple[str, ...]]:
        path = ("region_lists",)
        if not isinstance(raw, dict):
            self.fault(path, "table", known='key_villages = ["341599101001"]')
            return {}
        found = {}
        for name, codes in raw.items():
            if not isinstance(codes, list):
                self.fault((*path, name), "list")
                continue
            read: list[str] = []
            for place, code in enumerate(codes):
                try:
                    read.append(regions.normalise(code))
                except (TypeError, UsageError):
                    self.fault((*path, name, place), "level_of_region", word=code)
            found[name] = tuple(read)
        return MappingProxyType(found)

    def _no_others(self, raw: Mapping[str, Any], known: Sequence[str], path: positions.Path) -> None:
        for key in raw:
            if key not in known:
                self.fault((*path, key), "unknown_key", known=", ".join(known))


def _parted(
    said: Iterable[Iterable[tuple[positions.Path, Table | tuple[Entry, ...]]]], depth: int
) -> tuple[Mapping[str, Table], Mapping[str, tuple[Entry, ...]]]:
    """Return the rules and the lists of a part, by their names below `depth` keys."""
    rules: dict[str, Table] = {}
    lists: dict[str, tuple[Entry, ...]] = {}
    for path, found in itertools.chain.from_iterable(said):
        name = ".".join(str(key) for key in path[depth:])
        if isinstance(found, Table):
            rules[name] = found
        else:
            lists[name] = found
    return MappingProxyType(rules), MappingProxyType(lists)


def _place(path: positions.Path) -> str:
    text = ""
    for each in path:
        text += f"[{each}]" if isinstance(each, int) else f"{'.' if text else ''}{each}"
    return text
