"""A county office with one bank, answering over HTTP: what the tests of the interface stand on."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.sample_county import ADAPTER_SETTINGS
from huilian.adapters import loading
from huilian.cli.queries import Reader
from huilian.county.members import tokens
from huilian.county.members.directory import Member
from huilian.hosts.embedded import EmbeddedHost
from huilian.http.server import HttpServer
from huilian.institution.push import push
from huilian.institution.transports.http import HttpTransport
from huilian.settings import Settings
from huilian.wire import catalogue
from tests.support.county import new_office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adapters import sample_county
    from huilian.county.office import Office

COUNTY = "341599"
TOWNSHIP = "341599101"
BANK = "RCB01"
OTHER_BANK = "RCB02"
PURPOSE = "核对"
"""What every token was given out for."""
HOUSEHOLDS = 60
"""Enough for every township to have loans, and few enough to be pushed in a moment."""


@dataclass(frozen=True)
class CountyOverHttp:
    """An open office, its host and its HTTP server, and the secrets of its tokens by label."""

    office: Office
    host: EmbeddedHost
    url: str
    secrets: dict[str, str]

    def reader(self, label: str = "county") -> Reader:
        """Return a reading client with the token of this label."""
        return Reader(self.url, self.secrets[label])

    def transport(self, label: str = BANK) -> HttpTransport:
        """Return the way in of a member, without patience."""
        return HttpTransport(self.url, self.secrets[label], patience=0)

    def headers(self, label: str = "county") -> dict[str, str]:
        """Return what a request with the token of this label carries."""
        return {"Authorization": f"Bearer {self.secrets[label]}"}

    def push(self, file: sample_county.SampleFile) -> dict[str, Any]:
        """Push a file over HTTP, wait until everything it causes has been carried, and return its receipt."""
        pushed = push(
            file.path,
            adapter=loading.find(file.adapter),
            member=file.member,
            home=self.office.home,
            settings=loading.settings_for(loading.find(file.adapter), COUNTY, ADAPTER_SETTINGS),
            catalogue=catalogue.installed(),
            clock=self.office.clock,
            transport=self.transport(file.member),
        )
        self.host.drain()
        return pushed.receipt

    def value(self, statement: str, *parameters: object) -> Any:  # noqa: ANN401  # whatever the column holds
        """Return one value from the database."""
        with self.office.database.transaction() as transaction:
            return transaction.value(statement, parameters)


@contextlib.contextmanager
def county_over_http(folder: Path, database_url: str) -> Iterator[CountyOverHttp]:
    """Set up a county with two banks and tokens of every scope, and serve it."""
    banks = [
        Member(code, "bank", "银行", "rural_commercial_bank", None, suspended=False) for code in (BANK, OTHER_BANK)
    ]
    with new_office(folder, Settings(COUNTY, "anhui", database_url=database_url), banks, connections=24) as office:
        scopes: dict[str, dict[str, str]] = {
            "county": {"region": COUNTY},
            "township": {"region": TOWNSHIP},
            COUNTY: {"member": COUNTY},
            BANK: {"member": BANK},
            OTHER_BANK: {"member": OTHER_BANK},
        }
        secrets = {label: _token(office, label, scope) for label, scope in scopes.items()}
        with EmbeddedHost(office) as host, HttpServer(office, "127.0.0.1:0") as server:
            yield CountyOverHttp(office, host, server.url, secrets)


def _token(office: Office, label: str, scope: dict[str, str]) -> str:
    with office.database.transaction() as transaction:
        return tokens.add(transaction, label, now=office.clock.now(), actor="test", purpose=PURPOSE, **scope)
