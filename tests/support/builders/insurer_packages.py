"""Makes messages as an insurer's system makes them, with invented persons, for the tests beside it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from adapters.insurer import adapter
from tests.support.builders.delimited_files import COUNTY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

    from huilian.adapters import Piece

NAME: Final = "INS_PICC_MIXED_20240531_01.xml"
NAMESPACE: Final = "urn:insurer:rural:v1"

POLICY: Final = {
    "PolicyNo": "P2024000001",
    "ProductCode": "XW01",
    "Kind": "loan-guarantee",
    "Holder": "张三",
    "Insured/@name": "张三",
    "Insured/@idNo": "341599199001010016",
    "HouseholdNo": "341599101200-0001",
    "Region": "341599101200",
    "LoanNo": "J2024000001",
    "SumInsured": "50000.00",
    "Premium/Amount": "120.00",
    "Premium/Share/finance": "60.00",
    "Premium/Share/household": "36.00",
    "Premium/Share/insurer": "24.00",
    "From": "2024-01-05",
    "To": "2025-01-04",
}
"""A policy that nothing is wrong with; an item is left out where it is changed to None."""

CLAIM: Final = {
    "ClaimNo": "C2024000001",
    "PolicyNo": "P2024000001",
    "LoanNo": "J2024000001",
    "Event/@kind": "洪涝灾害",
    "Event/@date": "2024-05-02",
    "Event/@forceMajeure": "yes",
    "Status": "settled",
    "Amount": "30000.00",
    "PaidOn": "2024-05-31T17:08:09+08:00",
    "PayeeAccount": "0123",
    "Reason": "经查勘属保险责任",
}

RESULT: Final = {"Period": "2024-05", "Premiums": "1000000.00", "Claims": "1300000.00", "Expenses": "150000.00"}

Changes = dict[str, str | None]


def _filled(base: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    return {path: text for path, text in {**base, **changes}.items() if text is not None}


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"


def _with_attributes(name: str, items: Mapping[str, str]) -> str:
    stated = "".join(
        f" {path.rpartition('@')[2]}={quoteattr(text)}" for path, text in items.items() if path.startswith(f"{name}/@")
    )
    return f"<{name}{stated}/>"


def _shares(items: Mapping[str, str]) -> str:
    return "".join(
        f'<Share payer="{payer}">{escape(items[path])}</Share>'
        for payer in ("finance", "household", "insurer")
        if (path := f"Premium/Share/{payer}") in items
    )


def policy(changes: Mapping[str, str | None] | None = None, *, more: str = "", premium: str | None = None) -> str:
    """Return a `<Policy>` with `changes`; `more` stands at its end, `premium` in the place of its premium."""
    items = _filled(POLICY, changes or {})
    amount = _element("Amount", items["Premium/Amount"]) if "Premium/Amount" in items else ""
    parts = [
        *(_element(name, items[name]) for name in ("PolicyNo", "ProductCode", "Kind", "Holder") if name in items),
        _with_attributes("Insured", items),
        *(_element(name, items[name]) for name in ("HouseholdNo", "Region", "LoanNo", "SumInsured") if name in items),
        f"<Premium>{amount}{_shares(items)}</Premium>" if premium is None else premium,
        *(_element(name, items[name]) for name in ("From", "To") if name in items),
    ]
    return f"<Policy>{''.join(parts)}{more}</Policy>"


def claim(changes: Mapping[str, str | None] | None = None, *, more: str = "") -> str:
    """Return a `<Claim>` with `changes`; `more` stands at its end."""
    items = _filled(CLAIM, changes or {})
    after = ("Status", "Amount", "PaidOn", "PayeeAccount", "Reason")
    parts = [
        *(_element(name, items[name]) for name in ("ClaimNo", "PolicyNo", "LoanNo") if name in items),
        _with_attributes("Event", items),
        *(_element(name, items[name]) for name in after if name in items),
    ]
    return f"<Claim>{''.join(parts)}{more}</Claim>"


def result(changes: Mapping[str, str | None] | None = None) -> str:
    """Return a `<PeriodResult>` with `changes`."""
    items = _filled(RESULT, changes or {})
    return f"<PeriodResult>{''.join(_element(name, text) for name, text in items.items())}</PeriodResult>"


def alone(element: str) -> str:
    """Return an element as it is posted by itself, with its own namespace."""
    name = element[1 : element.index(">")]
    return element.replace(f"<{name}>", f'<{name} xmlns="{NAMESPACE}">', 1)


@dataclass(frozen=True)
class Package:
    """A package in the making; every part of it can be spoilt, and what is None is made to agree.

    Args:
        elements: in the Body.
        total: of premiums and amounts.
        declared: the encoding its declaration names, `codec` the one it is in.
    """

    elements: tuple[str, ...] = ()
    total: str = "0.00"
    count: str | None = None
    digest: str | None = None
    sender: str = "INS_PICC"
    created: str = "2024-05-31T17:08:09+08:00"
    declared: str | None = "UTF-8"
    codec: str = "utf-8"
    mark: bytes = b""
    prolog: str = ""
    before_head: str = ""
    in_head: str = ""
    between: str = "\n"
    after_body: str = ""
    namespace: str = NAMESPACE

    @property
    def body(self) -> bytes:
        """Return the bytes of the Body."""
        return f"<Body>{self.between}{self.between.join(self.elements)}{self.between}</Body>".encode(self.codec)

    @property
    def data(self) -> bytes:
        """Return the bytes of the file."""
        declaration = f'<?xml version="1.0" encoding="{self.declared}"?>\n' if self.declared else ""
        digest = hashlib.sha256(self.body).hexdigest() if self.digest is None else self.digest
        head = (
            f"<Sender>{self.sender}</Sender><MessageId>M20240531-01</MessageId><CreatedAt>{self.created}</CreatedAt>"
            f"<Count>{len(self.elements) if self.count is None else self.count}</Count>"
            f'<TotalAmount>{self.total}</TotalAmount><Digest alg="SHA-256">{digest}</Digest>'
        )
        start = (
            f'{declaration}{self.prolog}<Package xmlns="{self.namespace}">\n{self.before_head}'
            f"<Head>{self.in_head}{head}</Head>\n"
        )
        return self.mark + start.encode(self.codec) + self.body + f"{self.after_body}\n</Package>\n".encode(self.codec)

    def save(self, folder: Path, name: str = NAME) -> Path:
        """Write the file."""
        path = folder / name
        path.write_bytes(self.data)
        return path


def package(*elements: str, total: str = "0.00", **parts: object) -> Package:
    """Return a package of `elements`, with other parts as they are named."""
    return replace(Package(elements, total), **parts)  # type: ignore[arg-type]  # parts are named by the test


def read(path: Path) -> list[Piece]:
    """Return all pieces of a package."""
    identity = adapter.recognise(path.name)
    assert identity is not None
    return list(adapter.read(path, identity, COUNTY))


def taken(pieces: list[Piece], message_type: str) -> pl.DataFrame:
    """Return the accepted records of one type in one piece."""
    (accepted,) = [piece.accepted for piece in pieces if piece.type == message_type]
    return accepted


def errors(pieces: list[Piece]) -> list[tuple[int, str, str]]:
    """Return (line, field, code) of all rejections, by line."""
    found = [row for piece in pieces for row in piece.rejections.select("line", "field", "code").rows()]
    return sorted(found, key=lambda error: error[0])


def results(ack: bytes) -> list[tuple[str | None, str | None, str | None, str | None, list[str | None]]]:
    """Return element, number, reference, status and the codes of the errors of each result in an acknowledgement."""
    names = ("element", "number", "reference", "status")
    return [
        (*map(found.get, names), [error.get("code") for error in found])  # type: ignore[misc]  # there are four names
        for found in etree.fromstring(ack).iterfind(f"{{{NAMESPACE}}}Body/{{{NAMESPACE}}}Result")
    ]
