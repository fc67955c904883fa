"""A TOML file with the line on which each of its values stands, so that a fault can name it."""

from __future__ import annotations

import functools
import json
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

import tree_sitter
import tree_sitter_toml

from huilian.policy.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from tree_sitter import Node

__all__ = ["Lines", "Path", "line_of", "load", "read"]


Path = tuple[str | int, ...]
"""Where a value stands: keys of tables, places in lists."""

Lines = dict[Path, int]
"""The line of each path, counted from 1."""

_TABLES: Final = frozenset({"table", "table_array_element"})
_KEYS: Final = frozenset({"bare_key", "quoted_key", "dotted_key"})


def read(text: str) -> tuple[dict[str, Any], Lines]:
    """Return what a TOML text says, and on which lines.

    Raises:
        tomllib.TOMLDecodeError: it is no TOML; the error names the line.
    """
    data = tomllib.loads(text)
    return data, dict(_positions(_parser().parse(text.encode("utf-8")).root_node))


def load(source: Traversable) -> tuple[dict[str, Any], Lines] | Fault:
    """Return what a file says, and on which lines; or why it cannot be read at all."""
    try:
        # With the mark that some editors put before UTF-8.
        text = source.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Fault(source.name, error.object[: error.start].count(b"\n") + 1, "", "not_text", {})
    try:
        return read(text)
    except tomllib.TOMLDecodeError as error:
        return _unreadable(source.name, text, str(error))


_FULL_WIDTH: Final = str.maketrans("“”‘’＂，＝｛｝［］【】（）．", '""\'\'",={}[][]().')
"""Marks that Chinese keyboards write, and those that TOML has."""


def _unreadable(file: str, text: str, what: str) -> Fault:
    """Return a fault that says what to do, where the usual slips are recognised."""
    lines = text.splitlines()
    place = re.search(r"line (\d+), column (\d+)", what)
    if place is None:
        return Fault(file, len(lines) or 1, "", "not_toml", {"what": what})
    number, column = int(place[1]), int(place[2])
    line = lines[number - 1] if number <= len(lines) else ""
    mark = line[column - 1 : column]
    key = line.partition("=")[0].strip()
    earlier = [each for each in range(1, number) if lines[each - 1].partition("=")[0].strip() == key]
    facts: dict[str, object] = {}
    if mark and mark.translate(_FULL_WIDTH) != mark:
        fault, facts = "toml_mark", {"mark": mark, "ascii": mark.translate(_FULL_WIDTH)}
    elif earlier and ("twice" in what or "overwrite" in what):
        fault, facts = "toml_twice", {"word": key, "first": earlier[-1]}
    elif "array" in what:
        fault = "toml_comma"
    elif "{" in line and ("inline table" in what or not mark):
        fault = "toml_row"
    else:
        fault, facts = "not_toml", {"what": what}
    return Fault(file, number, "", fault, facts)


def line_of(lines: Lines, path: Path) -> int:
    """Return the line of a path, or of the nearest table around it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


@functools.cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))


def _positions(document: Node) -> Iterator[tuple[Path, int]]:
    places: dict[Path, int] = {}
    """How many elements each list of tables has so far."""
    around: set[Path] = set()
    """Tables that stand in no line of their own, and where the first thing in them stands."""
    for node in document.named_children:
        if node.type == "pair":
            yield from _pair(node, ())
        elif node.type in _TABLES:
            path = _within(places, _keys(node.named_children[0]))
            for end in range(1, len(path)):
                if path[:end] not in around:
                    around.add(path[:end])
                    yield path[:end], node.start_point.row + 1
            if node.type == "table_array_element":
                places[path] = places.get(path, -1) + 1
                yield path, node.start_point.row + 1
                path = (*path, places[path])
            around.add(path)
            yield path, node.start_point.row + 1
            for pair in node.named_children[1:]:
                if pair.type == "pair":
                    yield from _pair(pair, path)


def _within(places: dict[Path, int], keys: Path) -> Path:
    """Return the path that a table's header means: of a list of tables, the last element."""
    path: Path = ()
    for place, key in enumerate(keys):
        path = (*path, key)
        if place < len(keys) - 1 and path in places:
            path = (*path, places[path])
    return path


def _pair(node: Node, path: Path) -> Iterator[tuple[Path, int]]:
    key, value = node.named_children[0], node.named_children[-1]
    for each in _keys(key):
        path = (*path, each)
        yield path, node.start_point.row + 1
    yield from _value(value, path)


def _value(node: Node, path: Path) -> Iterator[tuple[Path, int]]:
    if node.type == "array":
        elements = (child for child in node.named_children if child.type != "comment")
        for place, element in enumerate(elements):
            yield (*path, place), element.start_point.row + 1
            yield from _value(element, (*path, place))
    elif node.type == "inline_table":
        for pair in node.named_children:
            if pair.type == "pair":
                yield from _pair(pair, path)


def _keys(node: Node) -> Path:
    if node.type == "dotted_key":
        return tuple(key for child in node.named_children if child.type in _KEYS for key in _keys(child))
    text = (node.text or b"").decode("utf-8")
    if node.type == "quoted_key":
        return (json.loads(text) if text.startswith('"') else text[1:-1],)
    return (text,)
