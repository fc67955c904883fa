"""The single messages: a submission's manifest and its receipt."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from huilian.records import fields as f
from huilian.wire.submission_kinds import PATTERN
from schemas.records import KEY
from schemas.submission_kinds import GUARANTEE_BOOK, INSURANCE_PACKAGE, LOAN_LEDGER, REPAYMENT_JOURNAL, ROSTER

__all__ = [
    "SUBMISSION_KIND",
    "SUBMISSION_STATUS",
    "ControlTotals",
    "PlatformKeyList",
    "Receipt",
    "ReceiptOfVersion1",
    "ReceiptOfVersion2",
    "ReceiptOfVersion3",
    "RefusedFile",
    "RefusedFileOfVersion1",
    "SubmissionManifest",
    "SubmissionManifestOfVersion1",
    "SubmissionManifestOfVersion2",
    "SubmissionManifestOfVersion3",
    "SubmissionManifestOfVersion4",
    "SubmissionPart",
]

SUBMISSION_KIND = {
    kind.name: kind.chinese for kind in (ROSTER, LOAN_LEDGER, REPAYMENT_JOURNAL, GUARANTEE_BOOK, INSURANCE_PACKAGE)
}
"""The kinds of submission that published versions list; later ones are in `submission_kinds` alone."""
_ANY_KIND: Any = f.Text(40, pattern=PATTERN, required=True, metadata={"zh": "种类"})
_KIND_OF_VERSION_1 = {kind: SUBMISSION_KIND[kind] for kind in ("roster", "loan_ledger", "repayment_journal")}
SUBMISSION_STATUS = {"accepted": "已入账", "refused": "已退回"}


class SubmissionPart(ma.Schema):
    """One batch of a submission: its place, its contract, its size and its bytes' SHA-256."""

    sequence = f.Whole(required=True, metadata={"zh": "顺序号"})
    type = f.Text(40, required=True, metadata={"zh": "报文类型"})
    records = f.Whole(required=True, metadata={"zh": "记录数"})
    sha256 = f.Digest(required=True, metadata={"zh": "内容摘要"})


class SubmissionManifestOfVersion1(ma.Schema):
    """What a submission holds, stated by its sender and checked before any of it is applied.

    `rows` = `accepted` + `rejected`. `totals` are the sums over the accepted rows of the
    amounts its kind is controlled by: principal and balance of a ledger, principal and
    interest of a journal, none of a roster.
    """

    submission = f.Text(120, pattern=KEY, required=True, metadata={"zh": "提交编号"})
    member = f.Text(20, pattern=KEY, required=True, metadata={"zh": "机构"})
    kind = f.Code(_KIND_OF_VERSION_1, required=True, metadata={"zh": "种类"})
    as_of = f.Date(required=True, metadata={"zh": "截止日期"})
    adapter = f.Text(60, required=True, metadata={"zh": "适配器"})
    adapter_version = f.Text(20, required=True, metadata={"zh": "适配器版本"})
    file_name = f.Text(255, required=True, metadata={"zh": "文件名"})
    file_sha256 = f.Digest(required=True, metadata={"zh": "文件摘要"})
    rows = f.Whole(required=True, metadata={"zh": "总行数"})
    accepted = f.Whole(required=True, metadata={"zh": "入账"})
    rejected = f.Whole(required=True, metadata={"zh": "退回"})
    totals = ma.fields.Dict(
        keys=f.Text(40), values=f.Money(may_be_negative=True, digits=16), required=True, metadata={"zh": "合计"}
    )
    parts = ma.fields.List(ma.fields.Nested(SubmissionPart), required=True, metadata={"zh": "分批"})

    @ma.validates_schema
    def _adds_up(self, data: dict[str, int], **_: object) -> None:
        if data["rows"] != data["accepted"] + data["rejected"]:
            message = "HL2023 rows must be accepted + rejected"
            raise ma.ValidationError(message, "rows")


class SubmissionManifestOfVersion2(SubmissionManifestOfVersion1):
    """What a submission holds, stated by its sender and checked before any of it is applied.

    `rows` = `accepted` + `rejected`. `totals` are the sums over the accepted rows of the
    amounts its kind is controlled by: principal and balance of a ledger, principal and
    interest of a journal; where records are of several types the type stands before the
    field, "guarantees.guaranteed_amount". `file_sequence` is the file's number among those
    of its institution and day, where they are numbered: a gap is reported.
    """

    kind = f.Code(SUBMISSION_KIND, required=True, metadata={"zh": "种类"})
    file_sequence = f.Whole(required=True, allow_none=True, metadata={"zh": "文件序号"})
    totals = ma.fields.Dict(
        keys=f.Text(80), values=f.Money(may_be_negative=True, digits=16), required=True, metadata={"zh": "合计"}
    )


class SubmissionManifestOfVersion3(SubmissionManifestOfVersion2):
    """What a loan ledger holds, told by how it differs from the ledger before.

    `rows`, `accepted`, `rejected` and `totals` speak of the whole file, as in version 2. The
    parts hold only the loans that are new or differ from those of `base` (`loan_ledger`),
    those that are no longer there (`loans_gone`) and all `rejections`. `base` is the
    submission whose ledger is the newest the county has of this bank, the only one of its
    date, and older than this one; `base_sha256` is the SHA-256 over its own `base_sha256`,
    if it has one, and its parts' SHA-256 in their order, in lower-case hexadecimal without
    separators: the same file may have been translated otherwise. The county adds up the whole and holds it to `totals`.
    """

    kind = f.Code({"loan_ledger": SUBMISSION_KIND["loan_ledger"]}, required=True, metadata={"zh": "种类"})
    base = f.Text(120, pattern=KEY, required=True, metadata={"zh": "所依据的提交编号"})
    base_sha256 = f.Digest(required=True, metadata={"zh": "所依据提交的分批摘要"})


class ControlTotals(ma.Schema):
    """What a file states of itself: the figures of its own trailer, rejected rows included.

    `amounts` have the names of the manifest's `totals`; where the file adds several of them up
    in one figure, the names stand with a "+" between: "policies.premium+claims.amount".
    """

    rows = f.Whole(required=True, allow_none=True, metadata={"zh": "行数"})
    amounts = ma.fields.Dict(
        keys=f.Text(160), values=f.Money(may_be_negative=True, digits=16), required=True, metadata={"zh": "金额"}
    )


class SubmissionManifestOfVersion4(SubmissionManifestOfVersion2):
    """What a submission holds, stated by its sender and checked before any of it is applied.

    As version 2, and besides: `control_totals` is what the file states of itself, null where
    it states nothing, so that the county can say how much of it was not taken. A full list
    (roster, loan ledger, guarantee book) that lacks more of what stood than the county lets
    pass is refused (HL3066), unless it lacks at most `allow_missing` records. `base` and
    `base_sha256` are those of version 3: a loan ledger told by its differences; null otherwise.
    """

    control_totals = ma.fields.Nested(ControlTotals, required=True, allow_none=True, metadata={"zh": "文件自列合计"})
    allow_missing = f.Whole(required=True, metadata={"zh": "允许缺少的条数"})
    base = f.Text(120, pattern=KEY, required=True, allow_none=True, metadata={"zh": "所依据的提交编号"})
    base_sha256 = f.Digest(required=True, allow_none=True, metadata={"zh": "所依据提交的分批摘要"})


class SubmissionManifest(SubmissionManifestOfVersion4):
    """What a submission holds, stated by its sender and checked before any of it is applied.

    As version 4, of any kind that the county takes.
    """

    kind = _ANY_KIND


class RefusedFileOfVersion1(ma.Schema):
    """A file that its sender's adapter refused as a whole: none of its rows was sent.

    The county must know that a file is there and is not in its figures. `submission` is not the
    name the file would have had: the same bytes are taken later, once what refused them is mended.
    """

    submission = f.Text(120, pattern=KEY, required=True, metadata={"zh": "提交编号"})
    member = f.Text(20, pattern=KEY, required=True, metadata={"zh": "机构"})
    kind = f.Code(SUBMISSION_KIND, required=True, metadata={"zh": "种类"})
    as_of = f.Date(required=True, metadata={"zh": "截止日期"})
    adapter = f.Text(60, required=True, metadata={"zh": "适配器"})
    adapter_version = f.Text(20, required=True, metadata={"zh": "适配器版本"})
    file_name = f.Text(255, required=True, metadata={"zh": "文件名"})
    file_sha256 = f.Digest(required=True, metadata={"zh": "文件摘要"})
    code = f.Text(6, pattern=r"^HL[0-9]{4}$", required=True, metadata={"zh": "错误代码"})
    message = f.Text(500, required=True, metadata={"zh": "错误说明"})


class RefusedFile(RefusedFileOfVersion1):
    """A file that its sender's adapter refused as a whole: none of its rows was sent.

    As version 1, of any kind that the county takes.
    """

    kind = _ANY_KIND


class ReceiptOfVersion1(ma.Schema):
    """The registry's signed answer to a submission; asked again, it is the same.

    `changed` and `unchanged` count accepted rows against what was known before;
    `missing` counts the records of the last submission that this one no longer has.
    """

    submission = f.Text(120, pattern=KEY, required=True, metadata={"zh": "提交编号"})
    member = f.Text(20, pattern=KEY, required=True, metadata={"zh": "机构"})
    kind = f.Code(_KIND_OF_VERSION_1, required=True, metadata={"zh": "种类"})
    as_of = f.Date(required=True, metadata={"zh": "截止日期"})
    status = f.Code(SUBMISSION_STATUS, required=True, metadata={"zh": "结果"})
    rows = f.Whole(required=True, metadata={"zh": "总行数"})
    accepted = f.Whole(required=True, metadata={"zh": "入账"})
    rejected = f.Whole(required=True, metadata={"zh": "退回"})
    changed = f.Whole(required=True, metadata={"zh": "变动"})
    unchanged = f.Whole(required=True, metadata={"zh": "未变"})
    missing = f.Whole(required=True, metadata={"zh": "缺失"})
    code = f.Text(6, required=True, allow_none=True, metadata={"zh": "错误代码"})
    message = f.Text(500, required=True, allow_none=True, metadata={"zh": "错误说明"})
    file_sha256 = f.Digest(required=True, metadata={"zh": "文件摘要"})


class ReceiptOfVersion2(ReceiptOfVersion1):
    """The registry's signed answer to a submission; asked again, it is the same.

    `changed` and `unchanged` count accepted rows against what was known before;
    `missing` counts the records of the last submission that this one no longer has.
    """

    kind = f.Code(SUBMISSION_KIND, required=True, metadata={"zh": "种类"})


class ReceiptOfVersion3(ReceiptOfVersion2):
    """The signed answer to a submission of a kind that version 2 does not list; otherwise as that version."""

    kind = _ANY_KIND


class RefusedRecord(ma.Schema):
    """One reason why the county did not apply one record; a record with three reasons stands three times.

    `field` is the contract's, null where the whole record is meant; `reference` is the record's own number, by which
    it is found in files of several sheets, whose lines repeat.
    """

    type = f.Text(40, required=True, metadata={"zh": "报文类型"})
    line = f.Whole(required=True, metadata={"zh": "行号"})
    field = f.Text(60, required=True, allow_none=True, metadata={"zh": "字段"})
    code = f.Text(6, pattern=r"^HL[0-9]{4}$", required=True, metadata={"zh": "错误代码"})
    message = f.Text(500, required=True, metadata={"zh": "错误说明"})
    reference = f.Text(120, required=True, metadata={"zh": "业务编号"})


class Receipt(ReceiptOfVersion3):
    """The signed answer to a submission of which the county refused single records and applied the others.

    `rejected` counts these records and the rows that the sender's adapter had rejected. `refusals` tells why, at most
    1,000 reasons; `refused_totals` is what the refused records add up to, by the names of the manifest's `totals`.
    A receipt that refuses no single record is of an earlier version and has neither.
    """

    refusals = ma.fields.List(ma.fields.Nested(RefusedRecord), metadata={"zh": "退回的记录"})
    refused_totals = ma.fields.Dict(
        keys=f.Text(80), values=f.Money(may_be_negative=True, digits=16), metadata={"zh": "退回记录合计"}
    )


class DocumentSignature(ma.Schema):
    """One signature of a signed document, as RFC 7515 has it in its general JSON serialisation."""

    protected = f.Text(1000, required=True, metadata={"zh": "签名头"})
    signature = f.Text(200, required=True, metadata={"zh": "签名"})


class PlatformKeyList(ma.Schema):
    """The platform's keys: new, ended and revoked ones, as a document signed with all that count.

    A JWS in the general JSON serialisation (RFC 7515, 7.2.1); `typ` is `huilian-platform-keys+json`. The payload is
    BASE64URL of a JSON object with `county`, `time` and `keys`: of each `key` (BASE64URL of its 32 bytes), `from`,
    `until` and `revoked` (since when, or null), in UTC to the second. Take it when a key signed that you trust, that
    counts now and that the list does not revoke, whoever sealed the message; from then on believe nothing more that
    comes sealed by a revoked key, whatever time it states.
    """

    payload = f.Text(60000, required=True, metadata={"zh": "内容"})
    signatures = ma.fields.List(ma.fields.Nested(DocumentSignature), required=True, metadata={"zh": "签名"})
