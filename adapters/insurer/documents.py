"""What the county sends to the insurer: confirmations (form 3), compensation results and notices.

Every message has a Head and a Body as the insurer's own have, in UTF-8. A record is an element whose
items are the fields of its contract in the order of the contract, `confirmation_no` as
`<ConfirmationNo>`; what is null is not there. Codes are hyphenated, as the insurer's are. Receipts are
records of the same form, in a message of their own: see `acknowledgement`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from adapters.insurer.markup import declaration, item, start_tag, text_of
from adapters.insurer.outline import outline
from adapters.insurer.parsing import Body, parse
from adapters.insurer.vocabulary import HEAD, NAMESPACE, local_name, qualified
from adapters.toolkit.whole_files import replacing
from huilian.core.errors import FileRefused
from huilian.records import fields as f
from schemas.messages import ReceiptOfVersion2
from schemas.outgoing import (
    CompensationResultRecord,
    ConfirmationRecord,
    EnterpriseConfirmationRecord,
    NoticeOfVersion2,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import marshmallow as ma

    from adapters.insurer.outline import Outline
    from adapters.insurer.parsing import Element
    from huilian.adapters import AdapterSettings, Outgoing

__all__ = ["KINDS", "Kind", "element_of", "frame", "head_of", "heading", "kind_of", "read_back", "write"]


@dataclass(frozen=True)
class Kind:
    """One kind of message.

    Args:
        word: what its file name says of it, "CONFIRM".
        root: its root element.
        element: the element that is one record.
        schema: the contract of a record.
    """

    word: str
    root: str
    element: str
    schema: type[ma.Schema]

    @property
    def fields(self) -> dict[str, ma.fields.Field[Any]]:
        """Return the contract's fields."""
        return dict(self.schema().fields)

    @property
    def items(self) -> dict[str, str]:
        """Return the fields by the items that hold them, {"ConfirmationNo": "confirmation_no"}."""
        return {"".join(part.capitalize() for part in name.split("_")): name for name in self.fields}

    @property
    def codes(self) -> frozenset[str]:
        """Return the fields that hold codes."""
        return frozenset(name for name, field in self.fields.items() if isinstance(field, f.Code))

    @property
    def types(self) -> dict[str, pl.DataType]:
        """Return the fields' wire types."""
        return {name: pl.Int64() if isinstance(field, f.Whole) else pl.String() for name, field in self.fields.items()}


_NOTICES: Final = Kind("NOTICE", "Notices", "Notice", NoticeOfVersion2)
KINDS: Final[Mapping[str, Kind]] = {
    "receipt/v2": Kind("ACK", "Ack", "Receipt", ReceiptOfVersion2),
    "confirmations/v1": Kind("CONFIRM", "Confirmations", "Confirmation", ConfirmationRecord),
    "enterprise_confirmations/v1": Kind(
        "ENTERPRISE", "EnterpriseConfirmations", "EnterpriseConfirmation", EnterpriseConfirmationRecord
    ),
    "compensation_results/v1": Kind(
        "COMPENSATION", "CompensationResults", "CompensationResult", CompensationResultRecord
    ),
    "notices/v1": _NOTICES,
    "notices/v2": _NOTICES,
}
"""By contract."""


def kind_of(dataschema: str) -> Kind:
    """Return the kind of message that records of a contract make.

    Raises:
        FileRefused: HL3014, the insurer is sent none of that contract.
    """
    if dataschema not in KINDS:
        raise FileRefused("HL3014", adapter="insurer", file=dataschema)
    return KINDS[dataschema]


def write(outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:
    """Write a message, whole or not at all; the same records give the same bytes.

    Raises:
        FileRefused: HL3014, there is no message of that contract; HL3039, it cannot be written.
    """
    kind = kind_of(outgoing.dataschema)
    head = heading(outgoing, settings) | {"Count": str(outgoing.records.height)}
    items = "".join(item(name, text) for name, text in head.items())
    with replacing(target) as file:
        file.write(f"{declaration('UTF-8')}{start_tag(kind.root, {'xmlns': NAMESPACE})}\n".encode())
        file.write(f"<Head>{items}</Head>\n<Body>\n".encode())
        for record in outgoing.records.iter_rows(named=True):
            file.write(element_of(kind, record).encode())
        file.write(f"</Body>\n</{kind.root}>\n".encode())


def read_back(source: Path, dataschema: str) -> pl.DataFrame:
    """Return the records that `write` wrote to `source`, in wire types.

    Raises:
        FileRefused: HL3032, it is another kind of message; HL3035, its count disagrees; otherwise as
            `outline.outline` and `parsing.Body`.
    """
    kind = kind_of(dataschema)
    parts = outline(source)
    stated = head_of(source, parts, kind).findtext(qualified("Count"))
    records = frame(kind, Body(source, parts, [kind.element]))
    if stated != str(records.height):
        raise FileRefused("HL3035", file=source.name, stated=stated, found=records.height)
    return records


def heading(outgoing: Outgoing, settings: AdapterSettings) -> dict[str, str | None]:
    """Return the items with which the Head of every message begins."""
    return {
        "Sender": settings.county,
        "Receiver": outgoing.member,
        "Date": outgoing.day.isoformat(),
        "Number": str(outgoing.number),
        "RegardingFile": outgoing.regarding,
    }


def head_of(source: Path, parts: Outline, kind: Kind) -> Element:
    """Return the Head of a message that was written here.

    Raises:
        FileRefused: HL3031, it is not well-formed; HL3032, it is another kind of message.
    """
    root = parse(parts.head + parts.closing, parts.encoding.codec, source.name, parts.head_line)
    head = root.find(HEAD)
    if root.tag != qualified(kind.root) or head is None:
        raise FileRefused("HL3032", file=source.name, item=kind.root, what="根元素有误 (wrong root)")
    return head


def element_of(kind: Kind, record: Mapping[str, str | int | None]) -> str:
    """Return a record as an element with its line end."""
    items, codes = kind.items, kind.codes
    told = "".join(item(name, _written(record[field], is_code=field in codes)) for name, field in items.items())
    return f"<{kind.element}>{told}</{kind.element}>\n"


def frame(kind: Kind, elements: Iterable[Element]) -> pl.DataFrame:
    """Return the records that elements hold, in wire types."""
    items, types, codes = kind.items, kind.types, kind.codes
    records = [
        {items[name]: _read(child, types, codes, items[name]) for child in element if (name := _name(child)) in items}
        for element in elements
    ]
    return pl.DataFrame([dict.fromkeys(types) | record for record in records], schema=types)


def _written(value: str | int | None, *, is_code: bool) -> str | None:
    if value is None:
        return None
    return str(value).replace("_", "-") if is_code else str(value)


def _read(element: Element, types: Mapping[str, pl.DataType], codes: frozenset[str], field: str) -> str | int:
    text = text_of(element)
    if types[field] == pl.Int64():
        return int(text)
    return text.replace("-", "_") if field in codes else text


def _name(element: Element) -> str:
    return local_name(element.tag) or ""
