"""`huilian doctor`: each check returns findings, one line each with what to do; none changes anything."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from huilian.adapters import loading
from huilian.cli import screen, session
from huilian.core import files
from huilian.core.clock import SystemClock
from huilian.core.errors import HuilianError
from huilian.county import rules, service
from huilian.county.members import directory, key_expiry
from huilian.county.messages import dead_letters
from huilian.county.office import components, open_database
from huilian.database import schema
from huilian.institution.spool import SpooledSubmission
from huilian.policy import policies, reference_rates, working_days
from huilian.policy.policies import WrongPolicyError
from huilian.wire import access
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from huilian.core.errors import ConfigurationError
    from huilian.county.members.key_expiry import Ending
    from huilian.database.connection import Database, Transaction
    from huilian.settings import Home, Settings

__all__ = [
    "FAIL",
    "OK",
    "WARN",
    "Finding",
    "examine",
    "examine_adapters",
    "examine_keys",
    "examine_rules",
    "failed",
    "key_finding",
    "open_to_others",
    "register",
    "worst",
]


OK: Final = "ok"
WARN: Final = "warn"
FAIL: Final = "fail"
_ORDER: Final = (OK, WARN, FAIL)


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, what to do."""

    name: str
    status: str
    what: str
    remedy: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """Return the same for programs."""
        return {"name": self.name, "status": self.status, "what": self.what, "remedy": self.remedy}


def worst(findings: list[Finding]) -> str:
    """Return the status of the worst finding."""
    return max((finding.status for finding in findings), key=_ORDER.index, default=OK)


def failed(name: str, error: HuilianError, remedy: str | None = None) -> Finding:
    """Return the finding that an error is."""
    return Finding(name, FAIL, f"{error.code} {error.chinese}", remedy)


_KEYS_TITLE: Final = "密钥 (keys)"
_KID_SHOWN: Final = 12
"""Letters of a `kid` that tell a member's keys apart, as in the names of their files."""


def examine_keys(home: Home, transaction: Transaction, now: dt.datetime) -> Iterator[Finding]:
    """Look at the keys of all who take part, and for the platform's private one."""
    endings = key_expiry.endings(transaction, home.keys, now)
    troubles = [found for ending in endings if (found := key_finding(ending)) is not None]
    if not home.keys.holds(PLATFORM):
        what = "平台私钥不在本机 (the platform's private key is not here)"
        troubles.append(Finding(_KEYS_TITLE, FAIL, what, "从备份恢复 keys/ (restore keys/ from the backup)"))
    troubles.extend(_unusable(home, transaction, now))
    yield from troubles or [
        Finding(_KEYS_TITLE, OK, f"各机构均有 {key_expiry.WARNING_DAYS} 天以上有效的密钥 (every member has one)")
    ]


def _unusable(home: Home, transaction: Transaction, now: dt.datetime) -> Iterator[Finding]:
    """Find what an older Huilian let through: keys that may not be one, a platform that signs with a revoked one."""
    for member in directory.all_members(transaction):
        for key in directory.keys_of(transaction, member.code):
            if key.public.fault is not None:
                what = f"{member.code} 的公钥 {key.kid[:_KID_SHOWN]} 不能使用，由它签名的一律不收：{key.public.fault}"
                remedy = f"电话核实后登记其新公钥 (enter its new one, after a call): huilian member key {member.code}"
                yield Finding(_KEYS_TITLE, FAIL, what, f"{remedy} --public-key FILE")
    if home.keys.holds(PLATFORM):
        used = home.keys.current(PLATFORM).kid
        counting = {key.kid for key in directory.keys_of(transaction, PLATFORM) if key.counts_at(now)}
        if counting and used not in counting:  # without any that counts, that is told already
            what = f"平台正用已吊销或失效的密钥 {used[:_KID_SHOWN]} 签名，机构不会采信 (signs with a key that ended)"
            yield Finding(_KEYS_TITLE, FAIL, what, f"huilian member key {PLATFORM} --rotate")


def key_finding(ending: Ending) -> Finding | None:
    """Return what is to be said of one member's keys; None when nothing is."""
    code = ending.member.code
    if ending.cause is None:
        return None
    if ending.key is None:
        status = FAIL if code == PLATFORM else WARN
        by_telephone = "" if ending.kept_here else "电话核实后登记其新公钥 (enter its new key, after a call): "
        return Finding(
            _KEYS_TITLE, status, f"{code} 没有有效密钥 (has no key that counts)", f"{by_telephone}{ending.remedy}"
        )
    day = (screen.moment(ending.ends) or "").partition(" ")[0]
    when = f"已于 {day} 失效 (ended)" if ending.has_ended else f"{day} 到期，剩 {ending.days} 天 (ends)"
    ends = f"{code} 的密钥 {ending.key.kid[:_KID_SHOWN]} {when}"
    if ending.new is not None:
        entered = f"已登记的新密钥 {ending.new.kid[:_KID_SHOWN]} 尚未用过 (it has signed nothing with its new key)"
        remedy = (
            f"重发批准文件 (send the approval anew): {ending.remedy}"
            "；机构采用 (the institution takes it in): huilian member welcome FILE"
        )
        return Finding(_KEYS_TITLE, WARN, f"{ends}；{entered}", remedy)
    by_member = "" if ending.kept_here else "请该机构轮换 (have the member rotate): "
    return Finding(_KEYS_TITLE, WARN, ends, f"{by_member}{ending.remedy}")


_ADAPTERS: Final = "适配器 (adapters)"


def examine_adapters(home: Home) -> Iterator[Finding]:
    """Look at every adapter; one that is broken does not hide the others."""
    try:
        known = loading.known(home.adapters)
    except HuilianError as error:
        yield failed(_ADAPTERS, error)
        return
    sound = []
    for name, origin in known.items():
        try:
            loading.find(name, home.adapters)
            sound.append(name)
        except HuilianError as error:
            if error.code not in files.OWNERSHIP_CODES:  # those are told with all others of their kind
                yield failed(_ADAPTERS, error, f"修好、移走或卸载它 (mend, move or uninstall it): {origin}")
    yield Finding(_ADAPTERS, OK, ", ".join(sound))


def open_to_others(home: Home) -> Iterator[ConfigurationError]:
    """Yield what others may change of the adapters in the data directory; folders that hold none are told elsewhere."""
    with contextlib.suppress(HuilianError):
        for name, folder in loading.folders(home.adapters).items():
            with contextlib.suppress(HuilianError):
                yield from loading.in_folder(folder, name).faults(home.folder)


OUTBOX_MINUTES: Final = 10
"""Minutes after which a message that waits to be carried is overdue."""
CLOCK_SECONDS: Final = 60
"""Seconds by which this machine's clock may differ from the database's, or be behind the last record."""
DISK_WARN: Final = 5 * 1024**3
DISK_FAIL: Final = 1024**3
"""Bytes that should, and must, be free."""
_OTHERS: Final = 0o077
_INSTITUTIONS: Final = ("huilian.toml", "edge.toml", "memberships", "trusted", "keys")
"""What the data directory of an institution has one or another of."""


def examine(home: Home) -> list[Finding]:
    """Return every finding; what cannot be looked at because something else fails is left out.

    Of an institution's data directory that is no office only what needs none is looked at.
    """
    refused = list(_refused(home))
    try:
        if _is_institutions(home):
            return [
                Finding("数据目录 (home)", OK, f"{home.folder}，机构的，不是县办 (an institution's, not an office)"),
                *examine_adapters(home),
                *refused,
                *_permissions(home, refused, parts=()),
                *_disk(home),
                *_spool(home),
            ]
        settings = home.settings()
    except HuilianError as error:
        others = [] if error.code in files.OWNERSHIP_CODES else [failed("数据目录 (home)", error)]
        return [*others, *refused]
    county = f"{home.folder}，县 {settings.county}，{settings.host}"
    findings = [
        Finding("数据目录 (home)", OK, county),
        *_installed(),
        *examine_rules(home, settings),
        *examine_adapters(home),
        *refused,
        *_permissions(home, refused),
        *_disk(home),
        *_spool(home),
    ]
    if settings.host == "distributed":
        findings += _broker(settings)
    try:
        with open_database(home, settings, size=2) as database:
            findings += _database(home, settings, database)
    except HuilianError as error:
        if error.code in files.OWNERSHIP_CODES:
            return findings  # of a key: told above
        findings.append(failed("数据库 (database)", error, "检查数据库地址与服务 (check its address and that it runs)"))
    return findings


def _is_institutions(home: Home) -> bool:
    # With the platform's key it is an office's whose settings are lost.
    if home.is_office or home.keys.holds(PLATFORM):
        return False
    return any((home.folder / name).exists() for name in _INSTITUTIONS)


_RULES: Final = "政策 (policy)"


def examine_rules(home: Home, settings: Settings) -> Iterator[Finding]:
    """Look at the county's policy, at every other in its data directory, and at its rates and working days."""
    sound = []
    for name in dict.fromkeys([settings.policy, *sorted(path.stem for path in home.policies.glob("*.toml"))]):
        if name.endswith(policies.CASES):
            continue
        try:
            policy = rules.load(home, name)
            sound.append(f"{name} {policy.version}")
        except WrongPolicyError as error:
            for fault in error.faults:
                what = f"{fault.file}:{fault.line}: {fault.text('zh')} ({fault.text('en')})"
                yield Finding(_RULES, FAIL, what, f"huilian policy check {name}")
        except HuilianError as error:
            if error.code not in files.OWNERSHIP_CODES:  # those are told with all others of their kind
                yield failed(_RULES, error, "huilian init --county … --policy NAME")
    for load in (reference_rates.load, working_days.load):
        try:
            load(home.folder)
        except HuilianError as error:
            yield failed(_RULES, error)
    yield from _products(home, settings)
    if sound:
        yield Finding(_RULES, OK, ", ".join(sound))


def _installed() -> Iterator[Finding]:
    parts: list[Callable[[], object]] = [
        lambda: service.check_publishing(service.installed().values(), access.load()),
        service.kinds,
        service.queries,
    ]
    for part in parts:
        try:
            part()
        except HuilianError as error:
            yield failed("安装 (installation)", error)
            return
    yield Finding("安装 (installation)", OK, ", ".join(service.installed()))


def _products(home: Home, settings: Settings) -> Iterator[Finding]:
    """Find what banks' product codes are mapped to and no policy has."""
    for institution, codes in settings.products.items():
        for code in codes:
            place = f"[products.{institution}] {code}"
            policy, named = settings.policy_product(institution, code) or ("", "")
            try:
                known = rules.load(home, policy).products
            except HuilianError as error:
                yield failed(place, error)
                continue
            if named not in known:
                what = f"政策 {policy} 没有产品 (has no product) {named}"
                yield Finding(place, FAIL, what, f"可用 (known): {', '.join(known)}")


def _refused(home: Home) -> Iterator[Finding]:
    """Yield all that commands refuse because others may change it, not only what they meet first."""
    told: set[object] = set()
    whole: set[object] = set()
    kept = files.ownership_faults(home.kept_from_others(), home.folder)
    for fault in (*kept, *open_to_others(home)):
        # What one command mends is told once.
        path, remedy = Path(str(fault.facts["path"])), str(fault.facts["remedy"])
        if remedy in told or (fault.code == "HL6020" and whole.intersection(path.parents)):
            continue
        told.add(remedy)
        if remedy.startswith("chmod -R "):
            whole.add(path)
        yield failed("文件权限 (permissions)", fault, remedy)


def _permissions(home: Home, refused: list[Finding], parts: Sequence[str] = ("keys", "spool")) -> Iterator[Finding]:
    private = [home.file, home.folder / "edge.toml", home.keys.folder, home.spool]
    private += sorted(home.keys.folder.rglob("*.pem"))
    open_ones = [path for path in private if path.exists() and path.stat().st_mode & _OTHERS]
    missing = [path for part in parts if not (path := home.folder / part).is_dir()]
    if open_ones:
        shown = " ".join(str(path) for path in open_ones)
        yield Finding("文件权限 (permissions)", FAIL, f"他人可读 (open to others): {shown}", f"chmod go-rwx {shown}")
    elif missing:
        what = f"缺少目录 (missing): {' '.join(str(path) for path in missing)}"
        yield Finding("文件权限 (permissions)", FAIL, what, "huilian init --county … --policy …")
    elif not refused:
        yield Finding("文件权限 (permissions)", OK, "私钥、设置与待发区只有本用户可读 (private)")


def _disk(home: Home) -> Iterator[Finding]:
    free = shutil.disk_usage(home.folder).free
    status = FAIL if free < DISK_FAIL else WARN if free < DISK_WARN else OK
    remedy = None if status == OK else "清理磁盘，或把数据目录移到更大的盘 (make room)"
    yield Finding("磁盘 (disk)", status, f"剩余 {free / 1024**3:.1f} GiB (free)", remedy)


def _spool(home: Home) -> Iterator[Finding]:
    complete = [SpooledSubmission(path.parent) for path in sorted(home.spool.glob("*/manifest.json"))]
    waiting = [submission for submission in complete if submission.receipt is None]
    if waiting:
        names = ", ".join(str(submission.manifest["file_name"]) for submission in waiting[:5])
        what = f"{len(waiting)} 个文件尚无回执 (no receipt yet): {names}"
        yield Finding("待发区 (spool)", WARN, what, "对这些文件再次运行 huilian push (push them again)")
    else:
        yield Finding("待发区 (spool)", OK, f"{len(complete)} 个文件均有回执 (all answered)")


def _broker(settings: Settings) -> Iterator[Finding]:
    from huilian.wire.broker import Broker  # noqa: PLC0415  # only the distributed host has one

    try:
        broker = Broker(settings.amqp_url)
        broker.channel()
        broker.close()
    except HuilianError as error:
        yield failed("消息队列 (broker)", error, "检查 RabbitMQ 地址与服务 (check its address and that it runs)")
    else:
        yield Finding("消息队列 (broker)", OK, "可连接 (reachable)")


def _database(home: Home, settings: Settings, database: Database) -> Iterator[Finding]:
    if not schema.is_current(database, components()):
        what = "表结构不是最新 (tables are not at the newest revision)"
        remedy = "再次运行 huilian init，数据不受影响 (run init again; data stays)"
        if not settings.database_url:
            # Whoever opens its own server there may upgrade its tables, too.
            remedy = "运行任一命令即自动升级，如 huilian member list (run any command: it upgrades them)"
        yield Finding("数据库 (database)", FAIL, what, remedy)
        return
    with database.transaction() as transaction:
        version = transaction.value("SHOW server_version")
        yield Finding("数据库 (database)", OK, f"PostgreSQL {version}，表结构最新 (current)")
        if transaction.value("SELECT has_table_privilege('huilian.audit', 'UPDATE, DELETE, TRUNCATE')"):
            what = "本角色可改审计记录 (this role may change the audit log)"
            remedy = "为服务另设角色，见运维手册 (give the services a role of their own: docs/operations.md, two roles)"
            yield Finding("审计 (audit)", WARN, what, remedy)
        for check in (_clock, _keys, _outbox, _dead_letters):
            yield from check(home, transaction)
        for each in service.installed().values():
            for concern in each.examine(transaction, settings, rules.Rules(home, settings.policy)):
                yield Finding(concern.name, WARN if concern.remedy else OK, concern.what, concern.remedy)


def _clock(_home: Home, transaction: Transaction) -> Iterator[Finding]:
    now = SystemClock().now()
    servers: dt.datetime = transaction.value("SELECT clock_timestamp()")
    last: dt.datetime | None = transaction.value("SELECT max(at) FROM huilian.audit")
    apart = abs((now - servers).total_seconds())
    behind = (last - now).total_seconds() if last else 0.0
    remedy = "校准系统时钟，建议启用 NTP (set the clock; use NTP)"
    if behind > CLOCK_SECONDS:
        yield Finding(
            "时钟 (clock)", FAIL, f"比最近一条审计记录早 {behind:.0f} 秒 (behind the last audit record)", remedy
        )
    elif apart > CLOCK_SECONDS:
        yield Finding("时钟 (clock)", WARN, f"与数据库相差 {apart:.0f} 秒 (differs from the database's)", remedy)
    else:
        yield Finding("时钟 (clock)", OK, f"{now.astimezone():%Y-%m-%d %H:%M:%S %z}")


def _keys(home: Home, transaction: Transaction) -> Iterator[Finding]:
    yield from examine_keys(home, transaction, SystemClock().now())


def _outbox(_home: Home, transaction: Transaction) -> Iterator[Finding]:
    row = transaction.row(
        "SELECT count(*) AS waiting, min(created_at) AS oldest FROM huilian.outbox WHERE carried_at IS NULL"
    )
    waiting, oldest = (row["waiting"], row["oldest"]) if row else (0, None)
    if oldest and SystemClock().now() - oldest > dt.timedelta(minutes=OUTBOX_MINUTES):
        what = f"{waiting} 条报文待处理，最早 {oldest.astimezone():%Y-%m-%d %H:%M} (waiting to be carried)"
        yield Finding("发件箱 (outbox)", WARN, what, "运行 huilian serve，或查看其日志 (run serve, or see its log)")
    else:
        yield Finding("发件箱 (outbox)", OK, f"{waiting} 条待处理 (waiting)")


def _dead_letters(_home: Home, transaction: Transaction) -> Iterator[Finding]:
    waiting = dead_letters.all_dead_letters(transaction)
    if waiting:
        codes = ", ".join(sorted({letter.code for letter in waiting}))
        what = f"{len(waiting)} 条被拒报文待处理 (dead letters wait): {codes}"
        yield Finding("被拒报文 (dead letters)", WARN, what, "huilian messages list")
    else:
        yield Finding("被拒报文 (dead letters)", OK, "没有 (none)")
    counts = dead_letters.all_counts(transaction)
    recent = [count for count in counts if SystemClock().now() - count.last_at < dt.timedelta(days=1)]
    times = sum(count.times for count in counts)
    if recent:
        kinds = sorted({f"{count.code} {count.member}".strip() for count in recent})
        what = f"共 {times} 条只计数、未保留，一天内仍有 (counted only, some within a day): {', '.join(kinds)}"
        yield Finding("只计数的拒收 (counted refusals)", WARN, what, "huilian messages samples")
    else:
        yield Finding("只计数的拒收 (counted refusals)", OK, f"共 {times} 条，一天内没有 (none within a day)")


_SHOWN = {"ok": "[green]正常[/green]", "warn": "[yellow]注意[/yellow]", "fail": "[red]故障[/red]"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "doctor",
        "体检：目录、密钥、数据库、队列、时钟、待处理事项，各给出办法。有故障时退出码 1。",
        "Check the office, line by line, with what to do; exit 1 when something fails.",
        "huilian doctor",
        "huilian doctor --json",
    )(doctor)


def doctor(*, as_json: session.Json = False) -> None:
    """Check the data directory and all that hangs on it."""
    from rich.markup import escape  # noqa: PLC0415  # see the package

    from huilian.settings import Home  # noqa: PLC0415

    session.log("error")  # what is wrong is in the findings
    findings = examine(Home.from_environment())
    status = worst(findings)
    if as_json:
        screen.print_json({"status": status, "checks": [finding.as_json() for finding in findings]})
    else:
        console = screen.out()
        for finding in findings:
            console.print(f"{_SHOWN[finding.status]}  {escape(finding.name)}：{escape(finding.what)}", soft_wrap=True)
            if finding.remedy:
                console.print(f"      → {escape(finding.remedy)}", soft_wrap=True)
    raise typer.Exit(1 if status == FAIL else 0)
