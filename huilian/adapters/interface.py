"""What an adapter is: one institution type's formats, translated to canonical records and back.

An adapter is a package with an entry point in the group `huilian.adapters`, whose value
is an instance of a subclass of `Adapter`. It is installed, or lies in the data directory's folder
`adapters/` (`huilian.adapters.loading`). It is checked when it is found; the error names the adapter,
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
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

import polars as pl

from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping
    from pathlib import Path


__all__ = ["REFUSALS", "REJECTIONS", "Adapter", "AdapterSettings", "FileIdentity", "Outgoing", "Piece", "Setting"]


REJECTIONS: Final = pl.Schema(
    {"line": pl.Int64(), "field": pl.String(), "code": pl.String(), "message": pl.String(), "reference": pl.String()}
)
"""One row an error. `field` is the source's own column name, `message` Chinese, `reference`
the record's own number (a loan number) where it could be read, never anything personal."""
REFUSALS: Final = pl.Schema({"type": pl.String()} | dict(REJECTIONS))
"""The county's reasons for not applying single records: `type` is the record's, `field` the contract's name, null where
the whole record is meant."""


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
        number: counts what the member was sent on that day of that type, in versions that its adapter writes, from 1.
        records: in wire types; a single message, such as a receipt, is one row.
        regarding: the name of the member's own file that they answer, if they answer one.
        source: of a receipt, that file itself, byte for byte as it came, for an adapter with
            `receipt_names_rows`; None when it is not here any more or did not come from here.
        rejections: what the adapter rejected of `source`, as `REJECTIONS`, by line; there when `source` is.
        asked: of a list that people fill in, what was asked for, by parameter: it may have no records.
        county: the six digits of the county that sends it.
    """

    dataschema: str
    member: str
    day: dt.date
    number: int
    records: pl.DataFrame
    regarding: str | None = None
    source: Path | None = None
    rejections: pl.DataFrame | None = None
    asked: Mapping[str, str] = field(default_factory=dict)
    county: str = ""


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

    def place_refusals(
        self,
        source: Path,  # noqa: ARG002  # for those whose sheets repeat lines
        identity: FileIdentity,  # noqa: ARG002  # the same
        refusals: pl.DataFrame,
        settings: AdapterSettings,  # noqa: ARG002  # for those with other names
    ) -> pl.DataFrame:
        """Return the county's refusals of records of `source` as `REJECTIONS`, as `write_rejections` takes them.

        An adapter overrides it where its columns have other names than the contract, or its sheets repeat lines: then
        `reference` tells which row a record came from.

        Args:
            source: the file as it came.
            identity: what its name says.
            refusals: as `REFUSALS`, ordered by line.
            settings: what the adapter may know.
        """
        return refusals.with_columns(pl.col("field").fill_null(pl.col("type"))).select(REJECTIONS.names())

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
