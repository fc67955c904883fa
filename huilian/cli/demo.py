"""`huilian demo`: a fictitious county's year, from its institutions' files to its figures."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import shutil
import signal
import socket
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol

import tomlkit
import typer

from huilian.adapters import loading
from huilian.cli import queries, screen, session
from huilian.cli.members import documents
from huilian.cli.push import ACCEPTED, Answer, Way, send
from huilian.core import money
from huilian.core.clock import CHINA, FixedClock, SystemClock
from huilian.core.errors import ConfigurationError, UsageError
from huilian.core.files import PRIVATE, make_folder, write_atomically
from huilian.county import jobs, service
from huilian.county.members import directory, persons, tokens
from huilian.county.messages import courier
from huilian.county.office import set_up
from huilian.hosts.embedded import EmbeddedHost, EmbeddedTransport
from huilian.institution import bundles
from huilian.institution.edge import open_edge
from huilian.institution.edge.settings import EdgeSettings, save
from huilian.institution.single_records import SingleRecords
from huilian.settings import DEFAULT_LISTEN, Home, Settings
from huilian.wire import bundle, catalogue
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.progress import Progress
    from rich.table import Table

    from huilian.core.errors import Reason
    from huilian.county.office import Office
    from huilian.county.queries import Query

__all__ = [
    "MARK",
    "Demonstration",
    "Received",
    "enter",
    "folder",
    "held",
    "receive",
    "received_table",
    "register",
]


MARK: Final = ".huilian-demo"
"""The file that says: this directory was made by the demonstration and may be emptied by it."""
STOP_SECONDS: Final = 15.0


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Give a fresh directory, held until the block ends.

    Raises:
        UsageError: HL7001, it holds something else, or a demonstration that still runs.
    """
    mark = folder / MARK
    if folder.exists() and not mark.is_file() and (not folder.is_dir() or any(folder.iterdir())):
        what = f"{folder} 不是演示目录，不会清空；请用 --home 另指定 (not a demonstration's: name another with --home)"
        raise UsageError("HL7001", what=what)
    make_folder(folder)
    mark.touch(mode=PRIVATE)
    with mark.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            what = f"{folder} 中的演示还在运行 (the demonstration there is still running)"
            raise UsageError("HL7001", what=what) from None
        _stop_left_over(folder / "postgresql")
        for path in folder.iterdir():
            if path != mark and path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != mark:
                path.unlink()
        yield


def _stop_left_over(data: Path) -> None:
    """Stop a database that a demonstration left running when it was killed."""
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError, IndexError):
        return
    if os.fsencode(data) not in command:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)  # PostgreSQL's fast shutdown
    deadline = time.monotonic() + STOP_SECONDS
    while (data / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.05)


BUNDLE: Final = "下发.hlb"


@dataclass(frozen=True)
class Received:
    """What an institution got of one kind.

    Args:
        member: the institution.
        chinese: the kind.
        messages: how many.
        file: the name of the newest file written of them.
        dataschema: their contract.
    """

    member: str
    chinese: str
    messages: int
    file: str
    dataschema: str


def folder(home: Home, member: str) -> Path:
    """Return the data directory of an institution of the demonstration."""
    return home.folder / "members" / member


def enter(
    office: Office, code: str, adapter: str, *, actor: str, kind: str | None = None, region: str | None = None
) -> None:
    """Enter an institution as `huilian member add` does, its key made and kept here.

    Args:
        office: the open office.
        code: of the institution.
        adapter: what reads and writes its files.
        actor: who enters it.
        kind: of its adapter's, unless given.
        region: the county, unless given.
    """
    found = loading.find(adapter, office.home.adapters)
    kind = kind or min(found.institution_kinds)
    region = region or office.settings.county
    member = directory.Member(code, kind, f"示例{found.chinese}", adapter, region, suspended=False)
    with office.database.transaction() as transaction:
        now = office.clock.now()
        directory.add(transaction, member, now=now, actor=actor)
        with documents.made(office.home, code) as key:
            directory.add_key(transaction, code, key.public, now=now, actor=actor)


def receive(office: Office, member: str, adapter: str, *, actor: str) -> list[Received]:
    """Carry what is addressed to an institution to its own data directory, and have it written out there."""
    home = _edge(office, member, adapter)
    carried = home.folder / BUNDLE
    carried.unlink(missing_ok=True)
    courier.write_for(office, member, carried, everything=False, actor=actor)
    with bundle.opened(carried) as opened:
        bundles.read(home, member, opened, clock=office.clock)
        sent = [(message.dataschema, f"message {message.id}") for _, message in opened.messages()]
    with open_edge(home, offline=True, clock=office.clock) as edge:
        edge.write_out()
        placed = {key: edge.journal.outbox.find(key) for _, key in sent}
    counts = Counter(dataschema for dataschema, _ in sent)
    newest = {dataschema: found[0] for dataschema, key in sent if (found := placed[key]) is not None}
    catalogue = office.context.catalogue
    return [
        Received(member, catalogue.named(dataschema).chinese, count, newest.get(dataschema, ""), dataschema)
        for dataschema, count in counts.items()
    ]


def _edge(office: Office, member: str, adapter: str) -> Home:
    """Set a data directory up as an institution would; its key, made at the county, goes with it."""
    home = Home(folder(office.home, member), environment={})
    save(home, EdgeSettings(member, adapter, office.settings.county))
    shutil.copytree(office.home.folder / "keys" / member, home.folder / "keys" / member, dirs_exist_ok=True)
    home.trust(PLATFORM, office.home.keys.current(PLATFORM).public)
    told = {name: values for name, values in office.settings.adapters.items() if name == adapter}
    write_atomically(home.file, tomlkit.dumps({"adapters": told} if told else {}).encode())
    return home


def received_table(received: Iterable[Received]) -> Table:
    """Return what the institutions got, for people."""
    told: dict[tuple[str, str, str], list[Any]] = {}
    for each in received:
        # A day's files of a kind differ in their numbers; what was received earlier in the year is counted with it.
        row = told.setdefault((each.member, each.chinese, each.dataschema), [each.member, each.chinese, 0, ""])
        row[2:] = [row[2] + each.messages, each.file or row[3]]
    rows = list(told.values())
    return screen.table(
        ["机构", "种类", ">报文", "最新一份，机构自己的格式 (newest file)"], rows, title="下发 (sent out)"
    )


GROUP: Final = "huilian.samples"
"""Entry points of packages that can make a sample: `county` makes its files,
`campaign` prepares what its stations and offices do one by one,
`region_names` names its regions, `adapter_settings` says what its adapters must be told, `products` what its banks'
product codes stand for."""
POLICY: Final = "anhui"
ACTOR: Final = "demo"
PURPOSE: Final = "演示 (demonstration)"
_NOON: Final = dt.time(12)
_COMES_AFTER: Final = dt.timedelta(days=2)
"""From the date that a file speaks of to the day on which it is sent."""
_ORDERS: Final = "PAY_*.csv"
"""What files of payments are called at every bank."""
CONNECTIONS: Final = 6


class _SampleFile(Protocol):
    """What a sample says of each file it made."""

    path: Path
    adapter: str
    member: str
    kind: str
    as_of: dt.date
    rows: int


class _Campaign(Protocol):
    """What a sample says of what its stations and offices do one by one: see there."""

    stations: Sequence[Any]
    receivers: Sequence[Any]
    people: Sequence[Any]
    files: Sequence[_SampleFile]
    acts: Sequence[Any]
    answers: Sequence[Any]


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
        self._campaign: _Campaign
        self._received: list[Received] = []
        self._token = ""
        self._refused: list[tuple[Any, Sequence[Reason]]] = []
        self._clock = FixedClock(SystemClock().now())

    @contextlib.contextmanager
    def folder_held(self) -> Iterator[None]:
        """Hold the directory, made anew, against another demonstration in it."""
        with held(self.home.folder):
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
            if "county" in loading.find(file.adapter, self.home.adapters).institution_kinds
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
            settings = Settings(
                self.county,
                POLICY,
                listen=self._listen,
                adapters=_sample("adapter_settings"),
                products=_sample("products"),
            )
            self._turn_to(min(file.as_of for file in self._made))
            set_up(self.home, settings, clock=self._clock)
            with session.office(self.home, connections=CONNECTIONS, clock=self._clock) as office:
                bars.advance(starting)
                self._add_members(office)
                self._replay(office, bars)
                self._send_out(office, bars)

    def _turn_to(self, day: dt.date) -> None:
        """Let the office's day be this one."""
        self._clock.moment = dt.datetime.combine(day, _NOON, CHINA)

    def _make(self, on_file: Any) -> None:  # noqa: ANN401  # the sample's own type
        try:
            self._made = _sample("county")(self._files, on_file=on_file, **self._sample)
            self._campaign = _sample("campaign")(self._files, **self._sample)
        except ValueError as error:
            raise UsageError("HL7001", what=f"--households: {error}") from error

    @property
    def _adapters(self) -> dict[str, str]:
        """Return every institution's adapter by its member code: those that send, and those that only receive."""
        stations = {station.code for station in self._campaign.stations}
        sending = {file.member: file.adapter for file in self._made if file.member not in {self.county, *stations}}
        return sending | {each.code: each.adapter for each in self._campaign.receivers}

    def _add_members(self, office: Office) -> None:
        for code, adapter in self._adapters.items():
            enter(office, code, adapter, actor=ACTOR)
        for station in self._campaign.stations:
            enter(office, station.code, station.adapter, actor=ACTOR, kind=station.kind, region=station.region)
        began = self._clock.today()
        with office.database.transaction() as transaction:
            for each in self._campaign.people:
                person = persons.Person(each.member, each.code, each.name, each.may, began)
                persons.add(transaction, person, now=office.clock.now(), actor=ACTOR)
            # It is used when the year is over, and counts from then on.
            now = SystemClock().now()
            self._token = tokens.add(transaction, ACTOR, now=now, actor=ACTOR, region=self.county, purpose=PURPOSE)

    def _replay(self, office: Office, bars: Progress) -> None:
        """Let the year pass: each file and each record comes on its day, and the calendar's jobs are run."""
        self._made = sorted([*self._made, *self._campaign.files], key=lambda file: file.as_of)
        files, acts = defaultdict[dt.date, list[_SampleFile]](list), defaultdict[dt.date, list[Any]](list)
        for file in self._made:
            files[file.as_of + _COMES_AFTER].append(file)
        for act in self._campaign.acts:
            acts[act.sent_on].append(act)
        answers = defaultdict[dt.date, list[Any]](list)
        for each in self._campaign.answers:
            answers[each.day].append(each)
        rows = bars.add_task("报送 (pushing rows)", total=sum(file.rows for file in self._made))
        way = Way(EmbeddedTransport(office), self.county)
        due = [job for each in office.services.values() for job in each.jobs]
        with EmbeddedHost(office) as host:
            for day in sorted({*files, *acts, *answers}):
                self._turn_to(day)
                jobs.run_due(office, due)
                for file in files[day]:
                    self.answers.append(self._push(file, way))
                    bars.advance(rows, file.rows)
                host.drain()
                self._submit(office, acts[day])
                host.drain()
                for each in answers[day]:
                    self._answer_payments(office, each, way)
                host.drain()
            jobs.run_due(office, due)
            host.drain()

    def _answer_payments(self, office: Office, answer: Any, way: Way) -> None:  # noqa: ANN401  # the sample's own type
        """Have a bank receive what it is to pay, and say what became of the newest of it."""
        self._received += receive(office, answer.member, answer.adapter, actor=ACTOR)
        orders = sorted(folder(self.home, answer.member).rglob(_ORDERS), key=lambda path: path.stat().st_mtime_ns)
        if not orders:
            return
        file = _sample("answer_payments")(orders[-1], self._files, answer)
        self._made.append(file)
        self.answers.append(self._push(file, way))

    def _push(self, file: _SampleFile, way: Way) -> Answer:
        adapter = loading.find(file.adapter, self.home.adapters)
        return send(file.path, adapter=adapter, member=file.member, home=self.home, way=way, clock=self._clock)

    def _submit(self, office: Office, acts: Iterable[Any]) -> None:
        """Send records one by one as `huilian submit` does.

        Raises:
            ConfigurationError: HL6006, one was not answered as the sample expects: it is wrong.
        """
        transport = EmbeddedTransport(office, at_once=True)
        for act in acts:
            record = _filled_in(office, act)
            if record is None:
                continue
            contract, key = office.context.catalogue.latest(act.type), self.home.keys.current(act.member)
            records = SingleRecords(contract, member=act.member, key=key, transport=transport, clock=self._clock)
            answered = records.submit(1, record)
            if not answered.is_accepted:
                self._refused.append((act, answered.reasons))
            if act.refused is not None and act.refused == answered.is_accepted:
                what = f"{act.type} {act.member}: {', '.join(each['code'] for each in answered.reasons)}"
                raise ConfigurationError("HL6006", file=GROUP, what=what)

    def _send_out(self, office: Office, bars: Progress) -> None:
        """Have every institution receive what is addressed to it."""
        going = bars.add_task("下发 (sending out)", total=len(self._adapters))
        for code, adapter in self._adapters.items():
            self._received += receive(office, code, adapter, actor=ACTOR)
            bars.advance(going)

    def sum_up(self) -> None:
        """Print what came of it: by month, by township, by institution, and what each institution got."""
        places: Mapping[str, str] = _sample("region_names")
        with session.office(self.home) as office, office.database.snapshot() as transaction:
            for each in office.services.values():
                for table in each.overview(transaction, self.county, self._months(), places):
                    screen.show(table)
        screen.show(self._institutions())
        if self._refused:
            screen.show(self._records_refused())
        screen.show(received_table(self._received))
        for answer in self.answers:
            if answer.status != ACCEPTED:
                screen.show(answer.as_table())

    def _months(self) -> list[str]:
        return sorted({f"{file.as_of:%Y-%m}" for file in self._made})

    def _records_refused(self) -> Table:
        """Return the records that were refused, each with every reason."""
        contracts = catalogue.installed()
        rows = [
            [act.sent_on.isoformat(), act.member, contracts.latest(act.type).chinese, number, reason["message"]]
            for act, reasons in self._refused
            for number, reason in enumerate(reasons, start=1)
        ]
        headings = ["日期", "机构", "记录", ">序号", "原因"]
        return screen.table(headings, rows, title="退回的记录，全部原因 (records refused, with every reason)")

    def _institutions(self) -> Table:
        """Return each institution's submissions by kind: files, those refused as a whole, rows, and rows rejected."""
        stations = {station.code for station in self._campaign.stations}
        senders = ["各站点" if file.member in stations else file.member for file in self._made]
        sent = [(sender, file.kind) for sender, file in zip(senders, self._made, strict=True)]
        rows: list[Sequence[object]] = []
        for member, kind in dict.fromkeys(sent):
            theirs = [answer for each, answer in zip(sent, self.answers, strict=True) if each == (member, kind)]
            totals = [sum(answer.counts[name] for answer in theirs) for name in ("rows", "accepted", "rejected")]
            refused = sum(answer.status != ACCEPTED for answer in theirs)
            name = queries.kind_in_chinese(kind)
            rows.append([member, name, len(theirs), refused or "", *(f"{total:,}" for total in totals)])
        headings = ["机构", "种类", ">文件", ">整份退回", ">行数", ">入账", ">退回行"]
        return screen.table(headings, rows, title="各机构报送 (submissions)")

    def point_out(self, *, serving: bool) -> None:
        """Print where to look, and what to try."""
        console = screen.out()
        huilian = "huilian" if shutil.which("huilian") else os.path.relpath(sys.argv[0])
        command = f"HUILIAN_HOME={self.home.folder} {huilian}"
        known = {"region": self.county, "month": self._months()[-1]}

        # One of each group: the others stand in --help.
        groups = {
            query.words[0]: query
            for query in reversed(list(service.queries().values()))
            if not query.needs_context and all(not each.required or each.name in known for each in query.parameters)
        }

        def given(query: Query) -> list[tuple[str, str]]:
            return [(each.name, known[each.name]) for each in query.parameters if each.name in known]

        lines = ["[bold]看哪里 (where to look)[/bold]", f"机构原始文件 (their files)      {self._files}"]
        lines.append(f"各机构收到的文件 (received)     {folder(self.home, '*')}/outbox")
        rejected = [answer.rejections for answer in self.answers if answer.rejections][-2:]
        lines += [f"退回明细 (rejected rows)        {path}" for path in rejected]
        if serving:
            address = f"http://{self._listen}"
            lines.append(f"HTTP 接口 (interface)           {address}/api/v1/  令牌 (token) {self._token}")
            query = next(query for query in service.queries().values() if query.document)
            question = f"{address}/api/v1/{query.address}?" + "&".join(f"{n}={v}" for n, v in given(query))
            lines.append(f"  curl -H 'Authorization: Bearer {self._token}' '{question}'")
        lines += [
            "[bold]可以试 (try)[/bold]",
            *(
                " ".join((f"  {command}", *each.words, *(f"--{name} {value}" for name, value in given(each))))
                for each in reversed(groups.values())
            ),
            f"  {command} feed --help",
            f"  {command} audit verify",
        ]
        for line in lines if serving else [*lines, f"  {command} serve"]:
            console.print(line, soft_wrap=True)

    def serve(self) -> None:
        """Serve over HTTP until told to stop."""
        from huilian.hosts.serving import serve  # noqa: PLC0415  # not with --once

        screen.err().print("[green]正在服务，Ctrl-C 结束 (serving; Ctrl-C ends)[/green]")
        sys.stdout.flush()
        settings = replace(self.home.settings(), listen=self._listen)
        serve(self.home, host="embedded", listen=settings.listen)


def _filled_in(office: Office, act: Any) -> dict[str, Any] | None:  # noqa: ANN401  # the sample's own type
    """Return the record of an act with what somebody sees in a list; None where there is nothing in the list."""
    record: dict[str, Any] = dict(act.record)
    if act.listed is None:
        return record
    given = {"region": office.settings.county, **act.listed.given}
    known: dict[str, Any] = {"today": office.clock.today(), "kinds": service.kinds()}
    with office.database.snapshot() as transaction:
        query = service.query(act.listed.address)
        answer = query.ask(transaction, given, context=lambda: office.context, **known)
        rows = [dict(row) for row in answer.content]
    if not rows:
        return None
    if act.listed.count:
        record[act.listed.count] = len(rows)
    if act.listed.amount:
        field, column = act.listed.amount
        record[field] = money.text(sum((Decimal(row[column]) for row in rows), money.ZERO))
    if act.listed.first:
        field, column = act.listed.first
        record[field] = rows[0][column]
    return record


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


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "demo",
        "演示：生成虚构的示例县，以各机构自己的文件格式报送一年，汇总后继续提供 HTTP 服务，直到 Ctrl-C。",
        "Make a fictitious county, push a year of its institutions' own files, sum up, and go on serving.",
        "huilian demo",
        "huilian demo --once",
        "huilian demo --home /tmp/demo --seed 7 --households 200 --once",
    )(demo)


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="汇总后结束 (end after the summary)")] = False,
    home: Annotated[Path, typer.Option(metavar="DIR", help="演示目录，每次清空重建 (made anew each time)")] = Path(
        "demo-data"
    ),
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="随机种子；相同种子，相同文件 (same seed, same files)")
    ] = None,
    households: Annotated[int | None, typer.Option(metavar="N", help="户数，至少 24 (households)")] = None,
    listen: Annotated[
        str, typer.Option(metavar="ADDR:PORT", help="HTTP 监听地址；被占用则换端口 (HTTP address)")
    ] = DEFAULT_LISTEN,
) -> None:
    """Show the whole way from files to figures on made-up data."""
    session.log("error")  # what is refused is shown
    shown = Demonstration(home.absolute(), listen=listen, seed=seed, households=households)
    with shown.folder_held():
        shown.push_all()
        shown.sum_up()
        shown.point_out(serving=not once)
        if not once:
            shown.serve()
    raise typer.Exit(0 if shown.all_accepted else 1)
