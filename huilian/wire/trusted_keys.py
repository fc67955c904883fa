"""The keys by which a machine believes its county: of which county, from when until when, and which were revoked.

    trusted/HUILIAN-kPrK_qmxVWaY.pem    a key
    trusted/HUILIAN.json                what is known of the keys, and of which county they are

A key whose times nobody has stated, laid there by hand or by an older Huilian, counts for two years from then. What is
revoked stays so: no file and no message makes it count again, nor does its file, removed and laid there anew.

A revocation takes effect at the moment in which this machine takes it in. What came before stays as it was believed;
of what comes from then on nothing counts that the key has sealed, whatever time it states.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from huilian.core.clock import CHINA
from huilian.core.errors import AccessDenied, ConfigurationError, MessageRefused
from huilian.core.files import PUBLIC, PUBLIC_FOLDER, make_folder, write_atomically
from huilian.wire import envelope
from huilian.wire.keys import BEGINS_AHEAD, CLOCK_SKEW, KEY_LIFETIME, PublicKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from huilian.wire.envelope import Message

__all__ = ["TrustedKey", "TrustedKeys", "change", "load"]

_BEGINNING: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MOMENTS: Final = {"from": "valid_from", "until": "valid_until", "revoked_at": "revoked_at", "since": "revoked_since"}
"""How what is known of a key is called in the file."""


@dataclass(frozen=True)
class TrustedKey:
    """A key of the other side, and when what it signs is believed.

    Args:
        public: the key.
        valid_from: from when on it counts; None where nobody has said.
        valid_until: until when; the same.
        revoked_at: from when on nothing counts that comes here; None while it is not revoked.
        revoked_since: since when it is revoked, as the county states it.
        by: the `kid` of the key under which it was told of; None where somebody here has confirmed it.
    """

    public: PublicKey
    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None
    revoked_at: dt.datetime | None = None
    revoked_since: dt.datetime | None = None
    by: str | None = None

    @property
    def kid(self) -> str:
        """Return its name."""
        return self.public.kid

    def stands_at(self, now: dt.datetime) -> bool:
        """Return whether it counts now: it has begun, has not ended and is not revoked."""
        return self._counts_at(now) and (self.revoked_at is None or now < self.revoked_at)

    def check(self, time: dt.datetime, *, received: dt.datetime) -> None:
        """Let pass what it sealed at `time` and what came at `received`.

        Raises:
            MessageRefused: HL1026, it was revoked before that came; HL1003, it did not count at that time.
        """
        if self.revoked_at is not None and max(time, received) >= self.revoked_at:
            since = f"{self.revoked_at.astimezone(CHINA):%Y-%m-%d %H:%M}"
            raise MessageRefused("HL1026", kid=self.kid, since=since)
        if not self._counts_at(time):
            raise MessageRefused("HL1003", kid=self.kid)

    def _counts_at(self, time: dt.datetime) -> bool:
        begun = self.valid_from is None or self.valid_from <= time
        return begun and (self.valid_until is None or time < self.valid_until)


@dataclass(frozen=True)
class TrustedKeys:
    """What a machine knows of the keys of one other party.

    Args:
        owner: whose keys they are, "HUILIAN".
        keys: the keys.
        county: the county whose they are; None until a document has said.
        stated_at: when the newest list of them was signed that was taken in.
        forgotten: what is known of keys whose files are gone.
    """

    owner: str
    keys: tuple[TrustedKey, ...] = ()
    county: str | None = None
    stated_at: dt.datetime | None = None
    forgotten: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def find(self, kid: str) -> TrustedKey | None:
        """Return the key of this name."""
        return next((key for key in self.keys if key.kid == kid), None)

    def stands(self, kid: str, now: dt.datetime) -> bool:
        """Return whether what this key signs now is believed."""
        key = self.find(kid)
        return key is not None and key.stands_at(now)

    def check_not_revoked(self, public: PublicKey) -> None:
        """Let pass a key that was not revoked here; that it was, no fingerprint makes good.

        Raises:
            AccessDenied: HL4021, it was.
        """
        known = self.find(public.kid) or _read(public, self.forgotten.get(public.kid, {}))
        if known.revoked_at is not None:
            since = f"{known.revoked_at.astimezone(CHINA):%Y-%m-%d %H:%M}"
            raise AccessDenied("HL4021", kid=public.kid, since=since)

    def check_county(self, county: str, *, home: Path) -> None:
        """Let pass what is said for the county these keys belong to; before one has said, for any.

        Raises:
            ConfigurationError: HL6016, it is said for another.
        """
        if self.county not in (None, county):
            raise ConfigurationError("HL6016", home=home, county=self.county, other=county)

    def verify(self, message: Message, *, receiver: str, now: dt.datetime, received: dt.datetime | None = None) -> None:
        """Let pass a message to `receiver` that one of these keys has sealed while it counted.

        Args:
            message: as it was read.
            receiver: the member it must be for.
            now: the present moment.
            received: when it came here, if not now.

        Raises:
            MessageRefused: HL1004, it is not the owner's, or not for this member; HL1002, its key is not trusted here;
                HL1003, the key did not count then; HL1026, the key was revoked before it came; HL1015, it was sealed
                in the future; HL1001, the signature does not hold.
        """
        if message.source != self.owner or message.subject != receiver:
            raise MessageRefused("HL1004", member=message.source, type=message.type)
        key = self.find(message.kid)
        if key is None:
            raise MessageRefused("HL1002", kid=message.kid)
        key.check(message.time, received=received or now)
        if message.time > now + CLOCK_SKEW:
            raise MessageRefused("HL1015", time=message.time.isoformat())
        envelope.verify(message, key.public)

    def trusting(self, key: TrustedKey) -> TrustedKeys:
        """Return these with one more; of one that is known what was known stays, and what is new is added.

        Raises:
            AccessDenied: HL4019, it may not be a key.
        """
        known = self.find(key.public.check().kid) or _read(key.public, self.forgotten.get(key.kid, {}))
        merged = replace(
            known,
            # Whoever laid it there said nothing of its time.
            valid_from=known.valid_from or key.valid_from,
            valid_until=known.valid_until if known.valid_from else key.valid_until or known.valid_until,
            by=known.by if self.find(key.kid) else key.by,
        )
        return _with(self, merged)

    def told(self, stated: Sequence[TrustedKey], *, county: str, time: dt.datetime, now: dt.datetime) -> TrustedKeys:
        """Return these after a list of all keys of the owner, which is believed.

        What was revoked stays so, and from the same moment. A key that is not in the list was not told of by the
        county: where whoever told of it is revoked, it is taken to be theirs who had that key, and counts no more.
        An older list, come again, adds nothing but revocations.

        Raises:
            AccessDenied: HL4019, HL4020: a key, or its time, cannot be; nothing is taken.
        """
        result = replace(self, county=county)
        newer = self.stated_at is None or time >= self.stated_at
        for key in stated:
            known = result.find(key.kid)
            if known is None:
                known = result.trusting(key).find(key.kid) or key
            if newer:
                known = replace(known, valid_from=key.valid_from, valid_until=key.valid_until)
            result = _with(result, _revoked(known, key.revoked_since, now))
        if newer:
            result = _without_followers(replace(result, stated_at=time), {key.kid for key in stated}, now)
        return result

    def revoking(self, kid: str, *, since: dt.datetime, now: dt.datetime) -> TrustedKeys:
        """Return these without believing one of them any more; a revoked one stays as it is."""
        return replace(self, keys=tuple(_revoked(key, since, now) if key.kid == kid else key for key in self.keys))


def _with(trusted: TrustedKeys, key: TrustedKey) -> TrustedKeys:
    keys = {known.kid: known for known in trusted.keys} | {key.kid: key}
    forgotten = {kid: entry for kid, entry in trusted.forgotten.items() if kid != key.kid}
    return replace(trusted, keys=tuple(keys.values()), forgotten=forgotten)


def _without_followers(trusted: TrustedKeys, stated: set[str], now: dt.datetime) -> TrustedKeys:
    """Revoke the keys that are not stated and were told of under a revoked one, and those told of under them."""
    while True:
        revoked = {key.kid for key in trusted.keys if key.revoked_at is not None and key.revoked_at <= now}
        followers = [key.kid for key in trusted.keys if key.by in revoked and key.kid not in stated | revoked]
        if not followers:
            return trusted
        for kid in followers:
            trusted = trusted.revoking(kid, since=now, now=now)


def _revoked(key: TrustedKey, since: dt.datetime | None, now: dt.datetime) -> TrustedKey:
    if since is None:
        return key
    if since > now + BEGINS_AHEAD:
        what = "吊销时间太远 (it is to be revoked too far ahead)"
        raise AccessDenied("HL4020", name=key.kid, what=what)
    takes_effect = max(since, now) if since > now + CLOCK_SKEW else now
    earliest = takes_effect if key.revoked_at is None else min(key.revoked_at, takes_effect)
    return replace(key, revoked_at=earliest, revoked_since=min(since, key.revoked_since or since))


def load(folder: Path, owner: str) -> TrustedKeys:
    """Return what a folder says of the keys of `owner`.

    Raises:
        ConfigurationError: HL6017, what is known of them is damaged: then none is believed.
        UsageError: HL7001, a file holds no key.
        AccessDenied: HL4019, what it holds may not be one.
    """
    file = folder / f"{owner}.json"
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        text = '{"county": null, "stated_at": null, "keys": {}}'
    except UnicodeDecodeError:
        text = ""
    laid = [
        (path, PublicKey.from_pem(path.read_text("ascii", "replace"))) for path in sorted(folder.glob(f"{owner}-*.pem"))
    ]
    try:
        return _parsed(owner, json.loads(text), laid)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ConfigurationError("HL6017", file=file) from None


def _parsed(owner: str, kept: Mapping[str, Any], laid: Sequence[tuple[Path, PublicKey]]) -> TrustedKeys:
    county, entries = kept["county"], dict(kept["keys"])
    if not (county is None or isinstance(county, str)):
        raise TypeError(county)
    for entry in entries.values():
        _read(_NOBODY, entry)
    keys = []
    for path, public in laid:
        key = _read(public, entries.pop(public.kid, {}))
        laid_at = _BEGINNING + dt.timedelta(microseconds=path.stat().st_mtime_ns // 1000)
        keys.append(replace(key, valid_until=key.valid_until or laid_at + KEY_LIFETIME))
    return TrustedKeys(owner, tuple(keys), county, _moment(kept["stated_at"]), entries)


def change(folder: Path, owner: str, how: Callable[[TrustedKeys], TrustedKeys]) -> TrustedKeys:
    """Have what is trusted become what `how` makes of it, durably, and return it; two at once wait for each other."""
    make_folder(folder, PUBLIC_FOLDER)
    with _held(folder):
        before = load(folder, owner)
        after = how(before)
        if after == before:
            return after
        entries = dict(after.forgotten) | {key.kid: _written(key) for key in after.keys}
        stated_at = after.stated_at and after.stated_at.isoformat()
        kept = {"county": after.county, "stated_at": stated_at, "keys": entries}
        # First: a key whose file is there must not be without what is known of it.
        write_atomically(folder / f"{owner}.json", json.dumps(kept, indent=2).encode(), PUBLIC)
        known = {key.kid for key in before.keys}
        for key in after.keys:
            if key.kid not in known:
                write_atomically(folder / f"{owner}-{key.kid[:12]}.pem", key.public.pem().encode("ascii"), PUBLIC)
        return load(folder, owner)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read(public: PublicKey, entry: Mapping[str, Any]) -> TrustedKey:
    moments = {attribute: _moment(entry.get(name)) for name, attribute in _MOMENTS.items()}
    by = entry.get("by")
    if not (by is None or isinstance(by, str)):
        raise TypeError(by)
    return TrustedKey(public, **moments, by=by)


def _written(key: TrustedKey) -> dict[str, str | None]:
    moments = {name: getattr(key, attribute) for name, attribute in _MOMENTS.items()}
    return {name: moment and moment.isoformat() for name, moment in moments.items()} | {"by": key.by}


def _moment(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


_NOBODY: Final = PublicKey(b"")
