"""What the scoreboard answers."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from huilian.http.answer_fields import count, date, money, text

__all__ = ["FileGap", "RepeatedFile", "Reported", "Scoreboard", "ScoreboardRow"]


class FileGap(ma.Schema):
    """File numbers of a day that never came."""

    as_of = date("截止日期。 The day.")
    first = count("从第几号。 From this number")
    last = count("到第几号。 to this one, both included.")


class RepeatedFile(ma.Schema):
    """A file number of a day that came twice with other contents."""

    as_of = date("截止日期。 The day.")
    number = count("文件序号。 The number.")


class Reported(ma.Schema):
    """What an institution sent of one kind for a month, the numbers of its files apart."""

    institution = text("机构。")
    institution_kind = text(validate=validate.OneOf(("bank", "guarantor", "insurer")))
    kind = text("种类。 The kind of submission.")
    status = text("及时、迟报、未报。", validate=validate.OneOf(("on_time", "late", "missing")))
    as_of = date("截止日期。 The newest date within the month.", allow_none=True)
    received_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "收到时间。 When the first file of that date came."}
    )
    applied_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "入账时间。 When it was applied; `status` goes by this."},
    )
    files = count("入账文件数。 Files accepted.")
    rows = count("总行数。 Rows in them.")
    rejected_rows = count("退回行数。 Rows of them that were rejected.")
    refused_files = count("退回文件数。 Files refused as a whole.")
    stated_rows = count("最新日期自列行数。 Rows by the files' own count, of the newest date.", allow_none=True)
    taken_rows = count("其中入账行数。 Rows of them that were taken.", allow_none=True)
    stated_amount = money("最新日期自列金额。 By the files' own totals; null where one states none", allow_none=True)
    taken_amount = money("其中入账金额。 Of that taken", allow_none=True)
    untaken_amount = money("未入账金额。 Not taken", allow_none=True)


class ScoreboardRow(Reported):
    """What an institution sent of one kind for a month."""

    missing_files = fields.List(
        fields.Nested(FileGap), required=True, metadata={"description": "缺号。 Numbers that never came."}
    )
    repeated_files = fields.List(
        fields.Nested(RepeatedFile), required=True, metadata={"description": "重号。 Numbers that came twice."}
    )


class Scoreboard(ma.Schema):
    """What banks, guarantors and insurers sent for a month."""

    month = text("月份。 Files dated within it.")
    due_date = date("报送期限。 What is applied up to this day, included, is on time.")
    rows = fields.List(fields.Nested(ScoreboardRow), required=True)
