"""What an institution's machine keeps of its county's approval: whom it belongs to and where that is reached.

It lies in `memberships/<code>.json` of the data directory, holds no secret, and spares `huilian push`
the options `--to` and `--county`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from huilian import file_ownership
from huilian.errors import AccessDenied, ConfigurationError
from huilian.members import PLATFORM
from huilian.private_files import make_folder, write_atomically
from huilian.system_errors import why

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.home import Home
    from huilian.membership.approval import Approval

__all__ = ["Membership", "believed", "membership_of", "take_in"]


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


def believed(home: Home, approval: Approval) -> bool:
    """Return whether an approval is signed by a platform key that this machine trusts already."""
    return approval.platform[0] in home.trusted_keys(PLATFORM)


def take_in(home: Home, approval: Approval) -> Membership:
    """Trust the keys of an approval that is believed, sign with the key it names, and keep the addresses.

    Addresses the approval does not state stay as they were. What a later approval of the same key has said stays, too.

    Raises:
        AccessDenied: HL4014, the key it approves is not here, or no longer the newest.
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
    for key in approval.platform:
        home.trust(PLATFORM, key)
    if known and known.kid == approval.kid and known.approved_at and known.approved_at > approval.time:
        membership = known
    else:
        membership = _keep(home, approval, known)
    if is_prepared:
        # Last: until everything else is in place, the old key signs.
        home.keys.use_prepared(member)
    return membership


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
    file_ownership.hold(file, home.folder)
    try:
        kept = json.loads(file.read_text("utf-8"))
        moments = {name: _moment(kept.pop(name)) for name in ("until", "approved_at") if kept.get(name) is not None}
        return Membership(**kept | moments)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigurationError("HL6006", file=file, what=why(error)) from None
    except (ValueError, TypeError, AttributeError):
        what = "内容有误，请重新采用批准文件 (damaged, take the approval in again): huilian member welcome FILE"
        raise ConfigurationError("HL6006", file=file, what=what) from None


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _file(home: Home, member: str) -> Path:
    return home.folder / "memberships" / f"{member}.json"
