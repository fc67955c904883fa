"""Lists of the platform's keys for tests, signed with whatever keys a test has."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from huilian.wire import joining, signed_documents
from huilian.wire.envelope import Draft
from huilian.wire.signed_documents import stamp
from tests.support.county import BANK, COUNTY, NOW

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from huilian.wire.keys import SigningKey

DAY = dt.timedelta(days=1)
BEGAN = NOW - 100 * DAY


def entry(key: SigningKey, *, revoked: dt.datetime | None = None, **stated: str) -> dict[str, Any]:
    """Return what a list says of a key that counts since a hundred days, for two years."""
    times = {"from": stamp(BEGAN), "until": stamp(BEGAN + 730 * DAY), "revoked": revoked and stamp(revoked)}
    return {"key": key.public.text} | times | stated


def list_text(
    keys: Sequence[Mapping[str, Any]], signers: Sequence[SigningKey], *, county: str = COUNTY, time: dt.datetime = NOW
) -> str:
    """Return a list of these keys."""
    claims = {"county": county, "keys": list(keys), "time": stamp(time)}
    return signed_documents.sign(joining.KEY_LIST, claims, signers)


def list_draft(text: str, member: str = BANK) -> Draft:
    """Return the message that brings a list to a member."""
    return Draft(joining.PLATFORM_KEYS, "platform_keys/v1", member, text.encode())
