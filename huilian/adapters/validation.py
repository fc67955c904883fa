"""What is asked of an adapter before it is used: every fault names a hook and what is wrong with it.

The hooks are those of `huilian.adapters.Adapter`. Nothing here opens a file; whether the
adapter does what it promises is for `huilian.conformance` to find out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import ConfigurationError
from huilian.wire import access, submission_kinds

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from huilian.adapters.interface import Adapter, Setting
    from huilian.wire.catalogue import Catalogue, Contract

__all__ = ["Fault", "faults", "loaded"]


READING: Final = ("recognise", "read", "write_rejections")
WRITING: Final = ("outgoing_name", "write", "read_back")
"""What an adapter brings itself when it reads, and when it writes."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: the hook, and what."""

    hook: str
    what: str


def loaded(point: EntryPoint) -> Any:  # noqa: ANN401  # whatever the entry point holds
    """Return what an entry point holds.

    Raises:
        ConfigurationError: HL6005, importing it failed, in whatever way.
    """
    try:
        return point.load()
    except (Exception, SystemExit) as error:
        what = f"{point.value} cannot be imported: {type(error).__name__}: {error}"
        raise ConfigurationError("HL6005", adapter=point.name, hook="entry point", what=what) from error


def faults(adapter: Adapter, name: str, catalogue: Catalogue, base: type[Adapter]) -> Iterator[Fault]:
    """Yield what is wrong with `adapter`; where its hooks have the wrong types, nothing further is looked at.

    Args:
        adapter: the instance.
        name: its entry point's name.
        catalogue: the contracts there are.
        base: the class whose hooks it has to bring itself.
    """
    wrong = list(_wrong_types(adapter))
    yield from wrong
    if wrong:
        return
    if adapter.name != name:
        yield Fault("name", f"is {adapter.name}, the entry point {name}")
    for kind in sorted(adapter.institution_kinds - set(access.KINDS)):
        yield Fault("institution_kinds", f"{kind} is none of {', '.join(access.KINDS)}")
    if not (adapter.reads or adapter.writes):
        yield Fault("reads", "and writes are both empty: an adapter reads or writes something")
    for used, hooks in ((adapter.reads, READING), (adapter.writes, WRITING)):
        for hook in hooks if used else ():
            if getattr(type(adapter), hook) is getattr(base, hook):
                yield Fault(hook, "is missing: " + ("it reads files" if used is adapter.reads else "it writes files"))
    yield from _parts(adapter, catalogue)
    yield from _totals(adapter, catalogue)
    yield from (
        Fault("writes", f"names the unknown contract {dataschema}")
        for dataschema in adapter.writes
        if dataschema not in catalogue.contracts
    )
    yield from _receipt(adapter)
    yield from _settings(adapter.settings)
    yield from _examples(adapter)


_Wrong = Callable[[object], bool]


def _no_text(value: object) -> bool:
    return not (isinstance(value, str) and value)


def _no_texts(value: object) -> bool:
    """Whether it is no mapping from texts to texts."""
    return not isinstance(value, Mapping) or any(_no_text(text) for pair in value.items() for text in pair)


def _no_lists(value: object) -> bool:
    """Whether it is no mapping from texts to tuples of texts."""
    return not isinstance(value, Mapping) or any(
        _no_text(key) or not isinstance(texts, tuple) or any(map(_no_text, texts)) for key, texts in value.items()
    )


_TYPES: Final[tuple[tuple[str, _Wrong, str], ...]] = (
    ("name", _no_text, "must be a text"),
    ("version", _no_text, "must be a text"),
    ("chinese", _no_text, "must be a text"),
    ("institution_kinds", lambda v: not (isinstance(v, frozenset) and v), "must be a frozenset of kinds"),
    ("reads", _no_texts, "must map kinds of submission to example file names"),
    ("parts", _no_lists, "must map kinds of submission to tuples of contracts"),
    ("totals", _no_lists, "must map kinds of submission to tuples of amounts"),
    ("writes", _no_texts, "must map contracts to example file names"),
    ("receipt_names_rows", lambda v: not isinstance(v, bool), "must be true or false"),
    ("settings", lambda v: not isinstance(v, Mapping), "must map names to instances of Setting"),
    ("exempt", _no_texts, "must map rules of the conformance suite to reasons"),
)


def _wrong_types(adapter: Adapter) -> Iterator[Fault]:
    for hook, wrong, what in _TYPES:
        if wrong(getattr(adapter, hook, None)):
            yield Fault(hook, what)


def _parts(adapter: Adapter, catalogue: Catalogue) -> Iterator[Fault]:
    for kind in sorted(adapter.reads.keys() - submission_kinds.installed().keys()):
        yield Fault("reads", f"{kind} is none of {', '.join(submission_kinds.installed())}")
    for kind in sorted(adapter.reads.keys() ^ adapter.parts.keys()):
        yield Fault("parts", f"and reads differ: {kind} is in one of them only")
    for kind, contracts in adapter.parts.items():
        if not contracts:
            yield Fault("parts", f"names no contract of {kind}")
        for dataschema in contracts:
            if dataschema not in catalogue.contracts:
                yield Fault("parts", f"names the unknown contract {dataschema}")


def _totals(adapter: Adapter, catalogue: Catalogue) -> Iterator[Fault]:
    for kind, amounts in adapter.totals.items():
        if kind not in adapter.reads:
            yield Fault("totals", f"names {kind}, which it does not read")
            continue
        named = adapter.parts.get(kind, ())
        contracts = [catalogue.contracts[dataschema] for dataschema in named if dataschema in catalogue.contracts]
        for amount in amounts:
            # "principal", or "guarantees.guaranteed_amount" where records are of several types.
            stated, _, field = amount.rpartition(".")
            if not any(_has(contract, stated, field) for contract in contracts):
                yield Fault("totals", f"{amount} is no field of {', '.join(named)}")


def _has(contract: Contract, message_type: str, field: str) -> bool:
    return message_type in ("", contract.type) and field in contract.schema().fields


def _receipt(adapter: Adapter) -> Iterator[Fault]:
    writes_receipts = any(contract.startswith("receipt/") for contract in adapter.writes)
    if adapter.receipt_names_rows and not (adapter.reads and writes_receipts):
        yield Fault("receipt_names_rows", "is true of an adapter that does not both read files and write receipts")


def _settings(settings: Mapping[str, Setting]) -> Iterator[Fault]:
    for name, setting in settings.items():
        kind = getattr(setting, "kind", None)
        if kind not in (str, int, bool, dict):
            yield Fault("settings", f"{name} must be a Setting of str, int, bool or dict")
        elif _no_text(setting.chinese):
            yield Fault("settings", f"{name} does not say in Chinese what it is for")
        elif setting.default is not None and not suits(setting.default, kind):
            yield Fault("settings", f"the default of {name} is no {kind.__name__}")
        elif setting.choices and (kind is not str or setting.default not in (None, *setting.choices)):
            yield Fault("settings", f"{name} must be of str, and its default one of its choices")


def suits(value: object, kind: type) -> bool:
    """Return whether `value` is of a setting's `kind`; true and false are no numbers, a table is one of texts."""
    if kind is dict:
        return isinstance(value, Mapping) and all(isinstance(text, str) for pair in value.items() for text in pair)
    return type(value) is kind


def _examples(adapter: Adapter) -> Iterator[Fault]:
    for kind, example in adapter.reads.items():
        try:
            identity = adapter.recognise(example)
        except Exception as error:  # noqa: BLE001  # whatever it does, it is the adapter's fault
            yield Fault("recognise", f"fails on its own {example}: {type(error).__name__}: {error}")
            continue
        if identity is None or identity.kind != kind:
            yield Fault("recognise", f"does not take its own {example}")
