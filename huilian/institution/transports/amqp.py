"""Through RabbitMQ: messages to the exchange, receipts from the member's own queue.

Receipts are signed; one whose signature does not hold is never believed. Those of other
submissions are kept on disk before they are acknowledged, for whoever asks next; so is
whatever else the queue holds for the member, sealed, for `huilian edge` to write out.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

import structlog

from huilian.broker import Broker, member_queue
from huilian.clock import SystemClock
from huilian.errors import HostUnavailable, MessageRefused
from huilian.institution import doubts
from huilian.institution.belief import believed
from huilian.institution.transports import left, refusals
from huilian.membership.platform_keys import TYPE as KEYS
from huilian.private_files import make_folder, write_atomically

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from huilian.clock import Clock
    from huilian.envelope import Message
    from huilian.home import Home

__all__ = ["AmqpTransport"]

PAUSE_SECONDS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25)
"""Waits between looks for a receipt; the last is repeated."""
PATIENCE_SECONDS: Final = 20.0
"""How long a send waits for a broker that went away."""

_log = structlog.get_logger(__name__)


class AmqpTransport:
    """A member's way to the county over RabbitMQ.

    Args:
        url: `amqps://user:password@host:port/vhost`.
        member: the member whose receipts are fetched.
        home: where they are kept, and whose trusted keys verify them.
        ca_file: certificates to trust besides the system's.
        clock: the moment at which receipts come.
    """

    asks_the_county = False

    def __init__(
        self, url: str, member: str, home: Home, *, ca_file: Path | None = None, clock: Clock | None = None
    ) -> None:
        self._broker = Broker(url, ca_file=ca_file)
        self._member = member
        self._home = home
        self._clock = clock or SystemClock()
        self._answers = home.spool / "receipts"
        self._refusals = refusals.folder(home)

    def send(self, message: Message) -> None:
        """Hand one message over; see `Transport`. A broker that is away is waited for a little while."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self._broker.publish(message)
            except HostUnavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
            else:
                return

    def receipt(self, submission: str, *, seconds: float) -> dict[str, Any] | None:
        """Return the receipt, waiting for it; see `Transport`.

        Raises:
            HostUnavailable: HL5014, too much came that cannot be believed: nothing more is taken from the queue.
        """
        deadline = time.monotonic() + seconds
        self._reconsider(submission)
        looks = 0
        while True:
            kept = self._kept(submission)
            refusal = None if kept else refusals.take(self._refusals, submission)
            if refusal:
                raise refusal
            if kept is not None or seconds == 0:
                return kept
            left.check_room(self._home.spool)
            try:
                fetched = self._fetch(submission)
            except HostUnavailable:
                fetched = False  # away, or no queue yet: the receipt is not lost, look again
            if not fetched:
                if time.monotonic() > deadline:
                    return None
                time.sleep(PAUSE_SECONDS[min(looks, len(PAUSE_SECONDS) - 1)])
                looks += 1

    def superseded_by(self, submission: str) -> str | None:
        """Return None: a queue cannot be asked; what else was stated is known from the spool alone."""
        del submission
        return None

    def close(self) -> None:
        """Close the connection."""
        self._broker.close()

    def _kept(self, submission: str) -> dict[str, Any] | None:
        path = self._answers / f"{submission}.json"
        return dict(json.loads(path.read_text("utf-8"))) if path.exists() else None

    def _fetch(self, awaited: str) -> bool:
        """Bring one message from the queue to the disk; return whether there was one."""
        found = self._broker.get(member_queue(self._member))
        if found is None:
            return False
        tag, seal, payload = found
        try:
            message = believed(self._home, self._member, seal, payload, now=self._clock.now())
        except MessageRefused as refusal:
            _log.warning("message_not_believed", code=refusal.code)
            if refusal.code in doubts.NEVER:
                self._keep_sample(refusal.code, seal, payload)
            else:
                # Not ours to believe now, and nothing to wait for: whoever looks next may trust its key.
                left.doubt(self._home.spool, seal, payload, came=self._clock.now())
        else:
            self._take(message, awaited, self._clock.now())
        self._broker.ack(tag)
        return True

    def _take(self, message: Message, awaited: str, came: dt.datetime) -> None:
        """Keep a verified message: a receipt for the push that waits for it, what else is in it for an edge."""
        try:
            refusals.keep(self._refusals, message)
            receipt = message.json() if message.type == "receipt" else None
        except MessageRefused as refusal:
            _log.error("answer_not_written", code=refusal.code)
            receipt = None
        # A list of keys counts already, and is nothing to be written out.
        if message.type != KEYS and (receipt is None or receipt["submission"] != awaited):
            left.keep(self._home.spool, message.seal, message.payload, came=came)
        if receipt is not None:
            make_folder(self._home.spool)
            make_folder(self._answers)
            write_atomically(
                self._answers / f"{receipt['submission']}.json", json.dumps(receipt, ensure_ascii=False).encode()
            )

    def _reconsider(self, awaited: str) -> None:
        """Look again at what could not be believed: its key may be trusted by now."""
        for kept in left.doubted(self._home.spool):
            found = kept.read()
            if found is None:
                continue
            came = min(kept.came, self._clock.now())
            try:
                message = believed(self._home, self._member, *found, now=self._clock.now(), received=came)
            except MessageRefused as refusal:
                if refusal.code in doubts.NEVER:
                    self._keep_sample(refusal.code, *found)
                    kept.remove()
                continue
            self._take(message, awaited, came)
            kept.remove()

    def _keep_sample(self, code: str, seal: str, payload: bytes) -> None:
        """Keep the beginning of what never can be believed, and of such samples the newest."""
        folder = self._answers / "refused"
        for each in (self._home.spool, self._answers, folder):
            make_folder(each)
        sample = seal[: doubts.SAMPLE_BYTES].encode() + b"\n" + payload[: doubts.SAMPLE_BYTES]
        write_atomically(folder / f"{code}-{time.time_ns()}", sample)
        for old in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)[: -doubts.SAMPLES]:
            old.unlink(missing_ok=True)
