"""How much of this office's space a member may take up: by day, and with what waits as dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian.clock import CHINA
from huilian.errors import MessageRefused
from huilian.members import is_ours

if TYPE_CHECKING:
    import datetime as dt

    from huilian.database import Transaction
    from huilian.envelope import Message
    from huilian.home import Settings

__all__ = ["Quotas"]

MIB: Final = 1024 * 1024


@dataclass(frozen=True)
class Quotas:
    """What each member may take up.

    Args:
        daily_bytes: what it may hand in on a day of China's, taken or refused; the same message again is free.
        dead_letters: how many of its messages may wait as dead letters.
        dead_letter_bytes: what these may have together.
    """

    daily_bytes: int = 2048 * MIB
    dead_letters: int = 10_000
    dead_letter_bytes: int = 1024 * MIB

    @staticmethod
    def of(settings: Settings) -> Quotas:
        """Return what an office's settings say."""
        return Quotas(settings.daily_mib * MIB, settings.dead_letters, settings.dead_letter_mib * MIB)

    def check_day(self, transaction: Transaction, message: Message, *, now: dt.datetime) -> None:
        """Let a new message of a member pass while its day has room.

        Raises:
            MessageRefused: HL1022, it has not.
        """
        if not is_ours(message.source) and not self._day_has_room(transaction, message.source, _size(message), now):
            raise MessageRefused("HL1022", member=message.source, mib=self.daily_bytes // MIB)

    def note(self, transaction: Transaction, message: Message, *, now: dt.datetime) -> None:
        """Add a new message to its sender's day; call it last, since others of the same sender wait for the commit."""
        if not is_ours(message.source):
            transaction.execute(
                "INSERT INTO huilian.member_day (member, day, bytes) VALUES (%s, %s, %s)"
                " ON CONFLICT (member, day) DO UPDATE SET bytes = huilian.member_day.bytes + excluded.bytes",
                [message.source, now.astimezone(CHINA).date(), _size(message)],
            )

    def has_room_for_dead_letter(self, transaction: Transaction, message: Message, *, now: dt.datetime) -> bool:
        """Return whether one more of a sender's messages may be kept as a dead letter; the platform's always may."""
        if is_ours(message.source):
            return True
        row = transaction.row(
            "SELECT count(*) AS letters, coalesce(sum(length(seal) + length(payload)), 0) AS bytes"
            " FROM huilian.dead_letter WHERE source = %s AND retried_at IS NULL AND dismissed_at IS NULL",
            [message.source],
        )
        assert row is not None  # noqa: S101  # narrows the type: an aggregate gives a row
        size = _size(message)
        return (
            row["letters"] < self.dead_letters
            and int(row["bytes"]) + size <= self.dead_letter_bytes
            and self._day_has_room(transaction, message.source, size, now)
        )

    def _day_has_room(self, transaction: Transaction, member: str, size: int, now: dt.datetime) -> bool:
        used = transaction.value(
            "SELECT bytes FROM huilian.member_day WHERE member = %s AND day = %s",
            [member, now.astimezone(CHINA).date()],
        )
        return int(used or 0) + size <= self.daily_bytes


def _size(message: Message) -> int:
    return len(message.seal) + len(message.payload)
