"""How an edge stands, read from its files; the edge itself need not run.

`attention` says, in Chinese, what somebody has to look at; where it is empty nothing has.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509

from huilian.core.clock import CHINA
from huilian.core.errors import UsageError
from huilian.institution.edge import settings as edge_settings
from huilian.institution.edge.agent import DISK, last_error, lasting_errors, locked
from huilian.institution.edge.folders import EXPLANATION, Folders
from huilian.institution.journal import OPEN, REFUSED_HERE, Journal
from huilian.institution.membership import own_keys
from huilian.institution.spool import Spool
from huilian.wire.keys import KEY_LIFETIME
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.core.clock import Clock
    from huilian.institution.edge.settings import EdgeSettings
    from huilian.institution.membership import OwnKeys
    from huilian.settings import Home

__all__ = ["status"]

WARN_BEFORE: Final = dt.timedelta(days=30)
"""How long before a key or certificate ends somebody is told."""
SILENT: Final = dt.timedelta(hours=24)
"""How long without contact before somebody is told."""
_BEGINNING: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

Facts = dict[str, Any]


def status(home: Home, clock: Clock) -> Facts:
    """Return how the edge in a data directory stands.

    Raises:
        UsageError: HL7016, it was not set up as one.
        ConfigurationError: HL6006, a setting is damaged.
    """
    settings = edge_settings.load(home)
    own = own_keys(home, settings.member)
    folders = Folders(home.folder)
    folders.make()
    with Journal(home) as journal:
        counts, waiting = journal.inbox.counts(), journal.inbox.in_states(*OPEN, *REFUSED_HERE)
        kept, never = journal.messages.doubted_size(), journal.messages.never_believed()
        codes = sorted({code for _, code in journal.messages.doubted()} | never.keys())
        facts: Facts = {
            "member": settings.member,
            "adapter": settings.adapter,
            "county": settings.county,
            "to": settings.shown_to or None,
            "running": _running(folders),
            "files": {
                "inbox": sum(1 for path in folders.inbox.iterdir() if path.is_file()),
                **{state: counts.get(state, (0, 0, 0))[0] for state in (*OPEN, "accepted")},
                "refused": journal.inbox.refused(),
            },
            "messages": _messages(home, {file.submission or "" for file in waiting}),
            "rows": {
                "accepted": counts.get("accepted", (0, 0, 0))[1],
                "rejected": sum(found[2] for state, found in counts.items() if state not in OPEN),
            },
            "waiting": [
                {"file": file.file_name, "submission": file.submission, "state": file.state}
                | {"arrived_at": file.arrived_at, "sent_at": file.sent_at}
                for file in waiting
            ],
            "explanations": sum(1 for _ in folders.refused.glob(f"*{EXPLANATION}")),
            "not_written": {"messages": journal.messages.unwritten(), "code": journal.fact("unwritten")},
            "not_believed": {"messages": kept[0] + sum(never.values()), "codes": codes}
            | {"kept": kept[0], "bytes": kept[1], "never": never, "dismissed": _told(journal.fact("dismissed"))},
            "last_error": last_error(journal),
            "lasting_errors": lasting_errors(journal),
            "last_contact": journal.fact("last_contact"),
            "keys": list(_keys(home, settings, own)),
            "next_key": own.prepared and {"kid": own.prepared.kid, "prepared_at": own.prepared.prepared_at.isoformat()},
        }
    facts["attention"] = list(_attention(facts, settings, own, clock.now()))
    return facts


def _told(fact: str | None) -> Facts | None:
    return json.loads(fact) if fact else None


def _running(folders: Folders) -> bool:
    try:
        with locked(folders):
            return False
    except UsageError:
        return True


def _messages(home: Home, submissions: set[str]) -> dict[str, int]:
    spool = Spool(home.spool)
    found = [spooled for spooled in map(spool.find, submissions) if spooled is not None]
    sent = sum(min(spooled.sent, spooled.count) for spooled in found)
    return {"sent": sent, "to_send": sum(spooled.count for spooled in found) - sent}


def _keys(home: Home, settings: EdgeSettings, own: OwnKeys) -> Iterator[Facts]:
    """Yield the keys and certificates on this machine, and until when each counts as far as that is known here."""
    if own.kid is not None and own.until is not None:
        yield _key("sign", own.kid, own.until)
    elif own.kid is not None:
        file = max((home.folder / "keys" / settings.member).glob("[0-9]*.pem"))
        made = _BEGINNING + dt.timedelta(microseconds=file.stat().st_mtime_ns // 1000)
        # The county counts from the day it entered the key, which was this day or later.
        yield _key("sign", own.kid, made + KEY_LIFETIME, earliest=True)
    for trusted in home.trusted(PLATFORM).keys:
        if trusted.revoked_at is None:
            yield _key("trust", trusted.kid, trusted.valid_until, earliest=trusted.valid_from is None)
        else:
            yield _key("revoked", trusted.kid, trusted.revoked_at)
    if settings.ca_file:
        for certificate in _certificates(settings.ca_file):
            yield _key("certificate", f"{certificate.serial_number:x}", certificate.not_valid_after_utc)


def _key(use: str, kid: str, until: dt.datetime | None, *, earliest: bool = False) -> Facts:
    return {"use": use, "kid": kid, "until": until.isoformat() if until else None, "earliest": earliest}


def _certificates(file: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(Path(file).read_bytes())
    except (OSError, ValueError):
        return []


def _attention(facts: Facts, settings: EdgeSettings, own: OwnKeys, now: dt.datetime) -> Iterator[str]:
    uses = [key["use"] for key in facts["keys"]]
    if "sign" not in uses:
        yield f"没有 {settings.member} 的签名私钥 (no signing key)"
    if "trust" not in uses:
        yield "尚未信任县里平台的公钥，收到的报文无法核验 (the platform's key is not trusted yet)"
    if warning := own.warning(now):
        yield warning
    # One that ended is kept for what it signed before; what ends is the last of them.
    last_trusted = max((key["until"] for key in facts["keys"] if key["use"] == "trust"), default=None)
    for key in facts["keys"]:
        known = (
            key["use"] == "revoked"
            or (key["use"] == "sign" and not key["earliest"])
            or (key["use"] == "trust" and key["until"] != last_trusted)
        )
        if key["until"] and not known and dt.datetime.fromisoformat(key["until"]) - now < WARN_BEFORE:
            day = dt.datetime.fromisoformat(key["until"]).astimezone(CHINA).date()
            yield f"密钥或证书 {key['kid'][:12]} 将于 {day} 前后到期，请更换 (a key or certificate ends soon)"
    # Where only bundles are carried, what once was wrong with the wire is nobody's concern.
    concern = [error for error in facts["lasting_errors"] if facts["to"] or error["strand"] == DISK]
    yield from dict.fromkeys(f"{error['code']}：{error['message']}" for error in concern)
    contact = facts["last_contact"]
    if facts["to"] and contact is None:
        yield "尚未与县里联系上过 (no contact so far)"
    elif facts["to"] and now - dt.datetime.fromisoformat(contact) > SILENT:
        yield "24 小时内没有与县里联系上 (no contact within 24 hours)"
    if facts["not_believed"]["messages"]:
        yield _doubts(**facts["not_believed"])
    if facts["not_written"]["code"]:
        yield f"{facts['not_written']['messages']} 条报文无法写出：{facts['not_written']['code']} (not written)"


def _doubts(*, messages: int, kept: int, codes: list[str], **_: object) -> str:
    rest = f"，其中 {kept} 条保留待核" if kept else ""
    return f"{messages} 条报文核验不通过（{'、'.join(codes)}），未写出{rest} (messages that cannot be verified)"
