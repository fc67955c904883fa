"""Holding records to their contract before they are sent to a member: every fault of every record, at once.

Beside the contract, a record must be the receiver's to know: its `institution` is the
receiver, or a member of another kind that the record concerns as well (an insurer is told of
losses of a bank), never another member of the receiver's own kind. Its `region` lies in the county.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma

from huilian.errors import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from huilian.catalogue import Contract
    from huilian.members import Member

__all__ = ["Fault", "RecordChecks"]

_INSTITUTION: Final = "institution"
_REGION: Final = "region"
_FIELD: Final = re.compile(r"[a-z_]{1,40}", re.ASCII)
_CODE: Final = re.compile(r"HL[0-9]{4}", re.ASCII)


@dataclass(frozen=True)
class Fault:
    """One fault of one record.

    Args:
        line: where the record stands in the file.
        field: the field at fault; None where there is no record at all.
        code: what is wrong.
        message: the same in Chinese; it repeats nothing of the record.
    """

    line: int
    field: str | None
    code: str
    message: str


class RecordChecks:
    """Checks records of one contract on their way to one member.

    Args:
        contract: what they keep.
        receiver: whom they are for.
        county: six digits; without a record's region in it nobody there would be concerned.
        known: all members.
    """

    def __init__(self, contract: Contract, receiver: Member, county: str, known: Iterable[Member]) -> None:
        self._schema = contract.schema()
        self._receiver = receiver
        self._county = county
        self._kinds = {member.code: member.kind for member in known}
        self.fields = tuple(self._schema.fields)

    def faults(self, line: int, record: dict[str, Any] | None) -> list[Fault]:
        """Return every fault of what stands at a line, by field."""
        if record is None:
            return [Fault(line, None, "HL3062", describe("HL3062"))]
        found = list(self._breaches(record))
        wrong = {field for field, _ in found}
        found += [(field, code) for field, code in self._misplaced(record) if field not in wrong]
        order = {field: place for place, field in enumerate(self.fields)}
        # Unknown fields come last, by name: marshmallow finds them in any order.
        found.sort(key=lambda fault: (order.get(fault[0], len(order)), fault[0] if fault[0] not in order else ""))
        return [Fault(line, field, code, describe(code, member=self._receiver.code)) for field, code in found]

    def _breaches(self, record: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield field and code of whatever breaks the contract."""
        try:
            self._schema.load(record)
        except ma.ValidationError as error:
            for field, texts in error.messages_dict.items():
                if field not in self._schema.fields:
                    # Its name may be anything, too.
                    yield (field if _FIELD.fullmatch(field) else "?"), "HL3063"
                    continue
                for text in texts if isinstance(texts, list) else ["HL2023"]:
                    stated = _CODE.match(text)
                    yield field, stated[0] if stated else "HL2023"

    def _misplaced(self, record: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield field and code of what keeps the contract and does not belong there."""
        region = record.get(_REGION)
        if _REGION in self._schema.fields and isinstance(region, str) and not region.startswith(self._county):
            yield _REGION, "HL2009"
        if _INSTITUTION in self._schema.fields and not self._concerns(record.get(_INSTITUTION)):
            yield _INSTITUTION, "HL3060"

    def _concerns(self, institution: object) -> bool:
        if institution == self._receiver.code:
            return True
        return isinstance(institution, str) and self._kinds.get(institution, self._receiver.kind) != self._receiver.kind
