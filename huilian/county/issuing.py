"""Issuing: records that the county has, sealed by the platform and put on their way to one member (下发).

Every fault of every record is told at once.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import AccessDenied, FileRefused, UsageError, describe
from huilian.county import audit
from huilian.county.members import directory
from huilian.records.record_files import NO_RECORD, RecordFile, breaches, in_order
from huilian.wire.envelope import BODY_LIMIT, LINE_LIMIT, Draft
from huilian.wire.names import PLATFORM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from huilian.county.members.directory import Member
    from huilian.county.messages.processor import Processor
    from huilian.county.office import Office
    from huilian.county.service import FileCheck, Service
    from huilian.database.connection import Transaction
    from huilian.wire.access import AccessRules
    from huilian.wire.catalogue import Catalogue, Contract

__all__ = ["Fault", "Issued", "RecordChecks", "RecordsRefused", "issuable", "issue", "issue_records"]


_INSTITUTION: Final = "institution"


@dataclass(frozen=True)
class Fault:
    """One fault of one record.

    Args:
        line: where the record stands in the file.
        field: the field at fault; None where there is no record at all.
        code: what is wrong.
        message: the same in Chinese; it repeats nothing of the record.
    """

    line: int
    field: str | None
    code: str
    message: str


class RecordChecks:
    """Checks records of one contract on their way to one member.

    Args:
        contract: what they keep.
        receiver: whom they are for.
        county: six digits; without a record's region in it nobody there would be concerned.
        known: all members.
        decided_here: finds further faults, as `Service.decided_here`.
    """

    def __init__(
        self,
        contract: Contract,
        receiver: Member,
        county: str,
        known: Iterable[Member],
        decided_here: FileCheck = lambda _record: (),
    ) -> None:
        self._schema = contract.schema()
        self._receiver = receiver
        self._county = county
        self._kinds = {member.code: member.kind for member in known}
        self._decided_here = decided_here
        self.fields = tuple(self._schema.fields)

    def faults(self, line: int, record: dict[str, Any] | None) -> list[Fault]:
        """Return every fault of what stands at a line, by field."""
        if record is None:
            return [Fault(line, None, NO_RECORD, describe(NO_RECORD))]
        found = breaches(self._schema, record, self._county)
        wrong = {field for field, _ in found}
        found += [(field, code) for field, code in self._misplaced(record) if field not in wrong]
        if not found:
            found += self._decided_here(record)
        ordered = in_order(self._schema, found)
        return [Fault(line, field or None, code, describe(code, member=self._receiver.code)) for field, code in ordered]

    def _misplaced(self, record: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield field and code of what keeps the contract and does not belong there."""
        if _INSTITUTION in self._schema.fields and not self._concerns(record.get(_INSTITUTION)):
            yield _INSTITUTION, "HL3060"

    def _concerns(self, institution: object) -> bool:
        if institution == self._receiver.code:
            return True
        return isinstance(institution, str) and self._kinds.get(institution, self._receiver.kind) != self._receiver.kind


FAULTS_AT_MOST: Final = 1_000
"""Faults of a file that are told one by one; the others are counted."""
_KNOWN: Final = "SELECT true FROM huilian.message WHERE source = %s AND id = %s"
_NAMESPACE: Final = uuid.UUID("6f1c8e0a-4f0e-5a8e-9a53-6d1f0c2b7e41")
"""Of the ids of issued messages; drawn once."""


@dataclass(frozen=True)
class Issued:
    """What came of a file.

    Args:
        dataschema: the contract of its records, the newest where its messages have several versions.
        member: whom they are for.
        records: how many it holds.
        new: messages made of it now.
        repeated: messages made of the same records before.
    """

    dataschema: str
    member: str
    records: int
    new: int
    repeated: int


class RecordsRefused(FileRefused):
    """HL3061: records of a file are wrong, and nothing of it was sent.

    Args:
        file: its name.
        faults: the first of them, by line.
        count: how many there are.
    """

    def __init__(self, file: str, faults: list[Fault], count: int) -> None:
        super().__init__("HL3061", file=file, count=count)
        self.faults = faults
        self.count = count


def issuable(catalogue: Catalogue, access: AccessRules, services: Iterable[Service]) -> list[str]:
    """Return the types of which a file can be issued: lists for members of which no service decides all."""
    decided = {name for each in services for name, check in each.decided_here.items() if check is None}
    return [name for name in _sent_to_members(catalogue, access) if name not in decided]


def _sent_to_members(catalogue: Catalogue, access: AccessRules) -> list[str]:
    """Return the types of lists that the platform may send, and a member may receive."""
    ours = {"platform"}
    lists = {contract.type for contract in catalogue.contracts.values() if contract.bulk}
    sent = {name for name, kinds in access.send.items() if ours <= kinds}
    received = {name for name, kinds in access.receive.items() if kinds - ours}
    return sorted(lists & sent & received)


def issue(office: Office, file: Path, message_type: str, member: str, *, actor: str) -> Issued:
    """Check a file's records, seal them and put them into the outbox for a member.

    Args:
        office: the open data directory.
        file: NDJSON, or a JSON document.
        message_type: what its records are, "confirmations"; their contract is as for `issue_records`.
        member: whom they are for.
        actor: who issues it, for the log.

    Raises:
        UsageError: HL7001, no file of that type can be issued; HL3010, the file cannot be read.
        AccessDenied: HL4001, there is no such member; HL4016, it has left.
        FileRefused: HL3064, its kind of member may not receive that; HL3006, there is no record in the
            file; HL3061 (a `RecordsRefused`), records are wrong; or as `RecordFile.records`.
    """
    _check_type(message_type, issuable(office.context.catalogue, office.processor.access, office.services.values()))
    source = RecordFile(file)
    with office.database.transaction() as transaction:
        return issue_records(
            office.processor,
            transaction,
            source.records(),
            message_type,
            member,
            actor=actor,
            name=file.name,
            decided_here=_decided_here(office, transaction, message_type),
            # What the file was is known when it has been read.
            origin=lambda: {"file": file.name.encode("utf-8", "replace").decode(), "file_sha256": source.sha256},
        )


def issue_records(
    processor: Processor,
    transaction: Transaction,
    records: Iterable[tuple[int, dict[str, Any] | None]],
    message_type: str,
    member: str,
    *,
    actor: str,
    name: str,
    origin: Callable[[], dict[str, Any]] = dict,
    decided_here: FileCheck = lambda _record: (),
) -> Issued:
    """Check records, seal them and put them into the outbox for a member: a decision leaves the county.

    Call it last in a transaction: it ends with an audit record. The same records to the same member send nothing.

    Args:
        processor: of the office.
        transaction: in which the decision was taken; where something is wrong it must not be committed.
        records: each with its number, by which faults are told: `enumerate(records, start=1)`. None is no record.
        message_type: what they are, "subsidy_results". They are held to the newest version of the contract, and a
            message travels in the oldest that all its records keep.
        member: whom they are for.
        actor: who issues them, for the log: "operator:name", "service:name".
        name: what a refusal calls them together.
        origin: where they came from, for the log; asked when all were read.
        decided_here: of records of a file, what only a service decides here; see `Service.decided_here`.

    Raises:
        UsageError, AccessDenied, FileRefused: as `issue`.
    """
    context = processor.context
    _check_type(message_type, _sent_to_members(context.catalogue, processor.access))
    newest, kept = context.catalogue.latest(message_type), []
    now, new, repeated = context.clock.now(), 0, 0
    transaction.lock(f"huilian.issuing.{member}")
    receiver = _receiver(transaction, processor.access, newest, member)
    checks = RecordChecks(newest, receiver, context.county, directory.all_members(transaction), decided_here)
    sound = _Sound(checks, records)
    for place, body in enumerate(_bodies(sound.lines())):
        if sound.count:
            continue  # only looked at to its end, for the faults
        contract = context.catalogue.oldest_for(message_type, [json.loads(line) for line in body.splitlines()])
        kept.append(contract)
        message_id = _message_id(contract, member, place, body)
        if transaction.value(_KNOWN, [PLATFORM, message_id]):
            repeated += 1
            continue
        draft = Draft(contract.type, contract.dataschema, member, body, bulk=True)
        processor.send(transaction, draft, message_id=message_id)
        new += 1
    if sound.count:
        raise RecordsRefused(name, sound.faults, sound.count)
    if not sound.records:
        raise FileRefused("HL3006", file=name)
    dataschema = max(kept, key=lambda contract: contract.version).dataschema
    if new:
        counts = {"records": sound.records, "messages": new, "repeated": repeated}
        detail = {"dataschema": dataschema} | origin() | counts
        audit.append(transaction, now=now, actor=actor, action="records.issued", subject=member, detail=detail)
    return Issued(dataschema, member, sound.records, new, repeated)


def _check_type(message_type: str, types: list[str]) -> None:
    """Let pass one of the types that can be issued.

    Raises:
        UsageError: HL7001, it is none.
    """
    if message_type not in types:
        what = f"不能下发 {message_type}；可下发 (cannot be issued; what can is): {', '.join(types)}"
        raise UsageError("HL7001", what=what)


def _decided_here(office: Office, transaction: Transaction, message_type: str) -> FileCheck:
    """Return what finds the records of a type that no file may state, as a service decides them."""
    declared = [each.decided_here.get(message_type) for each in office.services.values()]
    today = office.clock.today()
    checks = [check(transaction, today) for check in declared if check is not None]
    return lambda record: [found for check in checks for found in check(record)]


class _Sound:
    """Yields records without faults as lines, and collects the faults of the others."""

    def __init__(self, checks: RecordChecks, records: Iterable[tuple[int, dict[str, Any] | None]]) -> None:
        self._checks = checks
        self._records = records
        self.records = 0
        self.count = 0
        self.faults: list[Fault] = []

    def lines(self) -> Iterator[bytes]:
        for line, record in self._records:
            self.records += 1
            found = self._checks.faults(line, record)
            self.count += len(found)
            self.faults += found[: FAULTS_AT_MOST - len(self.faults)]
            if record is not None and not found:
                # In the contract's order, so that the same records are the same bytes however the file is written.
                ordered = {name: record[name] for name in self._checks.fields}
                yield json.dumps(ordered, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _receiver(transaction: Transaction, access: AccessRules, contract: Contract, code: str) -> Member:
    receiver = directory.find(transaction, code)
    if code == PLATFORM:
        raise AccessDenied("HL4001", member=code)
    if receiver.left:
        raise AccessDenied("HL4016", member=code, what="已退出 (has left)")
    if not access.may_receive(receiver.kind, contract.type):
        raise FileRefused("HL3064", member=code, kind=receiver.kind, type=contract.type)
    return receiver


def _bodies(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines together, as many as one message may hold."""
    body, count = bytearray(), 0
    for line in lines:
        if count == LINE_LIMIT or len(body) + len(line) > BODY_LIMIT:
            yield bytes(body)
            body, count = bytearray(), 0
        body += line
        count += 1
    if count:
        yield bytes(body)


def _message_id(contract: Contract, member: str, place: int, body: bytes) -> str:
    digest = hashlib.sha256(body).hexdigest()
    return str(uuid.uuid5(_NAMESPACE, f"{contract.dataschema} {member} {place} {digest}"))
