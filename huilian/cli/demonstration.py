"""The demonstration: a fictitious county's year, from its institutions' files to its figures."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
from dataclasses import replace
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, Protocol

from huilian import adapters, service, tokens
from huilian.cli import demo_folder, demo_members, kinds, screen, session
from huilian.cli.answers import ACCEPTED, Answer
from huilian.cli.push import send
from huilian.cli.ways import Way
from huilian.errors import ConfigurationError, UsageError
from huilian.home import Home, Settings
from huilian.hosts.embedded import EmbeddedHost, EmbeddedTransport
from huilian.office import set_up

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from rich.progress import Progress
    from rich.table import Table

    from huilian.county.queries import Query
    from huilian.office import Office

__all__ = ["Demonstration"]

GROUP: Final = "huilian.samples"
"""Entry points of packages that can make a sample: `county` makes its files, `decisions` what its office decided,
`region_names` names its regions, `adapter_settings` says what its adapters must be told."""
POLICY: Final = "anhui"
ACTOR: Final = "demo"
CONNECTIONS: Final = 6


class _SampleFile(Protocol):
    """What a sample says of each file it made."""

    path: Path
    adapter: str
    member: str
    kind: str
    as_of: dt.date
    rows: int


class Demonstration:
    """One run of the demonstration.

    Args:
        folder: the demonstration's data directory; its files lie in `files` below it.
        listen: address and port of the HTTP interface; another port is taken when this one is in use.
        seed: of the sample; its own without it.
        households: in the sample; its own number without it.
    """

    def __init__(self, folder: Path, *, listen: str, seed: int | None, households: int | None) -> None:
        self.home = Home(folder)
        self.answers: list[Answer] = []
        self._listen = _free(listen)
        self._files = folder / "files"
        self._sample = {
            name: value for name, value in (("seed", seed), ("households", households)) if value is not None
        }
        self._made: list[_SampleFile] = []
        self._decided: list[demo_members.DecidedFile] = []
        self._received: list[demo_members.Received] = []
        self._token = ""

    @contextlib.contextmanager
    def folder_held(self) -> Iterator[None]:
        """Hold the directory, made anew, against another demonstration in it."""
        with demo_folder.held(self.home.folder):
            yield

    @property
    def all_accepted(self) -> bool:
        """Return whether every file was accepted."""
        return all(answer.status == ACCEPTED for answer in self.answers)

    @property
    def county(self) -> str:
        """Return the code of the county, which sends its own roster."""
        return next(
            file.member
            for file in self._made
            if "county" in adapters.find(file.adapter, self.home.adapters).institution_kinds
        )

    def push_all(self) -> None:
        """Make the files, set the office up and push everything, watched by a progress bar."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        console = screen.err()
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
            making = bars.add_task("生成示例县文件 (making the files)", total=None)
            self._make(lambda _file: bars.advance(making))
            bars.update(making, total=len(self._made))
            starting = bars.add_task("建库启动 (starting)", total=1)
            set_up(
                self.home,
                Settings(self.county, POLICY, listen=self._listen, adapters=_sample("adapter_settings")),
            )
            with session.office(self.home, connections=CONNECTIONS) as office:
                bars.advance(starting)
                self._add_members(office)
                self._push(office, bars)
                self._send_out(office, bars)

    def _make(self, on_file: Any) -> None:  # noqa: ANN401  # the sample's own type
        try:
            self._made = _sample("county")(self._files, on_file=on_file, **self._sample)
            self._decided = _sample("decisions")(self.home.folder / "issued", **self._sample)
        except ValueError as error:
            raise UsageError("HL7001", what=f"--households: {error}") from error

    @property
    def _adapters(self) -> dict[str, str]:
        """Return every institution's adapter by its member code: those that send, and those that only receive."""
        parties: list[_SampleFile | demo_members.DecidedFile] = [*self._made, *self._decided]
        return {party.member: party.adapter for party in parties if party.member != self.county}

    def _add_members(self, office: Office) -> None:
        for code, adapter in self._adapters.items():
            demo_members.enter(office, code, adapter, actor=ACTOR)
        with office.database.transaction() as transaction:
            self._token = tokens.add(transaction, ACTOR, now=office.clock.now(), actor=ACTOR, region=self.county)

    def _push(self, office: Office, bars: Progress) -> None:
        rows = bars.add_task("报送 (pushing rows)", total=sum(file.rows for file in self._made))
        way = Way(EmbeddedTransport(office), self.county)
        with EmbeddedHost(office) as host:
            for file in self._made:
                adapter = adapters.find(file.adapter, self.home.adapters)
                self.answers.append(send(file.path, adapter=adapter, member=file.member, home=self.home, way=way))
                bars.advance(rows, file.rows)
            host.drain()

    def _send_out(self, office: Office, bars: Progress) -> None:
        """Issue what the county decided, and have every institution receive what is addressed to it."""
        going = bars.add_task("下发 (sending out)", total=len(self._adapters))
        for file in self._decided:
            demo_members.issue(office, file, actor=ACTOR)
        for code, adapter in self._adapters.items():
            self._received += demo_members.receive(office, code, adapter, actor=ACTOR)
            bars.advance(going)

    def sum_up(self) -> None:
        """Print what came of it: by month, by township, by institution, and what each institution got."""
        places: Mapping[str, str] = _sample("region_names")
        with session.office(self.home) as office, office.database.snapshot() as transaction:
            for each in office.services.values():
                for table in each.overview(transaction, self.county, self._months(), places):
                    screen.show(table)
        screen.show(self._institutions())
        screen.show(demo_members.table(self._received))
        for answer in self.answers:
            if answer.status != ACCEPTED:
                screen.show(answer.as_table())

    def _months(self) -> list[str]:
        return sorted({f"{file.as_of:%Y-%m}" for file in self._made})

    def _institutions(self) -> Table:
        """Return each institution's submissions by kind: files, those refused as a whole, rows, and rows rejected."""
        pushed = list(zip(self._made, self.answers, strict=True))
        rows: list[Sequence[object]] = []
        for member, kind in dict.fromkeys((file.member, file.kind) for file in self._made):
            theirs = [answer for file, answer in pushed if (file.member, file.kind) == (member, kind)]
            totals = [sum(answer.counts[name] for answer in theirs) for name in ("rows", "accepted", "rejected")]
            refused = sum(answer.status != ACCEPTED for answer in theirs)
            name = kinds.chinese(kind)
            rows.append([member, name, len(theirs), refused or "", *(f"{total:,}" for total in totals)])
        headings = ["机构", "种类", ">文件", ">整份退回", ">行数", ">入账", ">退回行"]
        return screen.table(headings, rows, title="各机构报送 (submissions)")

    def point_out(self, *, serving: bool) -> None:
        """Print where to look, and what to try."""
        console = screen.out()
        huilian = "huilian" if shutil.which("huilian") else os.path.relpath(sys.argv[0])
        command = f"HUILIAN_HOME={self.home.folder} {huilian}"
        known = {"region": self.county, "month": self._months()[-1]}

        def given(query: Query) -> list[tuple[str, str]]:
            return [(each.name, known[each.name]) for each in query.parameters if each.name in known]

        lines = ["[bold]看哪里 (where to look)[/bold]", f"机构原始文件 (their files)      {self._files}"]
        lines.append(f"各机构收到的文件 (received)     {demo_members.folder(self.home, '*')}/outbox")
        lines += [
            f"退回明细 (rejected rows)        {answer.rejections}" for answer in self.answers if answer.rejections
        ][-2:]
        if serving:
            address = f"http://{self._listen}"
            lines.append(f"HTTP 接口 (interface)           {address}/api/v1/  令牌 (token) {self._token}")
            query = next(query for query in service.queries().values() if query.document)
            question = f"{address}/api/v1/{query.address}?" + "&".join(f"{n}={v}" for n, v in given(query))
            lines.append(f"  curl -H 'Authorization: Bearer {self._token}' '{question}'")
        lines += [
            "[bold]可以试 (try)[/bold]",
            *(
                " ".join((f"  {command}", *query.words, *(f"--{name} {value}" for name, value in given(query))))
                for query in service.queries().values()
            ),
            f"  {command} audit verify",
        ]
        if not serving:
            lines.append(f"  {command} serve")
        for line in lines:
            console.print(line, soft_wrap=True)

    def serve(self) -> None:
        """Serve over HTTP until told to stop."""
        from huilian.hosts.serving import serve  # noqa: PLC0415  # not with --once

        screen.err().print("[green]正在服务，Ctrl-C 结束 (serving; Ctrl-C ends)[/green]")
        sys.stdout.flush()
        settings = replace(self.home.settings(), listen=self._listen)
        serve(self.home, host="embedded", listen=settings.listen)


def _sample(name: str) -> Any:  # noqa: ANN401  # a callable or a mapping
    for point in entry_points(group=GROUP, name=name):
        return point.load()
    raise ConfigurationError("HL6006", file=GROUP, what=f"没有 {name} (not installed: {name})")


def _free(listen: str) -> str:
    """Return `listen`, or the same address with a free port when somebody listens there already."""
    address, _, port = listen.rpartition(":")
    for candidate in (port, "0"):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, int(candidate)))
            except (OSError, ValueError, OverflowError):
                continue
            return f"{address}:{probe.getsockname()[1]}"
    raise UsageError("HL7001", what=f"--listen {listen} 无法使用 (cannot be used)")
