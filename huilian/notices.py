"""Notices: what the platform tells one member, as a sealed message of the contract `notices`.

The kernel states the record by its fields' names and has the installed contract check it. What was
told is noted, so that nobody is told the same thing over and over.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Final

from huilian import envelope
from huilian.envelope import Draft
from huilian.errors import printable

if TYPE_CHECKING:
    import datetime as dt

    from huilian.county.context import Context
    from huilian.database import Transaction

__all__ = ["TYPE", "draft", "note", "texts_about"]

TYPE: Final = "notices"
TEXT_LONGEST: Final = 500


def draft(
    context: Context, *, member: str, kind: str, text: str, reference: str | None = None, code: str | None = None
) -> Draft:
    """Return one notice to a member, to be sealed in the platform's name.

    Args:
        context: clock and contracts.
        member: whom it is for.
        kind: one of the contract's, for example "key_expiring".
        text: what there is to know or do, in Chinese; it names no person.
        reference: what it is about: a submission, a key.
        code: the error code, if it is about an error.

    Raises:
        MessageRefused: HL1005, no installed contract is called `notices`.
        marshmallow.ValidationError: the contract does not allow such a record.
    """
    contract = context.catalogue.latest(TYPE)
    record = {
        "line": 1,
        "notice_no": f"{kind}-{uuid.uuid4().hex}",
        "kind": kind,
        "date": context.clock.today().isoformat(),
        "region": None,
        "reference": reference,
        "code": code,
        # A refusal may name what a sender made up: only what can be shown is passed on.
        "text": printable(text)[:TEXT_LONGEST],
    }
    contract.schema().load(record)
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    return Draft(TYPE, contract.dataschema, member, body, bulk=contract.bulk)


def note(
    transaction: Transaction,
    member: str,
    kind: str,
    reference: str,
    *,
    now: dt.datetime,
    code: str = "",
    again_after: dt.timedelta | None = None,
    about: tuple[str, str] | None = None,
) -> bool:
    """Note that a member is told something; return False when it was told the same often enough.

    Args:
        transaction: the transaction.
        member: who is told.
        kind: of notice.
        reference: what it is about.
        now: the present moment.
        code: the error code, if it is about an error.
        again_after: how long after the last time it is told again; never unless given.
        about: place and id of a message: told before of another message in this place, it is told again.
    """
    since = None if again_after is None else now - again_after
    noted = transaction.execute(
        "INSERT INTO huilian.notice_sent (member, kind, reference, code, sent_at, place, message)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (member, kind, reference, code) DO UPDATE"
        " SET sent_at = excluded.sent_at, times = huilian.notice_sent.times + 1, place = excluded.place,"
        " message = excluded.message"
        " WHERE huilian.notice_sent.sent_at <= %s::timestamptz"
        " OR excluded.message IS DISTINCT FROM huilian.notice_sent.message"
        " AND excluded.place = coalesce(huilian.notice_sent.place, excluded.place)",
        [member, kind, reference, code, now, *(about or (None, None)), since],
    )
    return bool(noted)


def texts_about(transaction: Transaction, submission: str) -> list[str]:
    """Return the texts of the notices that went out with a submission's receipt, oldest first."""
    rows = transaction.rows(
        "SELECT id, seal, payload FROM huilian.message WHERE submission = %s AND type = %s ORDER BY time, id",
        [submission, TYPE],
    )
    # Sealed by the service that says it and again by the platform, under one id.
    once = {row["id"]: row for row in reversed(rows)}
    bodies = [envelope.read(row["seal"], bytes(row["payload"])).body() for row in reversed(once.values())]
    return [str(json.loads(line)["text"]) for body in bodies for line in body.splitlines()]
