"""What every piece of every file is held to: its rows add up, its shapes are those of the API."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from huilian.adapters import REJECTIONS
from huilian.bulk import wire_types
from huilian.conformance.contracts import schema_of
from huilian.identity import is_identity_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huilian.adapters import Piece
    from huilian.catalogue import Contract

__all__ = ["Inspection"]

_FAULTS_AT_MOST: Final = 20
_IDENTITY_NUMBERS: Final = re.compile(r"[0-9]{17}[0-9Xx]")


class Inspection:
    """One file's pieces, looked at as they come.

    Args:
        kind: the kind of submission.
        contracts: those its records may be of, by type.
        records: whether the accepted records are told one by one.
        keep: whether anything is kept and looked at row by row; not when memory is measured.
    """

    def __init__(self, kind: str, contracts: Mapping[str, Contract], *, records: bool, keep: bool) -> None:
        self.rows = 0
        self.accepted = 0
        self.faults: list[str] = []
        self._kind = kind
        self._contracts = contracts
        self._keep = keep
        self._records: list[tuple[str, dict[str, Any]]] | None = [] if records else None
        self._rejections: list[pl.DataFrame] = []
        self._digest = hashlib.sha256()
        self._bytes_read = 0

    def take(self, piece: Piece) -> None:
        """Look at one piece."""
        self.rows += piece.rows
        self.accepted += piece.accepted.height
        kind = piece.type or self._kind
        contract = self._contracts.get(kind)
        if contract is None:
            self._fault(f"片段类型 {kind} 不在 parts 中 (the type of a piece is not among its parts)")
            return
        if piece.rejections.schema != REJECTIONS:
            self._fault(f"退回表的列或类型不符 (rejections are not as REJECTIONS): {piece.rejections.schema}")
            return
        self._hold_together(piece, contract)
        self._bytes_read = piece.bytes_read
        if self._keep:
            self._rejections.append(piece.rejections)
            self.telling("\n".join(piece.rejections["message"].drop_nulls().unique().to_list()))
            for row in piece.accepted.iter_rows(named=True):
                self._take_record(contract, row)

    def _hold_together(self, piece: Piece, contract: Contract) -> None:
        wanted = wire_types(contract.schema)
        if piece.accepted.schema != wanted:
            differs = sorted(set(wanted.items()) ^ set(piece.accepted.schema.items()), key=str)
            self._fault(f"{contract.dataschema} 的列、次序或类型不符 (columns, order or types): {differs[:3]}")
            return
        rejected = piece.rejections["line"].unique()
        if rejected.null_count() or piece.rejections.select(pl.col("field", "code", "message").null_count()).row(0) != (
            0,
            0,
            0,
        ):
            self._fault("退回缺少行号、字段、代码或说明 (a rejection lacks its line, field, code or message)")
        if piece.rows != piece.accepted.height + rejected.len():
            self._fault(
                f"行数 {piece.rows} ≠ 入账 {piece.accepted.height} + 退回 {rejected.len()} (rows = accepted + rejected)"
            )
        if piece.accepted["line"].is_in(rejected.implode()).any():
            self._fault("同一行既入账又退回 (a line is both accepted and rejected)")
        if piece.bytes_read < self._bytes_read:
            self._fault("bytes_read 倒退 (bytes_read goes back)")

    def _take_record(self, contract: Contract, row: dict[str, Any]) -> None:
        self._digest.update(repr((contract.type, row)).encode())
        if self._records is not None:
            self._records.append((contract.type, row))
        wrong = schema_of(contract).validate(row)
        if wrong:
            # The first word of a message is its code; what a record holds is nobody's business here.
            told = {name: [str(text).split(" ", 1)[0] for text in texts] for name, texts in wrong.items()}
            self._fault(f"第 {row['line']} 行入账但不合契约 {contract.dataschema} (accepted against it): {told}")

    def telling(self, text: str) -> list[str]:
        """Note when a text for people has an identity number in it; return all faults."""
        if any(is_identity_number(number.upper()) for number in _IDENTITY_NUMBERS.findall(text)):
            self._fault("说明中出现证件号码 (a message holds an identity number)")
        return self.faults

    def add(self, data: bytes) -> None:
        """Add the bytes of a returned file."""
        self._digest.update(data)

    def rejections(self) -> pl.DataFrame:
        """Return all rejections so far."""
        return pl.concat([pl.DataFrame(schema=REJECTIONS), *self._rejections])

    def _fault(self, what: str) -> None:
        if len(self.faults) < _FAULTS_AT_MOST:
            self.faults.append(what)

    def answer(self) -> dict[str, Any]:
        """Return what there is to tell."""
        rejections = self.rejections()
        self._digest.update(repr(rejections.rows()).encode())
        return {
            "rows": self.rows,
            "accepted": self.accepted,
            "errors": rejections.select("line", "field", "code").rows(),
            "records": self._records or [],
            "faults": self.faults,
            "digest": self._digest.hexdigest(),
        }
