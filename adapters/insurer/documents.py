"""What the county sends to the insurer: receipts, confirmations (form 3) and notices, a message for each.

Every message has a Head and a Body as the insurer's own have, in UTF-8. A record is an element whose
items are the fields of its contract in the order of the contract, `confirmation_no` as
`<ConfirmationNo>`; what is null is not there. Codes are hyphenated, as the insurer's are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from adapters.insurer.markup import declaration, item, start_tag, text_of
from adapters.insurer.outline import outline
from adapters.insurer.parsing import Body, parse
from adapters.insurer.vocabulary import NAMESPACE, local_name, qualified
from adapters.toolkit.encodings import UTF_8
from adapters.toolkit.whole_files import replacing
from huilian.errors import FileRefused
from schemas import fields as f
from schemas.messages import Receipt
from schemas.returns import ConfirmationRecord, NoticeRecord

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import marshmallow as ma

    from adapters.insurer.parsing import Element
    from huilian.adapters import AdapterSettings, Outgoing

__all__ = ["KINDS", "Kind", "kind_of", "read_back", "write"]


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
    def types(self) -> dict[str, pl.DataType]:
        """Return the fields' wire types."""
        return {name: pl.Int64() if isinstance(field, f.Whole) else pl.String() for name, field in self.fields.items()}


KINDS: Final[Mapping[str, Kind]] = {
    "receipt/v2": Kind("ACK", "Ack", "Receipt", Receipt),
    "confirmations/v1": Kind("CONFIRM", "Confirmations", "Confirmation", ConfirmationRecord),
    "notices/v1": Kind("NOTICE", "Notices", "Notice", NoticeRecord),
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
    codes = _codes(kind)
    with replacing(target) as file:
        file.write(f"{declaration('UTF-8')}{start_tag(kind.root, {'xmlns': NAMESPACE})}\n".encode())
        file.write(f"{_head(outgoing, settings)}\n<Body>\n".encode())
        for record in outgoing.records.iter_rows(named=True):
            items = "".join(
                item(name, _written(record[field], is_code=field in codes)) for name, field in kind.items.items()
            )
            file.write(f"<{kind.element}>{items}</{kind.element}>\n".encode())
        file.write(f"</Body>\n</{kind.root}>\n".encode())


def read_back(source: Path, dataschema: str) -> pl.DataFrame:
    """Return the records that `write` wrote to `source`, in wire types.

    Raises:
        FileRefused: HL3032, it is another kind of message; HL3035, its count disagrees; otherwise as
            `outline.outline` and `parsing.Body`.
    """
    kind = kind_of(dataschema)
    parts = outline(source)
    root = parse(parts.head + parts.closing, UTF_8, source.name, parts.head_line)
    stated = root.findtext(f"{qualified('Head')}/{qualified('Count')}")
    if root.tag != qualified(kind.root):
        raise FileRefused("HL3032", file=source.name, item=kind.root, what="根元素有误 (wrong root)")
    items, types, codes = kind.items, kind.types, _codes(kind)
    records = [
        {items[name]: _read(child, types, codes, items[name]) for child in element if (name := _name(child)) in items}
        for element in Body(source, parts)
    ]
    if stated != str(len(records)):
        raise FileRefused("HL3035", file=source.name, stated=stated, found=len(records))
    return pl.DataFrame([dict.fromkeys(types) | record for record in records], schema=types)


def _head(outgoing: Outgoing, settings: AdapterSettings) -> str:
    items = {
        "Sender": settings.county,
        "Receiver": outgoing.member,
        "Date": outgoing.day.isoformat(),
        "Number": str(outgoing.number),
        "RegardingFile": outgoing.regarding,
        "Count": str(outgoing.records.height),
    }
    return f"<Head>{''.join(item(name, text) for name, text in items.items())}</Head>"


def _codes(kind: Kind) -> frozenset[str]:
    return frozenset(name for name, field in kind.fields.items() if isinstance(field, f.Code))


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
