"""What an adapter is: one institution type's formats, translated to canonical records and back.

An adapter is a package with an entry point in the group `huilian.adapters`, whose value
is an instance of a subclass of `Adapter`. It is installed, or lies in the data directory's folder
`adapters/` (`huilian.adapter_folders`). It is checked when it is found; the error names the adapter,
the hook and what is wrong with it.

Reading is done in pieces, so that memory does not grow with the file::

    identity = adapter.recognise("RCB01_LOAN_20240531.csv")
    for piece in adapter.read(path, identity, settings):
        piece.accepted      # canonical rows, ready for the wire
        piece.rejections    # every error of every other row

Nothing is sent before `read` has come to its end, so an adapter refuses a whole file,
for instance for a trailer that does not agree, by raising `FileRefused` at any point.

What comes back to the institution is a file of its own kind, too::

    outgoing = Outgoing("confirmations/v1", "RCB01", day, number=1, records=frame)
    adapter.write(outgoing, settings, folder / adapter.outgoing_name(outgoing))
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

import polars as pl

from huilian import adapter_folders, adapter_registration, adapter_settings, catalogue
from huilian.adapter_folders import GROUP, AdapterFolder
from huilian.errors import ConfigurationError, FileRefused

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from huilian.catalogue import Catalogue

__all__ = [
    "REJECTIONS",
    "Adapter",
    "AdapterSettings",
    "FileIdentity",
    "Outgoing",
    "Piece",
    "Setting",
    "check",
    "find",
    "in_folder",
    "installed",
    "known",
    "settings_for",
]

REJECTIONS: Final = pl.Schema(
    {"line": pl.Int64(), "field": pl.String(), "code": pl.String(), "message": pl.String(), "reference": pl.String()}
)
"""One row an error. `field` is the source's own column name, `message` Chinese, `reference`
the record's own number (a loan number) where it could be read, never anything personal."""


@dataclass(frozen=True)
class FileIdentity:
    """What a file's name says of it.

    Args:
        owner: the member or county the name carries, "RCB01" or "341599"; None when it carries none.
        kind: the kind of submission it is, "loan_ledger".
        as_of: the date it states.
        sequence: its number among the owner's files of that day, from 1, where names carry one.
    """

    owner: str | None
    kind: str
    as_of: dt.date
    sequence: int | None = None


@dataclass(frozen=True)
class Setting:
    """A setting that an adapter takes, so that an installation can be told what to write down.

    Args:
        kind: str, int, bool, or dict for a table of texts.
        chinese: what it is for, for people.
        default: what counts where nothing is set; None where it must be set.
        choices: the texts it may be, where not every text will do.
    """

    kind: type[str | int | bool | dict[str, str]]
    chinese: str
    default: str | int | bool | Mapping[str, str] | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class AdapterSettings:
    """What an adapter may know of where it runs.

    Args:
        county: the six digits of the county; rows of other counties are rejected.
        values: the adapter's own settings by name, every one it declares, checked.
    """

    county: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Piece:
    """A part of a file, translated.

    Args:
        rows: how many data rows it held; every one is either accepted or has rejections.
        accepted: canonical records in wire types (`huilian.records.columnar.to_wire`), by line.
        rejections: the errors of the others, as `REJECTIONS`, by line.
        bytes_read: how far into the file this piece reached, for the progress bar.
        type: the message type its records become, where it is not the file's kind: a workbook
            with sheets of guarantees and of compensations makes pieces of either.
        stated: the file's own control totals, on the piece where the adapter has read them: `rows`,
            and amounts by the names of the adapter's `totals` ("balance"), as canonical strings. Where
            the file adds several up in one figure, their names with "+" between.
    """

    rows: int
    accepted: pl.DataFrame
    rejections: pl.DataFrame
    bytes_read: int
    type: str | None = None
    stated: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outgoing:
    """Records on their way to an institution.

    Args:
        dataschema: the contract they keep, "confirmations/v1".
        member: whom they are for, "RCB01".
        day: the day they were sent.
        number: counts what the member was sent of that contract on that day, from 1.
        records: in wire types; a single message, such as a receipt, is one row.
        regarding: the name of the member's own file that they answer, if they answer one.
        source: of a receipt, that file itself, byte for byte as it came, for an adapter with
            `receipt_names_rows`; None when it is not here any more or did not come from here.
        rejections: what the adapter rejected of `source`, as `REJECTIONS`, by line; there when `source` is.
    """

    dataschema: str
    member: str
    day: dt.date
    number: int
    records: pl.DataFrame
    regarding: str | None = None
    source: Path | None = None
    rejections: pl.DataFrame | None = None


class Adapter:
    """One institution type's formats. Instances hold no state between calls."""

    name: ClassVar[str]
    """The entry point's name, in words and underscores: "rural_commercial_bank"."""
    version: ClassVar[str]
    """Of the translation; it travels in every manifest."""
    chinese: ClassVar[str]
    """For people: "农村商业银行"."""
    institution_kinds: ClassVar[frozenset[str]]
    """The kinds of member that may use it: {"bank"}."""
    reads: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Kind of submission to an example of the file name it is read from."""
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
    """Kind of submission to the contracts of its records: {"loan_ledger": ("loan_ledger/v1",)}."""
    totals: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
    """Kind of submission to the amounts its manifest adds up: "principal", or where records are of
    several types "guarantees.guaranteed_amount"."""
    writes: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Contract of what the institution is sent to an example of the file's name: {"receipt/v2": "RCB01_回执_…"}."""
    receipt_names_rows: ClassVar[bool] = False
    """Whether its receipts, given `Outgoing.source`, hold the result of every row: then no file of
    rejected rows is returned beside them."""
    reads_messages: ClassVar[tuple[str, ...]] = ()
    """Contracts of single messages in the institution's own format: ("insurance_element/v1",)."""
    settings: ClassVar[Mapping[str, Setting]] = MappingProxyType({})
    """The settings it takes, by name."""
    exempt: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Rules of the conformance suite that it cannot keep, and why: {"memory": "整户比对，需读完全部行 (…)"}."""

    def recognise(self, file_name: str) -> FileIdentity | None:  # noqa: ARG002  # an adapter that only writes knows no files
        """Return what `file_name` says, or None when it is not one of this adapter's."""
        return None

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:  # noqa: ARG002  # for those that read
        """Translate the file in pieces.

        Raises:
            FileRefused: the file as a whole cannot be taken.
        """
        raise FileRefused("HL3014", adapter=self.name, file=source.name)

    def write_rejections(self, source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:  # noqa: ARG002  # for those that read
        """Write the rejected rows of `source` to `target` in the institution's own layout.

        Args:
            source: the file as it came.
            identity: what its name says.
            rejections: as `REJECTIONS`, ordered by line.
            target: the file to write.
        """
        raise FileRefused("HL3014", adapter=self.name, file=source.name)

    def read_message(self, body: bytes, dataschema: str, settings: AdapterSettings) -> Piece:  # noqa: ARG002  # for those that read them
        """Translate one message that came in the institution's own format, as a piece of one row.

        Raises:
            FileRefused: it cannot be taken, for all the reasons the text names.
        """
        raise FileRefused("HL3014", adapter=self.name, file=dataschema)

    def outgoing_name(self, outgoing: Outgoing) -> str:
        """Return the file name under which the institution expects `outgoing`."""
        raise FileRefused("HL3014", adapter=self.name, file=outgoing.dataschema)

    def write(self, outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:  # noqa: ARG002  # for those that write
        """Write what the county sends to `target` in the institution's own layout.

        The same records give the same bytes.
        """
        raise FileRefused("HL3014", adapter=self.name, file=outgoing.dataschema)

    def read_back(self, source: Path, dataschema: str, settings: AdapterSettings) -> pl.DataFrame:  # noqa: ARG002  # for those that write
        """Return the records in a file that `write` made, in wire types.

        What the institution's layout has no place for is no column here; every other value
        comes back as it went in. The conformance suite holds every adapter to that.
        """
        raise FileRefused("HL3014", adapter=self.name, file=source.name)


def check(adapter: object, name: str, contracts: Catalogue | None = None) -> Adapter:
    """Return `adapter` when it keeps the rules in `huilian.adapter_registration`.

    Args:
        adapter: what the entry point holds.
        name: the entry point's name.
        contracts: what its records are held against; without it, the installed ones.

    Raises:
        ConfigurationError: HL6005, naming the adapter, the hook and what is wrong.
    """
    if not isinstance(adapter, Adapter):
        raise ConfigurationError("HL6005", adapter=name, hook="entry point", what="must be an instance of Adapter")
    contracts = contracts or catalogue.installed()
    try:
        fault = next(adapter_registration.faults(adapter, name, contracts, Adapter), None)
    except Exception as error:
        what = f"cannot be looked at: {type(error).__name__}: {error}"
        raise ConfigurationError("HL6005", adapter=name, hook="registration", what=what) from error
    if fault is not None:
        raise ConfigurationError("HL6005", adapter=name, hook=fault.hook, what=fault.what)
    return adapter


def installed() -> dict[str, str]:
    """Return the names of all installed adapters and where they come from, without loading them."""
    return {point.name: point.value for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def known(within: Path | None) -> dict[str, str]:
    """Return the names of all adapters, installed ones and those in folders, and where they come from.

    None is loaded: one that is broken is known like any other.

    Args:
        within: the data directory's folder of adapters, `Home.adapters`; None for the installed ones alone.

    Raises:
        ConfigurationError: HL6006, the folder cannot be listed.
    """
    lying = adapter_folders.folders(within) if within else {}
    return dict(sorted((installed() | {name: str(folder) for name, folder in lying.items()}).items()))


def find(name: str, within: Path | None = None) -> Adapter:
    """Return the adapter called `name`, loaded and checked; no other one is looked into.

    Args:
        name: the adapter's name.
        within: the data directory's folder of adapters, `Home.adapters`; None for the installed ones alone.

    Raises:
        ConfigurationError: HL6004, there is none; HL6005, it cannot be imported or breaks the rules; HL6015, the name
            stands for two; HL6020 to HL6022, others may write to what would be run.
    """
    lying = adapter_folders.folders(within) if within else {}
    if within and name in lying:
        found = in_folder(lying[name], name)
        for fault in found.faults(within.parent):
            raise fault
        return check(found.loaded(), name)
    for point in entry_points(group=GROUP, name=name):
        return check(adapter_registration.loaded(point), name)
    raise ConfigurationError("HL6004", name=name, known=", ".join(known(within)))


def in_folder(folder: Path, name: str | None = None) -> AdapterFolder:
    """Return what adapter lies in a folder, not loaded yet.

    Args:
        folder: a project or a package, see `huilian.adapter_folders`.
        name: the adapter's name, where it has to be that.

    Raises:
        ConfigurationError: HL6005, there is none, or another; HL6015, one of its name is installed from elsewhere.
    """
    found = AdapterFolder.at(folder, name=name)
    for point in entry_points(group=GROUP, name=found.name):
        if not found.is_installed_as(point.value):
            raise found.clash(adapter_folders.origin(point.value))
    return found


def settings_for(
    adapter: Adapter, county: str, tables: Mapping[str, Mapping[str, Any]], within: Path | None = None
) -> AdapterSettings:
    """Return what `adapter` may know, its defaults filled in.

    Args:
        adapter: whose settings are meant.
        county: the six digits of the county.
        tables: the `[adapters.…]` tables of `huilian.toml`, by the adapters' names.
        within: the data directory's folder of adapters, `Home.adapters`.

    Raises:
        ConfigurationError: HL6010, a setting is missing or of another type; HL6011, the adapter has
            no such setting; HL6012, there is a table of an adapter that is not there.
    """
    adapter_settings.refuse_unknown(tables, {adapter.name, *known(within)})
    given = tables.get(adapter.name, {})
    return AdapterSettings(county, adapter_settings.values(adapter.name, adapter.settings, given))
