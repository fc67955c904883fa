"""Manifests as they come in: held to their contract, their sender, and to what was stated before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma

from huilian.core.clock import CHINA
from huilian.core.error_texts import TEXTS
from huilian.core.errors import MessageRefused
from huilian.county.members import directory
from huilian.records.fields import error_code
from huilian.wire import access
from huilian.wire.manifests import ASKS_FOR_THE_WHOLE, content_sha256, has_base
from huilian.wire.names import SubmissionName

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from huilian.county.context import Context
    from huilian.county.submissions.kinds import Kind, Submission
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Message

__all__ = [
    "REJECTIONS",
    "check_sender",
    "hold_to_base",
    "hold_to_first",
    "kind_named",
    "load",
    "load_refused_file",
    "of_single",
]

REJECTIONS: Final = "rejections"
"""The type of the parts that tell of rejected rows; any kind of submission may have them."""
_HOLDS_NOTHING: Final[dict[str, Any]] = {"file_sequence": None, "rows": 0, "accepted": 0, "rejected": 0}
"""What a manifest would say of a file that was refused as a whole."""


def kind_named(message: Message) -> str | None:
    """Return the kind of submission that a manifest names, or that its submission's name does."""
    try:
        content = message.json()
    except MessageRefused:
        content = None
    kind = content.get("kind") if isinstance(content, dict) else None
    if isinstance(kind, str):
        return kind
    owner = SubmissionName.owner(message.submission or "")
    return owner[1] if owner else None


def load(message: Message, context: Context, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """Return the manifest in a message, as it came, when it keeps its contract and speaks for its sender.

    Raises:
        MessageRefused: HL1004, it is in another's name; HL1010, naming the first field that is wrong; HL1037, nobody
            takes its kind.
    """
    manifest = _stated(message, context, kinds)
    kind = kinds[manifest["kind"]]
    if (manifest.get("base") is None) != (manifest.get("base_sha256") is None):
        raise MessageRefused("HL1010", line=1, field="base_sha256", what="HL2023")
    if has_base(manifest) and kind.whole is None:
        raise MessageRefused("HL1010", line=1, field="base", what="HL2023")
    gone = None if has_base(manifest) else kind.declared.gone
    types = {REJECTIONS, *kind.parts} - {gone}
    for place, part in enumerate(manifest["parts"]):
        if part["sequence"] != place:
            raise MessageRefused("HL1010", line=1, field="parts", what="sequence")
        if part["type"] not in types:
            raise MessageRefused("HL1010", line=1, field="parts", what=f"type {part['type'][:20]}")
    return manifest


def load_refused_file(message: Message, context: Context, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """Return what a message says of a file that its sender refused, held to the same rules as a manifest.

    Raises:
        MessageRefused: as `load`.
    """
    return _stated(message, context, kinds) | _HOLDS_NOTHING


def of_single(message: Message, kind: Kind, message_type: str, record: pl.DataFrame) -> dict[str, Any]:
    """Return what the sender of one record would have stated of it, had it come as a file."""
    totals = {
        kind.stated(other_type, field): record.item(0, field) if other_type == message_type else "0.00"
        for other_type, part in kind.parts.items()
        for field in part.totals
    }
    # The whole country's time: the day a thing was posted is the day it was there.
    day = message.time.astimezone(CHINA).date()
    return {
        "submission": str(SubmissionName.of(message.source, kind.name, day, message.payload_sha256)),
        "member": message.source,
        "kind": kind.name,
        "as_of": day.isoformat(),
        "adapter": message.type,
        "adapter_version": message.dataschema.rpartition("/")[2],
        "file_name": message.id,
        "file_sha256": message.payload_sha256,
        "file_sequence": None,
        "rows": 1,
        "accepted": 1,
        "rejected": 0,
        "totals": totals,
        "parts": [{"sequence": 0, "type": message_type, "records": 1, "sha256": message.payload_sha256}],
    }


def check_sender(transaction: Transaction, manifest: Mapping[str, Any], kind: Kind) -> None:
    """Let a submission pass only from who may send all that it holds, or where it holds nothing, something of its kind.

    Stating what a submission holds is sending it.

    Raises:
        MessageRefused: HL1004, its member is of another kind.
    """
    rules, kind_of_member = access.load(), directory.find(transaction, manifest["member"]).kind
    held = {part["type"] for part in manifest.get("parts", ())} & kind.parts.keys()
    if not held:
        held = {name for name in kind.parts if rules.may_send(kind_of_member, name)} or set(kind.parts)
    for message_type in (name for name in kind.parts if name in held):
        rules.check_send(manifest["member"], kind_of_member, message_type)


def hold_to_first(known: Submission, manifest: Mapping[str, Any], message: Message) -> None:
    """Refuse a manifest that takes over another's submission, or makes it something else.

    Args:
        known: the submission as it was entered.
        manifest: what is stated of it now.
        message: the message that states it.

    Raises:
        MessageRefused: HL1004, it is another member's; HL1010, kind or date differ.
    """
    if known.member != message.source:
        raise MessageRefused("HL1004", member=message.source, type=message.type)
    for field in ("kind", "as_of"):
        if str(getattr(known, field)) != manifest[field]:
            raise MessageRefused("HL1010", line=1, field=field, what="HL2023")


def hold_to_base(transaction: Transaction, manifest: Mapping[str, Any]) -> None:
    """Let a submission pass that can be completed from its base; one that is told as a whole always can.

    One told by its differences can be completed only from exactly what it is based on. That holds where `base` is
    the only accepted submission of its date, and the newest: then what stands is what the base had, as the base had it.

    Raises:
        MessageRefused: HL1021, its base is not the newest, or not the only one of its date; or it is numbered.
    """
    if not has_base(manifest):
        return
    of_newest_date = transaction.rows(
        "SELECT submission, manifest FROM huilian.submission"
        " WHERE member = %(member)s AND kind = %(kind)s AND status = 'accepted' AND as_of < %(as_of)s::date"
        " AND as_of = (SELECT max(as_of) FROM huilian.submission"
        " WHERE member = %(member)s AND kind = %(kind)s AND status = 'accepted')",
        {"member": manifest["member"], "kind": manifest["kind"], "as_of": manifest["as_of"]},
    )
    # Of a day's numbered files the highest counts: each must say all that it states.
    is_numbered = manifest["file_sequence"] is not None
    known = [(row["submission"], content_sha256(row["manifest"])) for row in of_newest_date]
    if is_numbered or known != [(manifest["base"], manifest["base_sha256"])]:
        raise MessageRefused(ASKS_FOR_THE_WHOLE, base=manifest["base"])


def _stated(message: Message, context: Context, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    contract = context.catalogue.contract(message.type, message.dataschema)
    content = message.json()
    try:
        contract.schema().load(content)
    except ma.ValidationError as error:
        field, what = _first_error(error.messages_dict)
        raise MessageRefused("HL1010", line=1, field=field, what=what) from None
    manifest: dict[str, Any] = content
    member, kind = SubmissionName.owner(manifest["submission"]) or ("", "")
    if manifest["kind"] not in kinds:
        # Were it another service's, that would have taken the message.
        raise MessageRefused("HL1037", kind=manifest["kind"])
    if {manifest["member"], member} != {message.source} or kind not in {*kinds, *context.owners}:
        raise MessageRefused("HL1004", member=message.source, type=message.type)
    if message.submission != manifest["submission"]:
        # What is told of the message is told under that name.
        raise MessageRefused("HL1010", line=1, field="submission", what="HL2023")
    if kind != manifest["kind"]:
        raise MessageRefused("HL1010", line=1, field="kind", what="HL2023")
    if manifest["as_of"] > context.clock.today().isoformat():
        # It would be the newest for ever, and every true ledger after it late.
        raise MessageRefused("HL1010", line=1, field="as_of", what="HL3015")
    return manifest


def _first_error(messages: dict[Any, Any]) -> tuple[str, str]:
    field, found = next(iter(messages.items()))
    while isinstance(found, dict):
        found = next(iter(found.values()))
    what = error_code(str(found[0] if isinstance(found, list) else found))
    # A field the contract does not know may be called anything, and has no code of ours.
    return (str(field), what) if what in TEXTS else ("?", "HL2023")
