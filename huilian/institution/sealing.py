"""A submission in the making: batches go to disk sealed as soon as they are full, the manifest in the end."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian import envelope, money
from huilian.adapters import REJECTIONS
from huilian.basis import GONE, KINDS
from huilian.bulk import Batcher
from huilian.envelope import Draft
from huilian.ledger_content import Content

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.adapters import Adapter, FileIdentity, Piece
    from huilian.basis import Basis
    from huilian.catalogue import Catalogue
    from huilian.clock import Clock
    from huilian.institution.spool import Draught
    from huilian.keys import SigningKey

__all__ = ["Sealing"]

REJECTIONS_CONTRACT: Final = "rejections/v2"
GONE_CONTRACT: Final = "loans_gone/v1"
MANIFEST: Final = "submission_manifest/v4"
ROWS: Final = "rows"
"""What `Piece.stated` calls the number of rows; all else there are amounts."""


class Sealing:
    """One submission in the making.

    Args:
        base: the ledger it can be told from by its differences, if there is one.
        name: of the submission.
        member: who sends it.
        identity: what the file's name says.
        adapter: translates it.
        catalogue: the contracts.
        clock: the moment of signing.
        key: of the member.
        draught: where it is written.
        allow_missing: how many records of what stood the file may lack, however many that is.
    """

    def __init__(
        self,
        *,
        base: Basis | None,
        name: str,
        member: str,
        identity: FileIdentity,
        adapter: Adapter,
        catalogue: Catalogue,
        clock: Clock,
        key: SigningKey,
        draught: Draught,
        allow_missing: int = 0,
    ) -> None:
        self.base = base
        self.content = Content(KINDS[identity.kind], draught.folder) if identity.kind in KINDS else None
        self.name = name
        self.member = member
        self.identity = identity
        self.adapter = adapter
        self.catalogue = catalogue
        self.clock = clock
        self.key = key
        self.draught = draught
        self.allow_missing = allow_missing
        self.rows = 0
        self.accepted = 0
        self.totals = dict.fromkeys(adapter.totals.get(identity.kind, ()), 0)
        self.stated: dict[str, str] = {}
        self.parts: list[dict[str, Any]] = []
        self.rejections: list[pl.DataFrame] = []
        self._contracts = {
            contract.type: contract
            for contract in map(catalogue.named, (*adapter.parts[identity.kind], GONE_CONTRACT, REJECTIONS_CONTRACT))
        }
        self._batchers = {message_type: Batcher() for message_type in self._contracts}

    def close(self) -> None:
        """Let go of the files it has open, however it ended."""
        if self.content:
            self.content.close()
        if self.base:
            self.base.close()

    def take(self, piece: Piece) -> None:
        """Take one piece of the file in."""
        self.rows += piece.rows
        self.accepted += piece.accepted.height
        self.stated |= piece.stated
        message_type = piece.type or self.identity.kind
        for amount in self.totals:
            # "principal", or "guarantees.guaranteed_amount" where the pieces are of several types.
            stated_type, _, name = amount.rpartition(".")
            if stated_type in ("", message_type):
                fen = piece.accepted.get_column(name).str.replace(".", "", literal=True).cast(pl.Int64)
                self.totals[amount] += int(fen.sum())
        self._add(message_type, self._to_be_told(piece.accepted))
        if piece.rejections.height:
            self.rejections.append(piece.rejections)
            self._add("rejections", piece.rejections)

    def _to_be_told(self, accepted: pl.DataFrame) -> pl.DataFrame:
        """Return those of the records that the county does not know already."""
        if self.content is None:
            return accepted
        rows = self.content.take(accepted)
        return accepted.filter(~self.base.has(rows)) if self.base else accepted

    def _tell_gone(self, base: Basis, content: Content) -> None:
        told = 0
        for gone in base.gone(content.keys()):
            lines = pl.int_range(told + 1, told + gone.len() + 1, eager=True)
            told += gone.len()
            self._add(GONE, pl.DataFrame({"line": lines, "loan_no": gone}))

    def _add(self, message_type: str, frame: pl.DataFrame) -> None:
        for records, body in self._batchers[message_type].add(frame):
            self._seal(message_type, records, body)

    def _seal(self, message_type: str, records: int, body: bytes) -> None:
        contract = self._contracts[message_type]
        sequence = len(self.parts)
        draft = Draft(
            message_type, contract.dataschema, self.member, body, bulk=True, submission=self.name, sequence=sequence
        )
        message = envelope.seal(draft, self.key, source=self.member, time=self.clock.now())
        self.parts.append(
            {"sequence": sequence, "type": message_type, "records": records, "sha256": message.payload_sha256}
        )
        # The manifest travels first, as number 0, and is known last.
        self.draught.write(sequence + 1, message)

    def finish(self, source: Path, sha256: str) -> dict[str, Any]:
        """Seal what is left and the manifest, write the rejections; return the manifest as it travels."""
        if self.content:
            self.content.finish()
            if self.base:
                self._tell_gone(self.base, self.content)
        for message_type, batcher in self._batchers.items():
            for records, body in batcher.flush():
                self._seal(message_type, records, body)
        rejected = pl.concat(self.rejections) if self.rejections else pl.DataFrame(schema=REJECTIONS)
        contract = self.catalogue.named(MANIFEST)
        manifest: dict[str, Any] = {
            "submission": self.name,
            "member": self.member,
            "kind": self.identity.kind,
            "as_of": self.identity.as_of,
            "adapter": self.adapter.name,
            "adapter_version": self.adapter.version,
            "file_name": source.name,
            "file_sha256": sha256,
            "file_sequence": self.identity.sequence,
            "rows": self.rows,
            "accepted": self.accepted,
            "rejected": self.rows - self.accepted,
            "totals": {field: Decimal(fen).scaleb(-2).quantize(money.FEN) for field, fen in self.totals.items()},
            "parts": self.parts,
            "control_totals": self._control_totals(),
            "allow_missing": self.allow_missing,
            "base": self.base.name if self.base else None,
            "base_sha256": self.base.sha256 if self.base else None,
        }
        body = contract.schema().dumps(manifest, ensure_ascii=False, separators=(",", ":")).encode()
        draft = Draft("submission_manifest", contract.dataschema, self.member, body, submission=self.name)
        self.draught.write(0, envelope.seal(draft, self.key, source=self.member, time=self.clock.now()))
        if rejected.height:
            target = self.draught.folder / f"退回_{source.name}"
            self.adapter.write_rejections(source, self.identity, rejected.sort("line", maintain_order=True), target)
        return dict(contract.schema().dump(manifest))

    def _control_totals(self) -> dict[str, Any] | None:
        """Return what the file states of itself, as the manifest has it; None where it states nothing."""
        if not self.stated:
            return None
        amounts = {name: money.parse(amount) for name, amount in self.stated.items() if name != ROWS}
        return {"rows": int(self.stated[ROWS]) if ROWS in self.stated else None, "amounts": amounts}
