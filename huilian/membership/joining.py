"""The joining request: what an institution asks to take part with.

It carries the institution's public key and is signed by that very key: whoever made it has the
private one. It holds no secret. That the key is the institution's own no signature can show: the
county compares its fingerprint by telephone before it enters it (`huilian.membership.admission`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian import members
from huilian.access import KINDS
from huilian.errors import AccessDenied, UsageError
from huilian.membership import signed_document

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from huilian.keys import PublicKey, SigningKey
    from huilian.membership.signed_document import SignedDocument

__all__ = ["JOINING_KINDS", "JoiningRequest", "make_request", "read_request"]

REQUEST: Final = "joining-request"
TEXT_LONGEST: Final = 60
JOINING_KINDS: Final = tuple(kind for kind in KINDS if kind not in ("county", "platform"))
"""Kinds of member that ask to join; the county and its platform are there from the beginning."""
_COUNTY: Final = re.compile(r"[1-9][0-9]{5}", re.ASCII)


@dataclass(frozen=True)
class JoiningRequest:
    """An institution that asks to join, with the key it will sign with.

    Args:
        document: as it was read.
        member: the code it asks for.
        kind: one of `JOINING_KINDS`.
        name: what it is called.
        adapter: the adapter it sends files with, if any.
        county: six digits of the county it asks, or None when it did not say.
        public: its public key.
        time: when it was signed, as it says.
    """

    document: SignedDocument
    member: str
    kind: str
    name: str
    adapter: str | None
    county: str | None
    public: PublicKey
    time: dt.datetime


def make_request(
    *, member: str, kind: str, name: str, adapter: str | None, county: str | None, key: SigningKey, now: dt.datetime
) -> str:
    """Return the text of a joining request, to be written to a file; see `JoiningRequest`.

    Raises:
        UsageError: HL7001, code, kind, name, adapter or county is none.
    """
    claims = {
        "member": member,
        "kind": kind,
        "name": name,
        "adapter": adapter,
        "county": county,
        "public_key": key.public.text,
        "time": signed_document.stamp(now),
    }
    wrong = _wrong(claims)
    if wrong:
        raise UsageError("HL7001", what=wrong)
    return signed_document.sign(REQUEST, claims, [key])


def read_request(text: str, *, name: str) -> JoiningRequest:
    """Return the request a text holds; the key in it has signed it.

    Raises:
        AccessDenied: HL4009, it is none, was altered, or is not signed by its own key.
    """
    document = signed_document.read(text, REQUEST, name=name)
    claims = document.claims
    public = signed_document.public_key_of(document, claims.get("public_key"))
    signed_document.verify(document, [public])
    wrong = _wrong(claims)
    if wrong:
        raise AccessDenied("HL4009", file=name, what=wrong)
    return JoiningRequest(
        document=document,
        member=claims["member"],
        kind=claims["kind"],
        name=claims["name"],
        adapter=claims["adapter"],
        county=claims["county"],
        public=public,
        time=signed_document.moment_of(document, claims.get("time")),
    )


def _wrong(claims: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the claims of a request; they are shown on a terminal, so control characters are."""
    member, kind, adapter, county = (claims.get(name) for name in ("member", "kind", "adapter", "county"))
    if not isinstance(member, str) or not members.is_code(member):
        return "机构代码应为 1 至 20 位字母、数字或 _ (a member code is 1 to 20 letters, digits or _)"
    if kind not in JOINING_KINDS:
        return f"机构类型应为 (the kind is one of): {', '.join(JOINING_KINDS)}"
    if not _is_plain(claims.get("name")) or not (adapter is None or _is_plain(adapter)):
        return f"名称与适配器应为 1 至 {TEXT_LONGEST} 个字符 (name and adapter are 1 to {TEXT_LONGEST} characters)"
    if county is not None and not (isinstance(county, str) and _COUNTY.fullmatch(county)):
        return "县代码应为六位数字 (a county is six digits)"
    return None


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= TEXT_LONGEST and value.isprintable() and value == value.strip()
