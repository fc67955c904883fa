"""The services' own keys: each service seals what it publishes with a key that it makes itself and that stays with it.

The private key lies in the key folder of the process that runs the service, in `keys/service.NAME`; its public key is
entered in the directory beside the members' keys. A service makes its key when it first handles a message, and another
one before that ends or once it was revoked: nobody has to look after these keys.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian.county.members import directory
from huilian.county.members.directory import Member
from huilian.wire.access import service_code

if TYPE_CHECKING:
    from huilian.core.clock import Clock
    from huilian.database.connection import Database, Transaction
    from huilian.wire.keys import KeyFolder, SigningKey

__all__ = ["KIND", "ServiceKeys", "Signer"]

KIND: Final = "service"
"""What a service is in the directory: no kind of member that takes part by itself."""
RENEWED_BEFORE: Final = dt.timedelta(days=60)
"""How long before the end of its key a service makes the next one."""
LOOK_EVERY: Final = dt.timedelta(minutes=1)
"""How often a running service looks whether its key still counts."""


@dataclass(frozen=True)
class Signer:
    """In whose name a message is sealed, and with which key."""

    source: str
    key: SigningKey


class ServiceKeys:
    """The keys with which the services of this process seal.

    Args:
        database: where their public keys are entered.
        keys: where their private keys are kept.
        clock: what time it is.
    """

    def __init__(self, database: Database, keys: KeyFolder, clock: Clock) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._known: dict[str, tuple[Signer, dt.datetime]] = {}

    def signer(self, service: str) -> Signer:
        """Return in whose name and with which key a service seals now; the key is made where it is missing.

        Raises:
            HostUnavailable: HL5001, the database is away.
        """
        now = self._clock.now()
        signer, until = self._known.get(service, (None, now))
        if signer is None or not until - LOOK_EVERY <= now < until:
            with self._database.transaction() as transaction:
                signer = Signer(service_code(service), self._enter(transaction, service_code(service), now))
            self._known[service] = signer, now + LOOK_EVERY
        return signer

    def _enter(self, transaction: Transaction, code: str, now: dt.datetime) -> SigningKey:
        """Return a key that counts and is entered. Processes of one service that look at once wait for each other."""
        transaction.lock(f"huilian.service_keys.{code}")
        if not transaction.value("SELECT true FROM huilian.member WHERE code = %s", [code]):
            member = Member(code, KIND, code, None, None, suspended=False)
            directory.add(transaction, member, now=now, actor=code)
        entered = {key.kid: key for key in directory.keys_of(transaction, code)}
        if self._keys.holds(code):
            key = self._keys.current(code)
            known = entered.get(key.kid)
            if known is not None and known.counts_at(now) and known.ends > now + RENEWED_BEFORE:
                return key
            if known is None:
                # The file comes first; the commit after it may never have come.
                directory.add_key(transaction, code, key.public, now=now, actor=code)
                return key
        key = self._keys.create(code)
        directory.add_key(transaction, code, key.public, now=now, actor=code)
        return key
