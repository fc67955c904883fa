"""Adapters with one fault each, for the tests of the conformance suite: it has to find every one of them.

They lie in a module of their own, so that the suite's worker can import them by name.
"""

from __future__ import annotations

import os
import random
import time
import zipfile
from typing import TYPE_CHECKING, ClassVar

import polars as pl
from lxml import etree

from adapters.guarantee_company.exchange import GuaranteeCompany
from adapters.insurer.exchange import Insurer
from adapters.rural_commercial_bank.exchange import RuralCommercialBank
from huilian.adapters import Piece
from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.adapters import AdapterSettings, FileIdentity, Outgoing


class Sound(RuralCommercialBank):
    """Without a fault; the others break one thing of it."""


class FirstErrorOnly(Sound):
    """Tells of each row the first error and keeps the others for the next time."""

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Read, and drop all but the first error of a line."""
        for piece in super().read(source, identity, settings):
            first = piece.rejections.unique("line", keep="first", maintain_order=True)
            yield Piece(piece.rows, piece.accepted, first, piece.bytes_read)


class WithoutTotals(Sound):
    """Believes any sum."""

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Read, and mend the trailer beforehand."""
        lines = source.read_bytes().split(b"\r\n")
        mended = source.with_name(f"mended {source.name}")
        rows = [line for line in lines if line and not line.startswith("合计".encode("gb18030"))]
        mended.write_bytes(b"\r\n".join(rows) + b"\r\n")
        try:
            yield from self._unverified(mended, identity, settings)
        finally:
            mended.unlink()

    def _unverified(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        pieces = []
        try:
            pieces.extend(super().read(source, identity, settings))
        except Exception as error:
            if getattr(error, "code", "") != "HL3002":
                raise
        yield from pieces or self._read_without_trailer(source, identity, settings)

    def _read_without_trailer(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        pieces = super().read(source, identity, settings)
        while True:
            try:
                yield next(pieces)
            except Exception:  # noqa: BLE001  # the fault that is to be found
                return


class Garbling(Sound):
    """Takes UTF-8 for another encoding in the one place where nobody looks."""

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Read, and garble the names in UTF-8."""
        garbled = source.read_bytes().startswith(b"\xef\xbb\xbf")
        for piece in super().read(source, identity, settings):
            column = next(name for name in ("borrower_name", "channel") if name in piece.accepted.columns)
            accepted = piece.accepted.with_columns(pl.lit("寮犱笁").alias(column)) if garbled else piece.accepted
            yield Piece(piece.rows, accepted, piece.rejections, piece.bytes_read)


class Crashing(Sound):
    """Does not expect a file to end in the middle of a character."""

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Decode strictly, first of all."""
        source.read_bytes().decode("gb18030")
        return super().read(source, identity, settings)


class CrashingOnce(Sound):
    """Crashes when a file ends at one byte of a thousand."""

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Look at the size, refuse at once what does not end with a line, and read."""
        if source.stat().st_size == 502:
            raise IndexError
        if not source.read_bytes().endswith(b"\r\n"):
            raise FileRefused("HL3002", file=source.name)
        return super().read(source, identity, settings)


class Hanging(Sound):
    """Waits for ever when a file is empty."""

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Wait for what does not come."""
        while not source.stat().st_size:
            time.sleep(1)
        return super().read(source, identity, settings)


class Dying(Sound):
    """Takes its process with it when a file is empty."""

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """End the process."""
        if not source.stat().st_size:
            os.abort()
        return super().read(source, identity, settings)


class Remembering(Sound):
    """Gives one bank's rejections to the next."""

    kept: ClassVar[list[pl.DataFrame]] = []

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Read, and add what is left of the last file to a text."""
        before = sum(frame.height for frame in self.kept)
        for piece in super().read(source, identity, settings):
            self.kept.append(piece.rejections)
            told = piece.accepted.with_columns(pl.lit(f"第 {before} 次").alias(piece.accepted.columns[-1]))
            yield Piece(piece.rows, told if before else piece.accepted, piece.rejections, piece.bytes_read)


class Gambling(Sound):
    """Gives another result every time."""

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Read, and write chance into a text."""
        for piece in super().read(source, identity, settings):
            chance = str(random.SystemRandom().random())
            accepted = piece.accepted.with_columns(pl.lit(chance).alias(piece.accepted.columns[-1]))
            yield Piece(piece.rows, accepted, piece.rejections, piece.bytes_read)


class Hoarding(Sound):
    """Keeps the whole file, and more than that, until it has read it."""

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Hold eight bytes for each of the file's."""
        held = source.read_bytes() * 8
        yield from super().read(source, identity, settings)
        del held


class HoardingElements(Insurer):
    """Keeps a tree of the whole file until it has read it."""

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Hold every element."""
        held = etree.parse(source)
        yield from super().read(source, identity, settings)
        del held


class HoardingSheets(GuaranteeCompany):
    """Keeps trees of all sheets until it has read them."""

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Hold every cell."""
        with zipfile.ZipFile(source) as archive:
            held = [etree.fromstring(archive.read(name)) for name in archive.namelist() if "sheets/" in name]
        yield from super().read(source, identity, settings)
        del held


class Miscounting(Sound):
    """Counts a row that is nowhere."""

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Read, and count one more."""
        for piece in super().read(source, identity, settings):
            yield Piece(piece.rows + 1, piece.accepted, piece.rejections, piece.bytes_read)


class AgainstContract(Sound):
    """Accepts an amount of three decimals."""

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Read, and lengthen the amounts."""
        for piece in super().read(source, identity, settings):
            accepted = piece.accepted.with_columns(pl.col("principal") + "0")
            yield Piece(piece.rows, accepted, piece.rejections, piece.bytes_read)


class OtherColumns(Sound):
    """Leaves a column out."""

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Read, and drop the principal."""
        for piece in super().read(source, identity, settings):
            yield Piece(piece.rows, piece.accepted.drop("principal"), piece.rejections, piece.bytes_read)


class Talkative(Sound):
    """Says whose row was wrong."""

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Read, and put a number into every message."""
        for piece in super().read(source, identity, settings):
            named = piece.rejections.with_columns(pl.lit("证件号码 341599199001010016 有误").alias("message"))
            yield Piece(piece.rows, piece.accepted, named, piece.bytes_read)


class LosingLast(Sound):
    """Leaves the last record out."""

    def write(self, outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:
        """Write all but the last."""
        fewer = type(outgoing)(**{**vars(outgoing), "records": outgoing.records.head(-1)})
        super().write(fewer, settings, target)


class Altering(Sound):
    """Reads every region back as the county's."""

    def read_back(self, source: Path, dataschema: str, settings: AdapterSettings) -> pl.DataFrame:
        """Read back, and cut the regions."""
        found = super().read_back(source, dataschema, settings)
        return found.with_columns(pl.col(pl.String).str.slice(0, 20))


class Anonymous(Sound):
    """Leaves out the number by which a record is known."""

    def read_back(self, source: Path, dataschema: str, settings: AdapterSettings) -> pl.DataFrame:
        """Read back the lines only."""
        found = super().read_back(source, dataschema, settings)
        return found.select(name for name in found.columns if name in {"line", "rows"})


class Stamping(Sound):
    """Writes the time into every file."""

    def write(self, outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:
        """Write, and add a line."""
        super().write(outgoing, settings, target)
        with target.open("ab") as file:
            file.write(str(time.perf_counter_ns()).encode())


class Concealing(Sound):
    """Says that its receipts name rows, and writes them as ever."""

    receipt_names_rows: ClassVar[bool] = True


class Wavering(Sound):
    """Says something else of a file's rows every time."""

    receipt_names_rows: ClassVar[bool] = True

    def write(self, outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:
        """Write, and where the file is there add a line."""
        super().write(outgoing, settings, target)
        if outgoing.source is not None:
            with target.open("ab") as file:
                file.write(os.urandom(8).hex().encode())


class OneName(Sound):
    """Calls every file the same."""

    def outgoing_name(self, outgoing: Outgoing) -> str:
        """Return the example."""
        return self.writes[outgoing.dataschema]


sound = Sound()
first_error_only = FirstErrorOnly()
without_totals = WithoutTotals()
garbling = Garbling()
crashing = Crashing()
crashing_once = CrashingOnce()
hanging = Hanging()
dying = Dying()
remembering = Remembering()
gambling = Gambling()
hoarding = Hoarding()
hoarding_elements = HoardingElements()
hoarding_sheets = HoardingSheets()
miscounting = Miscounting()
against_contract = AgainstContract()
other_columns = OtherColumns()
talkative = Talkative()
losing_last = LosingLast()
altering = Altering()
anonymous = Anonymous()
stamping = Stamping()
one_name = OneName()
concealing = Concealing()
wavering = Wavering()
