"""The demonstration's institutions, and what they receive: carried by hand to a machine of each, and written there.

Each institution has a data directory of its own, as `huilian edge init` makes it. What is
addressed to it comes as an offline bundle, and lies in its outbox in its own format.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import tomlkit

from huilian import adapters, bundle, carrying, issuing, members
from huilian.cli import keypairs, screen
from huilian.home import Home
from huilian.institution import bundles
from huilian.institution.edge import open_edge
from huilian.institution.edge.settings import EdgeSettings, save
from huilian.members import PLATFORM
from huilian.private_files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rich.table import Table

    from huilian.office import Office

__all__ = ["DecidedFile", "Received", "enter", "folder", "issue", "receive", "table"]

BUNDLE: Final = "下发.hlb"


class DecidedFile(Protocol):
    """What a sample says of a file of records that the county sends out."""

    path: Path
    type: str
    member: str
    adapter: str


@dataclass(frozen=True)
class Received:
    """What an institution got of one kind.

    Args:
        member: the institution.
        chinese: the kind.
        messages: how many.
        file: the name of the newest file written of them.
    """

    member: str
    chinese: str
    messages: int
    file: str


def folder(home: Home, member: str) -> Path:
    """Return the data directory of an institution of the demonstration."""
    return home.folder / "members" / member


def enter(office: Office, code: str, adapter: str, *, actor: str) -> None:
    """Enter an institution as `huilian member add` does, its key made and kept here."""
    found = adapters.find(adapter, office.home.adapters)
    [kind, *_] = sorted(found.institution_kinds)
    member = members.Member(code, kind, f"示例{found.chinese}", adapter, office.settings.county, suspended=False)
    with office.database.transaction() as transaction:
        now = office.clock.now()
        members.add(transaction, member, now=now, actor=actor)
        with keypairs.made(office.home, code) as key:
            members.add_key(transaction, code, key.public, now=now, actor=actor)


def issue(office: Office, file: DecidedFile, *, actor: str) -> None:
    """Issue a file as `huilian issue` does."""
    issuing.issue(office, file.path, file.type, file.member, actor=actor)


def receive(office: Office, member: str, adapter: str, *, actor: str) -> list[Received]:
    """Carry what is addressed to an institution to its own data directory, and have it written out there."""
    home = _edge(office, member, adapter)
    carried = home.folder / BUNDLE
    carrying.write_for(office, member, carried, everything=False, actor=actor)
    with bundle.opened(carried) as opened:
        bundles.read(home, member, opened)
        sent = [(message.dataschema, f"message {message.id}") for _, message in opened.messages()]
    with open_edge(home, offline=True, clock=office.clock) as edge:
        edge.write_out()
        placed = {key: edge.journal.outbox.find(key) for _, key in sent}
    counts = Counter(dataschema for dataschema, _ in sent)
    newest = {dataschema: found[0] for dataschema, key in sent if (found := placed[key]) is not None}
    catalogue = office.context.catalogue
    return [
        Received(member, catalogue.named(dataschema).chinese, count, newest.get(dataschema, ""))
        for dataschema, count in counts.items()
    ]


def _edge(office: Office, member: str, adapter: str) -> Home:
    """Set a data directory up as an institution would; its key, made at the county, goes with it."""
    home = Home(folder(office.home, member), environment={})
    save(home, EdgeSettings(member, adapter, office.settings.county))
    shutil.copytree(office.home.folder / "keys" / member, home.folder / "keys" / member)
    home.trust(PLATFORM, office.home.keys.current(PLATFORM).public)
    told = {name: values for name, values in office.settings.adapters.items() if name == adapter}
    write_atomically(home.file, tomlkit.dumps({"adapters": told} if told else {}).encode())
    return home


def table(received: Iterable[Received]) -> Table:
    """Return what the institutions got, for people."""
    rows = [[each.member, each.chinese, each.messages, each.file] for each in received]
    return screen.table(
        ["机构", "种类", ">报文", "最新一份，机构自己的格式 (newest file)"], rows, title="下发 (sent out)"
    )
