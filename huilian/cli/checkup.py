"""What `huilian doctor` looks at. Each check returns findings; none changes anything."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from huilian import access, counted_refusals, file_ownership, messages, policy, schema, service
from huilian.cli import checkup_adapters, key_findings
from huilian.cli.findings import FAIL, OK, WARN, Finding, failed, worst
from huilian.clock import SystemClock
from huilian.errors import HuilianError
from huilian.institution.spool import SpooledSubmission
from huilian.members import PLATFORM
from huilian.office import components, open_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from huilian.database import Database, Transaction
    from huilian.home import Home, Settings

__all__ = ["FAIL", "OK", "WARN", "Finding", "examine", "worst"]

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
                *checkup_adapters.examine(home),
                *refused,
                *_permissions(home, refused, parts=()),
                *_disk(home),
                *_spool(home),
            ]
        settings = home.settings()
    except HuilianError as error:
        others = [] if error.code in file_ownership.CODES else [failed("数据目录 (home)", error)]
        return [*others, *refused]
    county = f"{home.folder}，县 {settings.county}，{settings.host}"
    findings = [
        Finding("数据目录 (home)", OK, county),
        *_installed(settings),
        *checkup_adapters.examine(home),
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
        if error.code in file_ownership.CODES:
            return findings  # of a key: told above
        findings.append(failed("数据库 (database)", error, "检查数据库地址与服务 (check its address and that it runs)"))
    return findings


def _is_institutions(home: Home) -> bool:
    # With the platform's key it is an office's whose settings are lost.
    if home.is_office or home.keys.holds(PLATFORM):
        return False
    return any((home.folder / name).exists() for name in _INSTITUTIONS)


def _installed(settings: Settings) -> Iterator[Finding]:
    parts: list[Callable[[], object]] = [
        lambda: policy.load(settings.policy),
        lambda: service.check_publishing(service.installed().values(), access.load()),
    ]
    for part in parts:
        try:
            part()
        except HuilianError as error:
            yield failed("安装 (installation)", error)
            return
    yield Finding("安装 (installation)", OK, f"政策 {settings.policy}；{', '.join(service.installed())}")


def _refused(home: Home) -> Iterator[Finding]:
    """Yield all that commands refuse because others may change it, not only what they meet first."""
    told: set[object] = set()
    whole: set[object] = set()
    kept = file_ownership.faults(home.kept_from_others(), home.folder)
    for fault in (*kept, *checkup_adapters.open_to_others(home)):
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
    from huilian.broker import Broker  # noqa: PLC0415  # only the distributed host has one

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
    yield from key_findings.examine(home, transaction, SystemClock().now())


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
    waiting = messages.dead_letters(transaction)
    if waiting:
        codes = ", ".join(sorted({letter.code for letter in waiting}))
        what = f"{len(waiting)} 条被拒报文待处理 (dead letters wait): {codes}"
        yield Finding("被拒报文 (dead letters)", WARN, what, "huilian messages list")
    else:
        yield Finding("被拒报文 (dead letters)", OK, "没有 (none)")
    counts = counted_refusals.all_counts(transaction)
    recent = [count for count in counts if SystemClock().now() - count.last_at < dt.timedelta(days=1)]
    times = sum(count.times for count in counts)
    if recent:
        kinds = sorted({f"{count.code} {count.member}".strip() for count in recent})
        what = f"共 {times} 条只计数、未保留，一天内仍有 (counted only, some within a day): {', '.join(kinds)}"
        yield Finding("只计数的拒收 (counted refusals)", WARN, what, "huilian messages samples")
    else:
        yield Finding("只计数的拒收 (counted refusals)", OK, f"共 {times} 条，一天内没有 (none within a day)")
