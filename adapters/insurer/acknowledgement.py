"""Answering a package: an `<Ack>` with the county's receipt and one `<Result>` for each element.

::

    <Ack>
      <Head>… <Count>2</Count> <Receipt>…</Receipt></Head>
      <Body>
        <Result element="Policy" number="1" reference="P2024000001" status="accepted"></Result>
        <Result element="Claim" number="2" status="rejected"><Error field="…" code="…">…</Error></Result>
      </Body>
    </Ack>

It is in the package's own encoding. Where the package is not here any more, there are no results and
the receipt stands alone, in UTF-8. Before the county has answered, what was rejected already is told in
`<Rejections>` of the same form: what became of the other elements is not known then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.insurer.documents import KINDS, element_of, frame, head_of, heading
from adapters.insurer.head import read_head
from adapters.insurer.markup import declaration, item, start_tag
from adapters.insurer.outline import outline
from adapters.insurer.parsing import Body
from adapters.insurer.results import RESULT, Error, Result, results
from adapters.insurer.vocabulary import NAMESPACE, qualified
from adapters.toolkit.encodings import GB18030, UTF_8
from adapters.toolkit.whole_files import replacing
from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import polars as pl

    from huilian.adapters import AdapterSettings, Outgoing

__all__ = ["RECEIPT", "read_back", "write", "write_rejections"]

RECEIPT: Final = "receipt/v2"
_KIND: Final = KINDS[RECEIPT]
_REJECTIONS: Final = "Rejections"
_NAMES: Final = {UTF_8: "UTF-8", GB18030: "GB18030"}
"""Of encodings, as declarations say them."""


def write(outgoing: Outgoing, settings: AdapterSettings, target: Path) -> None:
    """Write the `<Ack>` of a package, whole or not at all; the same package and records give the same bytes.

    Raises:
        FileRefused: the package cannot be read; HL3039, the acknowledgement cannot be written.
    """
    receipts = outgoing.records.to_dicts()
    refusal = _refusal(receipts[0]) if receipts else None
    head = heading(outgoing, settings)
    told = "\n" + "".join(element_of(_KIND, receipt) for receipt in receipts)
    if outgoing.source is None or outgoing.rejections is None:
        alone = _alone(receipts, refusal)
        _write(target, UTF_8, _KIND.root, _items(head | {"Count": str(len(alone))}) + told, alone)
        return
    parts = outline(outgoing.source)
    stated = read_head(parts, outgoing.source.name)
    head |= {"RegardingMessage": stated.message_id, "Count": str(stated.count)}
    body = results(outgoing.source, parts, stated, outgoing.rejections, refusal)
    _write(target, parts.encoding.codec, _KIND.root, _items(head) + told, body)


def write_rejections(source: Path, rejections: pl.DataFrame, target: Path) -> None:
    """Write what was rejected of `source` before anything of it was sent, whole or not at all.

    Args:
        source: a package that was read.
        rejections: as `huilian.adapters.REJECTIONS`, by line.
        target: is replaced.

    Raises:
        FileRefused: the package cannot be read; HL3039, the file cannot be written.
    """
    parts = outline(source)
    stated = read_head(parts, source.name)
    head = {
        "Receiver": stated.sender,
        "RegardingFile": source.name,
        "RegardingMessage": stated.message_id,
        "Count": str(rejections["line"].n_unique()),
    }
    body = (result for result in results(source, parts, stated, rejections) if result.errors)
    _write(target, parts.encoding.codec, _REJECTIONS, _items(head), body)


def read_back(source: Path) -> pl.DataFrame:
    """Return the receipt in an `<Ack>` that `write` wrote to `source`, in wire types.

    Raises:
        FileRefused: HL3032, it is another kind of message; HL3035, its count is not that of its results;
            otherwise as `outline.outline` and `parsing.Body`.
    """
    parts = outline(source)
    head = head_of(source, parts, _KIND)
    body = Body(source, parts, [RESULT])
    found = sum(1 for _ in body)
    if (stated := head.findtext(qualified("Count"))) != str(found):
        raise FileRefused("HL3035", file=source.name, stated=stated, found=found)
    return frame(_KIND, head.findall(qualified(_KIND.element)))


def _refusal(receipt: Mapping[str, Any]) -> Error | None:
    return (None, receipt["code"], receipt["message"] or "") if receipt["status"] == "refused" else None


def _alone(receipts: list[dict[str, Any]], refusal: Error | None) -> list[Result]:
    """Return what follows from a receipt alone: the result of an only element, such as one posted by itself."""
    if [receipt["rows"] for receipt in receipts] != [1]:
        return []
    if refusal:
        return [Result(1, [refusal])]
    return [Result(1)] if receipts[0]["accepted"] == 1 else []


def _items(head: Mapping[str, str | None]) -> str:
    return "".join(item(name, text) for name, text in head.items())


def _write(target: Path, codec: str, root: str, head: str, body: Iterable[Result]) -> None:
    with replacing(target) as file:
        file.write(f"{declaration(_NAMES[codec])}{start_tag(root, {'xmlns': NAMESPACE})}\n".encode(codec))
        file.write(f"<Head>{head}</Head>\n<Body>\n".encode(codec))
        for result in body:
            file.write(result.xml.encode(codec))
        file.write(f"</Body>\n</{root}>\n".encode(codec))
