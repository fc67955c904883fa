"""What Huilian writes has the same modes on every machine, whatever the umask of whoever runs it."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from typing import TYPE_CHECKING

import pytest

from tests.support.county import BANK
from tests.support.county_over_http import county_over_http
from tests.support.edge import edge_home, run_edge
from tests.support.push import FILE, ledger, send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OFFICE = {
    "": "drwx------",
    "huilian.toml": "-rw-------",
    "keys": "drwx------",
    "keys/RCB01": "drwx------",
    "keys/RCB01/0001-KID.pem": "-rw-------",
    "spool": "drwx------",
    "spool/SUBMISSION": "drwx------",
    "spool/SUBMISSION/000000.payload": "-rw-------",
    "spool/SUBMISSION/000000.seal": "-rw-------",
    "spool/SUBMISSION/answer": "drwx------",
    "spool/SUBMISSION/answer/RCB01_RECEIPT.csv": "-rw-------",
    "spool/SUBMISSION/manifest.json": "-rw-------",
    "spool/SUBMISSION/receipt.json": "-rw-------",
    "spool/SUBMISSION/sent": "-rw-------",
    f"spool/SUBMISSION/退回_{FILE}": "-rw-------",
    "trusted": "drwxr-xr-x",
    "trusted/HUILIAN-KID.pem": "-rw-r--r--",
}
EDGE = {
    "": "drwxr-xr-x",
    "done": "drwxr-x---",
    "edge.lock": "-rw-------",
    "edge.sqlite": "-rw-------",
    "edge.toml": "-rw-------",
    "inbox": "drwxr-x---",
    "outbox": "drwxr-x---",
    "outbox/RCB01_RECEIPT.csv": "-rw-r-----",
    f"outbox/退回_{FILE}": "-rw-r-----",
    "refused": "drwxr-x---",
    f"refused/{FILE}_说明.txt": "-rw-r-----",
    "spool": "drwx------",
    "spool/SUBMISSION": "drwx------",
    "trusted": "drwx------",
    "trusted/HUILIAN-KID.pem": "-rw-r--r--",
    "underway": "drwx------",
    "unfinished": "drwx------",
}


@contextlib.contextmanager
def umask(mask: int) -> Iterator[None]:
    """Run a block under another umask."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def modes(home: Path) -> dict[str, str]:
    """Return the modes of all below a folder, by names without what differs from run to run."""
    found = {}
    for path in (home, *home.rglob("*")):
        name = path.relative_to(home).as_posix().removeprefix(".")
        name = re.sub(r"RCB01-loan_ledger-\d{8}-[0-9a-f]{16}", "SUBMISSION", name)
        name = re.sub(r"-[\w-]{12}\.pem", "-KID.pem", re.sub(r"RECEIPT_\w+", "RECEIPT", name))
        found[name] = stat.filemode(path.stat().st_mode)
    return found


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_offices_and_edges_write_with_modes_of_their_own(tmp_path: Path, fresh_database: str, mask: int):
    """Keys, settings and persons are their owner's alone; what an institution fetches its group may read."""
    refused = ledger(tmp_path, [1], trailer="合计,1,1.00,1.00", name="refused.csv")
    good = ledger(tmp_path, [*range(1, 5), 99])
    with umask(mask), county_over_http(tmp_path / "office", fresh_database) as county:
        home = edge_home(tmp_path / "bank", county.office.home, to=county.url, token=county.secrets[BANK])
        for source in (refused, good):
            source.rename(home.folder / "inbox" / FILE)
            run_edge(home)
        pushed = ledger(tmp_path, [*range(1, 6), 99])
        send(pushed, county.office)
    office, edge = modes(tmp_path / "office"), modes(tmp_path / "bank")
    assert {name: office.get(name) for name in OFFICE} == OFFICE
    assert {name: edge.get(name) for name in EDGE} == EDGE
    written = {name: mode for name, mode in (office | edge).items() if name not in (f"done/{FILE}", f"refused/{FILE}")}
    assert {name: mode for name, mode in written.items() if "w" in mode[5] + mode[8]} == {}
    private = {name: mode for name, mode in written.items() if name.startswith(("keys/", "spool/"))}
    assert {name: mode for name, mode in private.items() if mode[4:] != "------"} == {}
