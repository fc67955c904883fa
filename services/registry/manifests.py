"""Manifests as they come in: held to their contract, their sender, and to what was stated before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import marshmallow as ma

from huilian import access, basis, members
from huilian.error_texts import TEXTS
from huilian.errors import MessageRefused
from huilian.records.fields import error_code
from services.registry import relative
from services.registry.domain import KINDS, is_named_by

if TYPE_CHECKING:
    from huilian.county.context import Context
    from huilian.database import Transaction
    from huilian.envelope import Message

__all__ = ["check_kind", "hold_to_first", "load", "load_refused_file"]


def check_kind(transaction: Transaction, manifest: dict[str, Any]) -> None:
    """Let a kind of submission pass only from who may send all it is made of.

    Stating what a submission holds is sending it, even where it holds nothing.

    Raises:
        MessageRefused: HL1004, its member is of another kind.
    """
    kind_of_member = members.find(transaction, manifest["member"]).kind
    for message_type in KINDS[manifest["kind"]].parts:
        access.load().check_send(manifest["member"], kind_of_member, message_type)


def hold_to_first(known: dict[str, Any], manifest: dict[str, Any], message: Message) -> None:
    """Refuse a manifest that takes over another's submission, or makes it something else.

    Args:
        known: the submission as it was entered, the row of `registry.submission`.
        manifest: what is stated of it now.
        message: the message that states it.

    Raises:
        MessageRefused: HL1004, it is another member's; HL1010, kind or date differ.
    """
    if known["member"] != message.source:
        raise MessageRefused("HL1004", member=message.source, type=message.type)
    for field in ("kind", "as_of"):
        if str(known[field]) != manifest[field]:
            raise MessageRefused("HL1010", line=1, field=field, what="HL2023")


def load(message: Message, context: Context) -> dict[str, Any]:
    """Return the manifest in a message, as it came, when it keeps its contract and speaks for its sender.

    Raises:
        MessageRefused: HL1004, it is in another's name; HL1010, naming the first field that is wrong.
    """
    manifest = _stated(message, context)
    if (manifest.get("base") is None) != (manifest.get("base_sha256") is None):
        raise MessageRefused("HL1010", line=1, field="base_sha256", what="HL2023")
    if basis.has_base(manifest) and manifest["kind"] not in basis.KINDS:
        raise MessageRefused("HL1010", line=1, field="base", what="HL2023")
    for place, part in enumerate(manifest["parts"]):
        if part["sequence"] != place:
            raise MessageRefused("HL1010", line=1, field="parts", what="sequence")
        if part["type"] not in _types(manifest):
            raise MessageRefused("HL1010", line=1, field="parts", what=f"type {part['type'][:20]}")
    return manifest


def load_refused_file(message: Message, context: Context) -> dict[str, Any]:
    """Return what a message says of a file that its sender refused, held to the same rules as a manifest.

    Raises:
        MessageRefused: HL1004, it is in another's name; HL1010, naming the first field that is wrong.
    """
    stated = _stated(message, context)
    if not stated["submission"].startswith(f"{message.source}-{stated['kind']}-"):
        raise MessageRefused("HL1010", line=1, field="submission", what="HL2023")
    return stated


def _stated(message: Message, context: Context) -> dict[str, Any]:
    contract = context.catalogue.contract(message.type, message.dataschema)
    content = message.json()
    try:
        contract.schema().load(content)
    except ma.ValidationError as error:
        field, what = _first_error(error.messages_dict)
        raise MessageRefused("HL1010", line=1, field=field, what=what) from None
    manifest: dict[str, Any] = content
    if manifest["member"] != message.source or not is_named_by(manifest["submission"], message.source):
        raise MessageRefused("HL1004", member=message.source, type=message.type)
    if manifest["as_of"] > context.clock.today().isoformat():
        # It would be the newest for ever, and every true ledger after it late.
        raise MessageRefused("HL1010", line=1, field="as_of", what="HL3015")
    return manifest


def _types(manifest: dict[str, Any]) -> list[str]:
    """Return the types that the parts of a submission may have."""
    whole = [] if basis.has_base(manifest) else [relative.GONE]
    return ["rejections", *(name for name in KINDS[manifest["kind"]].parts if name not in whole)]


def _first_error(messages: dict[Any, Any]) -> tuple[str, str]:
    field, found = next(iter(messages.items()))
    while isinstance(found, dict):
        found = next(iter(found.values()))
    what = error_code(str(found[0] if isinstance(found, list) else found))
    # A field the contract does not know may be called anything, and has no code of ours.
    return (str(field), what) if what in TEXTS else ("?", "HL2023")
