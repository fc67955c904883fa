"""What the county can be asked of submissions: what was sent, and who has sent what for a month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma

from huilian.county.answer_fields import coded, count, date, moment, money, nested, text
from huilian.county.queries import INSTITUTION, LAST_MONTH, MONTH, Parameter, Query
from huilian.county.submissions import receipts, scoreboard

if TYPE_CHECKING:
    import datetime as dt

    from huilian.database.connection import Transaction

__all__ = ["INSTITUTION_KINDS", "QUERIES", "REPORTED", "STATUS"]


INSTITUTION_KINDS: Final = {"bank": "银行", "guarantor": "担保机构", "insurer": "保险机构"}
REPORTED: Final = {"on_time": "及时", "late": "迟报", "missing": "未报"}
STATUS: Final = {"receiving": "接收中", "accepted": "已接收", "refused": "已拒绝"}


class Submission(ma.Schema):
    """A submission and what became of its rows; the counts are null until it is applied."""

    submission = text("提交编号")
    member = text("机构")
    kind = text("种类")
    as_of = date("截止日期")
    status = coded("状态", STATUS)
    received_at = moment("收到")
    applied_at = moment("入账时间", allow_none=True)
    file_name = text("文件名")
    rows = count("总行数")
    accepted = count("入账", allow_none=True)
    rejected = count("退回", allow_none=True)
    changed = count("变动", allow_none=True)
    unchanged = count("未变", allow_none=True)
    missing = count("缺失", allow_none=True)
    code = text("退回代码", "Why it was refused as a whole.", allow_none=True)


class Submissions(ma.Schema):
    """All submissions the token may see, newest first."""

    submissions = nested(Submission, "提交", many=True)


class FileGap(ma.Schema):
    """File numbers of a day that never came."""

    as_of = date("截止日期", "The day.")
    first = count("从第几号", "From this number")
    last = count("到第几号", "to this one, both included.")


class RepeatedFile(ma.Schema):
    """A file number of a day that came twice with other contents."""

    as_of = date("截止日期", "The day.")
    number = count("文件序号", "The number.")


class Reported(ma.Schema):
    """What an institution sent of one kind for a month, the numbers of its files apart."""

    institution = text("机构")
    institution_kind = coded("机构类别", INSTITUTION_KINDS)
    kind = text("种类", "The kind of submission.")
    status = coded("报送", REPORTED, "In time, late or missing.")
    as_of = date("截止日期", "The newest date within the month.", allow_none=True)
    received_at = moment("收到时间", "When the first file of that date came.", allow_none=True)
    applied_at = moment("入账时间", "When it was applied; `status` goes by this.", allow_none=True)
    files = count("入账文件数", "Files accepted.")
    rows = count("总行数", "Rows in them.")
    rejected_rows = count("退回行数", "Rows of them that were rejected.")
    refused_files = count("退回文件数", "Files refused as a whole.")
    stated_rows = count("最新日期自列行数", "Rows by the files' own count, of the newest date.", allow_none=True)
    taken_rows = count("其中入账行数", "Rows of them that were taken.", allow_none=True)
    stated_amount = money("最新日期自列金额", "By the files' own totals; null where one states none", allow_none=True)
    taken_amount = money("其中入账金额", "Of that taken", allow_none=True)
    untaken_amount = money("未入账金额", "Not taken", allow_none=True)


class ScoreboardRow(Reported):
    """What an institution sent of one kind for a month."""

    missing_files = nested(FileGap, "缺号", "Numbers that never came.", many=True)
    repeated_files = nested(RepeatedFile, "重号", "Numbers that came twice.", many=True)


class Scoreboard(ma.Schema):
    """What banks, guarantors and insurers sent for a month."""

    month = text("月份", "Files dated within it.")
    due_date = date("报送期限", "What is applied up to this day, included, is on time.")
    rows = nested(ScoreboardRow, "报送", many=True)


class ScoreboardFeedRow(Reported):
    """A line of a month's scoreboard: what an institution sent of one kind."""

    class Meta:
        """The month stands first, as in the rows."""

        fields = (
            *("month", "due_date", "institution", "institution_kind", "kind", "status", "as_of", "received_at"),
            *("applied_at", "files", "rows", "rejected_rows", "refused_files", "missing_files", "repeated_files"),
            *("stated_rows", "taken_rows", "stated_amount", "taken_amount", "untaken_amount"),
        )

    month = text("月份")
    due_date = date("报送期限", "What is applied up to this day, included, is on time.")
    missing_files = text("缺号", 'Numbers that never came, "2024-05-31 3-4"; null without any.', allow_none=True)
    repeated_files = text("重号", "Numbers that came twice with other contents; null without any.", allow_none=True)


def listed_submissions(transaction: Transaction, *, member: str | None) -> dict[str, Any]:
    """Return all submissions with their counts, newest first, as they are published."""
    found = receipts.submissions(transaction, member=member)
    return {"submissions": [{name: _plain(row[name]) for name in Submission().fields} for row in found]}


def _plain(value: dt.datetime | str | int | None) -> str | int | None:
    return value if value is None or isinstance(value, str | int) else value.isoformat()


QUERIES: Final = (
    Query(
        "scoreboard",
        scoreboard.scoreboard,
        Scoreboard,
        "各机构当月报送考核：及时、迟报、未报，文件数，退回行数，缺号和重号。",
        "Return what banks, guarantors and insurers have sent for a month, dated within it.",
        "One row for each institution and kind of submission: whether it was applied in time,\n"
        "how many files and rows, what was rejected, which file numbers never came or came twice.\n"
        "A member's token sees its member's rows; of regions, only one of the whole county sees any.",
        parameters=(MONTH, INSTITUTION),
        document=True,
        needs_kinds=True,
        examples=(
            "huilian scoreboard --month 2024-05",
            "huilian scoreboard --month 2024-05 --institution RCB01 --json",
        ),
    ),
    Query(
        "feed/scoreboard",
        scoreboard.scoreboard_feed,
        ScoreboardFeedRow,
        "输出某月报送考核，每机构每种类一行：及时、迟报、未报，文件数，退回行数，缺号和重号。不写月份则为上月。",
        "Return a month's scoreboard, a line for each institution and kind of submission: see `/scoreboard`.",
        "A member's token sees its member's lines; of regions, only one of the whole county sees any.",
        parameters=(LAST_MONTH, INSTITUTION),
        needs_kinds=True,
        examples=(
            "huilian feed scoreboard --month 2024-05 --format csv > 报送考核.csv",
            "huilian feed scoreboard --institution RCB01",
        ),
    ),
    Query(
        "submissions",
        listed_submissions,
        Submissions,
        "列出报送记录，最近的在前。",
        "Return the submissions the token may see, newest first.",
        "A member's token sees its member's; of regions, only one of the whole county sees any.",
        parameters=(
            Parameter("member", "只看该机构", "this member only", metavar="CODE", example="RCB01", narrows="member"),
        ),
        document=True,
        listed="submissions",
        examples=("huilian submissions", "huilian submissions --member RCB01 --json"),
    ),
)
