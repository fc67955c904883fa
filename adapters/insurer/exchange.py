"""The adapter: reading the insurer's packages in pieces, and writing what the insurer is sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from adapters.insurer import acknowledgement, documents
from adapters.insurer.element import read_piece
from adapters.insurer.head import read_head, verify_digest
from adapters.insurer.layouts import LAYOUTS
from adapters.insurer.outline import outline
from adapters.insurer.parsing import Body
from adapters.insurer.translation import Translator
from adapters.toolkit.control_totals import with_stated
from adapters.toolkit.file_names import plain
from adapters.toolkit.names import day
from huilian.adapters import Adapter, AdapterSettings, FileIdentity, Outgoing, Piece
from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from adapters.insurer.outline import Outline

__all__ = ["Insurer"]

_NAME: Final = re.compile(
    r"(?P<owner>[0-9A-Za-z][0-9A-Za-z_.-]{0,19})_(?:POLICY|CLAIM|RESULT|MIXED)_(?P<day>[0-9]{8})_[0-9]{2,4}\.xml",
    re.IGNORECASE | re.ASCII,
)
_KIND: Final = "insurance_package"
_PIECE_ELEMENTS: Final = 5_000
_PIECE_BYTES: Final = 8 << 20
"""Elements, or else bytes, that are translated at a time."""


class Insurer(Adapter):
    """XML messages from an insurer's system (保险公司)."""

    name: ClassVar[str] = "insurer"
    version: ClassVar[str] = "1.0"
    chinese: ClassVar[str] = "保险公司"
    institution_kinds: ClassVar[frozenset[str]] = frozenset({"insurer"})
    reads: ClassVar[dict[str, str]] = {_KIND: "INS_PICC_POLICY_20240531_01.xml"}
    parts: ClassVar[dict[str, tuple[str, ...]]] = {
        _KIND: tuple(f"{layout.message_type}/v1" for layout in LAYOUTS.values())
    }
    totals: ClassVar[dict[str, tuple[str, ...]]] = {
        _KIND: ("policies.sum_insured", "policies.premium", "claims.amount")
    }
    writes: ClassVar[dict[str, str]] = {
        contract: f"INS_PICC_{kind.word}_20240531_01.xml" for contract, kind in documents.KINDS.items()
    }
    receipt_names_rows: ClassVar[bool] = True
    reads_messages: ClassVar[tuple[str, ...]] = ("insurance_element/v1",)

    def recognise(self, file_name: str) -> FileIdentity | None:
        """Return what a name like "INS_PICC_POLICY_20240531_01.xml" says, or None; upper and lower case are one.

        Its number is no sequence: the insurer does not say that POLICY and CLAIM of a day are counted together.
        """
        found = _NAME.fullmatch(plain(file_name))
        as_of = day(found["day"]) if found else None
        return FileIdentity(found["owner"], _KIND, as_of) if found and as_of else None

    def read(self, source: Path, identity: FileIdentity, settings: AdapterSettings) -> Iterator[Piece]:
        """Translate the package in pieces of some 5,000 elements; memory does not grow with it.

        The digest is verified over all bytes before the first element is read; count and total
        when the last one is. Of elements that share a number the first is taken, the others are rejected.

        Raises:
            FileRefused: as `outline.outline`, `head.read_head`, `head.verify_digest`, `parsing.Body` and
                `translation.Translator.verify`; HL3008, it is another sender's.
        """
        parts = outline(source)
        head = read_head(parts, source.name)
        # Names of files may be in small letters, codes within are as the insurer has them.
        if identity.owner is not None and head.sender not in (identity.owner, identity.owner.upper()):
            raise FileRefused("HL3008", file=source.name, found=head.sender, expected=identity.owner)
        verify_digest(source, parts, head)
        translator = Translator(settings.county, identity.as_of, parts.encoding.codec)
        yield from with_stated(_pieces(translator, Body(source, parts), parts), head.stated)
        translator.verify(head, source.name)
        translator.unknown.report(source.name)

    def write_rejections(self, source: Path, identity: FileIdentity, rejections: pl.DataFrame, target: Path) -> None:  # noqa: ARG002  # the file says all of it
        """Write what is known to be wrong before the county has answered: see `acknowledgement`."""
        acknowledgement.write_rejections(source, rejections, target)

    def read_message(self, body: bytes, dataschema: str, settings: AdapterSettings) -> Piece:
        """Translate one element that was posted by itself, by the same rules as in a package: see `element`.

        Raises:
            FileRefused: it cannot be taken; every error in it is named.
        """
        if dataschema not in self.reads_messages:
            return super().read_message(body, dataschema, settings)
        return read_piece(body, settings)

    def outgoing_name(self, outgoing: Outgoing) -> str:
        """Return a name like "INS_PICC_ACK_20240531_01.xml"."""
        kind = documents.kind_of(outgoing.dataschema)
        return f"{outgoing.member}_{kind.word}_{outgoing.day:%Y%m%d}_{outgoing.number:02d}.xml"

    def write(self, outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:
        """Write what the county sends as an XML message: see `documents`, and of a receipt `acknowledgement`."""
        write = acknowledgement.write if outgoing.dataschema == acknowledgement.RECEIPT else documents.write
        write(outgoing, settings, target)

    def read_back(self, source: Path, dataschema: str, settings: AdapterSettings) -> pl.DataFrame:  # noqa: ARG002  # every county's are alike
        """Return the records in a message that `write` made, with every field of the contract."""
        if dataschema == acknowledgement.RECEIPT:
            return acknowledgement.read_back(source)
        return documents.read_back(source, dataschema)


def _pieces(translator: Translator, body: Body, parts: Outline) -> Iterator[Piece]:
    begun = parts.start
    for element in body:
        translator.take(element)
        if translator.waiting >= _PIECE_ELEMENTS or body.bytes_read - begun >= _PIECE_BYTES:
            begun = body.bytes_read
            yield from translator.pieces(begun)
    yield from translator.pieces(parts.size)
