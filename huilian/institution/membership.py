"""What an institution's machine knows of its membership: its county, where that is reached, and its own keys.

The county's approval is kept in `memberships/<code>.json` of the data directory. It holds no secret, and spares
`huilian push` the options `--to` and `--county`.

The approval says until when the key in use counts. A new key that was announced waits in `next.pem` for its approval.
Once the county has taken the announcement, the key in use ends with the overlap, and nobody here is told when the
overlap began. So a key that waits is always said, not only in the last days.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from huilian.core import files
from huilian.core.clock import CHINA
from huilian.core.errors import AccessDenied, ConfigurationError, HuilianError, MessageRefused, UsageError
from huilian.core.files import explain, make_folder, write_atomically
from huilian.wire import signed_documents
from huilian.wire.joining import PlatformKeys, read_key_list
from huilian.wire.keys import CLOCK_SKEW, check_period
from huilian.wire.names import PLATFORM
from huilian.wire.trusted_keys import TrustedKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from huilian.settings import Home
    from huilian.wire.envelope import Message
    from huilian.wire.joining import Approval
    from huilian.wire.trusted_keys import TrustedKeys

__all__ = [
    "WARNING_DAYS",
    "Membership",
    "OwnKeys",
    "PreparedKey",
    "believed",
    "check_county",
    "membership_of",
    "own_keys",
    "take_in",
    "take_key_list",
    "trust_after_list",
    "trust_after_message",
]


Found = TypeVar("Found")

WARNING_DAYS: Final = 30
"""Days before the end of the key in use from which somebody is told."""
_KID_SHOWN: Final = 12


@dataclass(frozen=True)
class Membership:
    """A member and its county.

    Args:
        member: the member's code.
        county: six digits.
        https: the county's HTTP interface, or None.
        amqps: its broker, without user and password, or None.
        broker_user: the user name there.
        kid: the key the approval was for; None in files of before it was kept.
        until: until when that key counts; the same.
        approved_at: when that approval was signed; the same.
    """

    member: str
    county: str
    https: str | None
    amqps: str | None
    broker_user: str
    kid: str | None = None
    until: dt.datetime | None = None
    approved_at: dt.datetime | None = None

    def __post_init__(self) -> None:
        """Hold what was read from a file to what it may be.

        Raises:
            TypeError: a text is none.
        """
        texts = (self.member, self.county, self.broker_user)
        if not all(isinstance(text, str) for text in texts):
            raise TypeError
        if not all(text is None or isinstance(text, str) for text in (self.https, self.amqps, self.kid)):
            raise TypeError


def believed(home: Home, approval: Approval, *, now: dt.datetime) -> bool:
    """Return whether an approval is signed by a platform key that counts on this machine; else its fingerprint decides.

    Raises:
        AccessDenied: HL4021, that key was revoked here, which no fingerprint makes good.
    """
    trusted, signer = home.trusted(PLATFORM), approval.platform[0]
    trusted.check_not_revoked(signer.public)
    return trusted.stands(signer.kid, now)


def check_county(home: Home, trusted: TrustedKeys, county: str) -> None:
    """Let pass what is said for the county that this machine belongs to; before it has joined one, for any.

    Raises:
        ConfigurationError: HL6016, it is said for another.
    """
    joined = {kept.county for kept in _memberships(home)}
    if home.is_office:
        joined.add(home.settings().county)
    trusted.check_county(county, home=home.folder)
    if other := sorted(joined - {county}):
        raise ConfigurationError("HL6016", home=home.folder, county=other[0], other=county)


def take_in(home: Home, approval: Approval, *, now: dt.datetime) -> Membership:
    """Trust the keys of an approval that is believed, sign with the key it names, and keep the addresses.

    Addresses the approval does not state stay as they were. What a later approval of the same key has said stays, too.

    Raises:
        AccessDenied: HL4014, the key it approves is not here, or no longer the newest; HL4020, a key in it would
            count from too far ahead or for too long; HL4021, the key that signed it was revoked here.
        ConfigurationError: HL6016, this machine has joined another county.
    """
    member = approval.member
    prepared = home.keys.prepared(member)
    is_prepared = prepared is not None and prepared.kid == approval.kid
    if not is_prepared and not (home.keys.holds(member) and home.keys.current(member).kid == approval.kid):
        expected = home.keys.current(member).kid if home.keys.holds(member) else "—"
        raise AccessDenied(
            "HL4014", file=approval.document.name, found=f"{member} {approval.kid}", expected=f"{member} {expected}"
        )
    try:
        known = membership_of(home, member)
    except ConfigurationError:
        known = None  # damaged: this is what puts it right
    home.change_trusted(PLATFORM, lambda trusted: _trusting(trusted, home, approval, now))
    if known and known.kid == approval.kid and known.approved_at and known.approved_at > approval.time:
        membership = known
    else:
        membership = _keep(home, approval, known)
    if is_prepared:
        # Last: until everything else is in place, the old key signs.
        home.keys.use_prepared(member)
    return membership


def _trusting(trusted: TrustedKeys, home: Home, approval: Approval, now: dt.datetime) -> TrustedKeys:
    check_county(home, trusted, approval.county)
    name, signer = approval.document.name, approval.platform[0]
    trusted.check_not_revoked(signer.public)
    check_period(approval.time, approval.until, now=now, name=name)
    by = signer.kid if trusted.stands(signer.kid, now) else None
    for key in approval.platform:
        # Where it does not say from when a key counts, that was at the latest when it was signed.
        check_period(key.valid_from or approval.time, key.valid_until or approval.time, now=now, name=name)
        trusted = trusted.trusting(dataclasses.replace(key, by=by))
    return dataclasses.replace(trusted, county=approval.county)


def _keep(home: Home, approval: Approval, known: Membership | None) -> Membership:
    member = approval.member
    membership = Membership(
        member=member,
        county=approval.county,
        https=approval.addresses.https or (known.https if known else None),
        amqps=approval.addresses.amqps or (known.amqps if known else None),
        broker_user=approval.broker_user,
        kid=approval.kid,
        until=approval.until,
        approved_at=approval.time,
    )
    file = _file(home, member)
    make_folder(file.parent)
    moments = {"until": approval.until.isoformat(), "approved_at": approval.time.isoformat()}
    kept = dataclasses.asdict(membership) | moments
    write_atomically(file, json.dumps(kept, indent=2).encode())
    return membership


def membership_of(home: Home, member: str) -> Membership | None:
    """Return what this machine keeps of a member's county, if it joined from here.

    Raises:
        ConfigurationError: HL6006, the file is damaged; HL6020 to HL6022, others may write to it.
    """
    file = _file(home, member)
    files.refuse_if_others_write(file, home.folder)
    try:
        kept = json.loads(file.read_text("utf-8"))
        moments = {name: _moment(kept.pop(name)) for name in ("until", "approved_at") if kept.get(name) is not None}
        return Membership(**kept | moments)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigurationError("HL6006", file=file, what=explain(error)) from None
    except (ValueError, TypeError, AttributeError):
        what = "内容有误，请重新采用批准文件 (damaged, take the approval in again): huilian member welcome FILE"
        raise ConfigurationError("HL6006", file=file, what=what) from None


def _memberships(home: Home) -> Iterator[Membership]:
    """Yield what is kept of the members of this machine; what is damaged says nothing: an approval puts it right."""
    for file in sorted((home.folder / "memberships").glob("*.json")):
        with contextlib.suppress(ConfigurationError):
            kept = membership_of(home, file.stem)
            if kept is not None:
                yield kept


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _file(home: Home, member: str) -> Path:
    return home.folder / "memberships" / f"{member}.json"


@dataclass(frozen=True)
class PreparedKey:
    """A key that was announced and whose approval was not taken in: its `kid`, and when it was made."""

    kid: str
    prepared_at: dt.datetime


@dataclass(frozen=True)
class OwnKeys:
    """The keys of a member on its own machine.

    Args:
        member: the member's code.
        kid: the key it signs with; None when there is none that can be read.
        until: until when the county's approval says that it counts; None when no approval of it was taken in.
        prepared: the key that waits for its approval, if there is one.
        unreadable: why what is kept of the keys or of the approval cannot be read, if it cannot.
    """

    member: str
    kid: str | None
    until: dt.datetime | None
    prepared: PreparedKey | None
    unreadable: str | None = None

    def warning(self, now: dt.datetime) -> str | None:
        """Return what there is to be done, in Chinese and English, in one line; None when nothing is."""
        return "；".join(filter(None, (self.unreadable, self._to_be_done(now)))) or None

    def _to_be_done(self, now: dt.datetime) -> str | None:
        ends = self._ends(now)
        if self.prepared is None:
            return f"{ends}；{self._remedy(now)}" if ends else None
        waits = (
            f"新密钥 {self.prepared.kid[:_KID_SHOWN]} 已于 {_day(self.prepared.prepared_at)} 备好，尚未采用批准文件；"
            "县里登记新密钥后，旧密钥过了重叠期即失效"
            " (a new key waits for its approval; the old one ends with the overlap)。"
            "收到批准文件后 (with the approval): huilian member welcome FILE；"
            f"没有收到的，请县里重发 (if it was lost, at the county): huilian member approval {self.member} --out FILE"
        )
        return f"{ends}；{waits}" if ends else waits

    def _remedy(self, now: dt.datetime) -> str:
        if self.until is not None and now < self.until:
            return f"请轮换 (rotate it): huilian member rotate {self.member}"
        # What would announce another key counts no more.
        return (
            "换钥通知已无效，请另生成密钥，按加入时的办法经电话核实登记"
            " (a key can be announced no more: make another and have it entered as when joining): "
            f"huilian member request {self.member} --new-key …"
        )

    def _ends(self, now: dt.datetime) -> str | None:
        if self.kid is None or self.until is None or self.until - now >= dt.timedelta(days=WARNING_DAYS):
            return None
        when = (
            f"将于 {_day(self.until)} 到期 (ends soon)" if now < self.until else f"已于 {_day(self.until)} 失效 (ended)"
        )
        return f"签名密钥 {self.kid[:_KID_SHOWN]} {when}"


def own_keys(home: Home, member: str) -> OwnKeys:
    """Return what a data directory says of a member's keys; what cannot be read is as if not there, and is told."""
    unreadable: list[str] = []
    kept = _read(lambda: membership_of(home, member), unreadable)
    kid = _read(lambda: home.keys.current(member).kid if home.keys.holds(member) else None, unreadable)
    prepared = _read(lambda: _prepared(home, member), unreadable)
    until = kept.until if kept is not None and kid is not None and kept.kid == kid else None
    return OwnKeys(member, kid, until, prepared, "；".join(unreadable) or None)


def _read(look: Callable[[], Found | None], unreadable: list[str]) -> Found | None:
    try:
        return look()
    except AccessDenied:
        return None
    except HuilianError as error:
        unreadable.append(f"{error.code} {error.chinese}")
    except OSError as error:
        unreadable.append(f"{error.filename} 无法读取 (cannot be read): {explain(error)}")
    return None


def _prepared(home: Home, member: str) -> PreparedKey | None:
    try:
        key, made_at = home.keys.prepared(member), home.keys.prepared_at(member)
    except FileNotFoundError:  # it was taken into use at this moment
        return None
    except UsageError:
        what = (
            "next.pem 已损坏：请删除它，再轮换一次；已采用换钥通知的县里须吊销那把密钥"
            " (damaged: remove it and rotate again; a key the county has entered from it must be revoked there)"
        )
        raise UsageError("HL7001", what=what) from None
    return PreparedKey(key.kid, made_at) if key is not None and made_at is not None else None


def _day(moment: dt.datetime) -> dt.date:
    return moment.astimezone(CHINA).date()


def trust_after_list(
    trusted: TrustedKeys,
    home: Home,
    stated: PlatformKeys,
    *,
    now: dt.datetime,
    confirmed: str | None = None,
    sealed_by: str | None = None,
) -> TrustedKeys:
    """Return what is trusted once a list is taken in.

    Args:
        trusted: what is trusted before.
        home: the data directory.
        stated: the list.
        now: the present moment.
        confirmed: the `kid` of the signer whose fingerprint somebody here has confirmed.
        sealed_by: the `kid` of the key that has sealed the message with the list, and that counts.

    Raises:
        AccessDenied: HL4021, who signed it was revoked here; HL4023, no key that counts here has signed it; HL4019,
            HL4020, a key or a time in it cannot be.
        ConfigurationError: HL6016, it is another county's.
    """
    check_county(home, trusted, stated.county)
    if stated.time > now + CLOCK_SKEW:
        raise AccessDenied(
            "HL4010", file=stated.document.name, time=signed_documents.shown(stated.time), days=signed_documents.DAYS
        )
    for key in stated.keys:
        if key.valid_from is not None and key.valid_until is not None:
            check_period(key.valid_from, key.valid_until, now=now, name=stated.document.name)
    dropped = {key.kid for key in stated.keys if key.revoked_since is not None and key.revoked_since <= now}
    signers = [key for key in stated.signers if key.kid not in dropped]
    behind = [key.kid for key in signers]
    if sealed_by is not None and sealed_by not in dropped:
        behind.append(sealed_by)
    by = next((kid for kid in behind if trusted.stands(kid, now)), None)
    if by is None:
        signer = next((key for key in signers if key.kid == confirmed), None)
        if signer is None:
            kids = " ".join(key.kid for key in stated.signers)
            raise AccessDenied("HL4023", file=stated.document.name, kids=kids)
        trusted.check_not_revoked(signer)
    told = [TrustedKey(key.public, key.valid_from, key.valid_until, None, key.revoked_since, by) for key in stated.keys]
    return trusted.told(told, county=stated.county, time=stated.time, now=now)


def trust_after_message(
    trusted: TrustedKeys, home: Home, message: Message, *, now: dt.datetime, sealed_by: str | None
) -> TrustedKeys:
    """Return what is trusted once the list in a message is taken in; see `after`.

    Raises:
        MessageRefused: HL1027, it is not taken.
    """
    try:
        text = message.body().decode("utf-8", "replace")
        return trust_after_list(trusted, home, read_key_list(text, name=message.type), now=now, sealed_by=sealed_by)
    except MessageRefused:
        raise
    except HuilianError as error:
        raise MessageRefused("HL1027", what=f"{error.code} {error.chinese} ({error.english})") from error


def take_key_list(home: Home, stated: PlatformKeys, *, now: dt.datetime, confirmed: str | None = None) -> TrustedKeys:
    """Take a list in and return what is trusted from now on; see `after`."""
    return home.change_trusted(
        PLATFORM, lambda trusted: trust_after_list(trusted, home, stated, now=now, confirmed=confirmed)
    )
