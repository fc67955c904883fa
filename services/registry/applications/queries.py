"""What can be asked of applications: each as it is now, what waits for whom, and the whole story of one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma

from huilian.core import identity, money, regions
from huilian.core.errors import UsageError
from huilian.county.answer_fields import code, coded, count, date, masked, text
from huilian.county.answer_fields import money as amount
from huilian.county.queries import INSTITUTION, REGION, Parameter, Query
from schemas.applications import APPLICATION_STATE, RESERVATION
from schemas.ratings import BORROWER
from schemas.stories import application_story_told_by, labelled
from services.registry.applications.book import OWN
from services.registry.applications.states import titles
from services.registry.parties import selects as parties

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy

__all__ = ["OF_HOUSEHOLD", "QUERIES", "shown"]

_CURSOR: Final = re.compile(r"^[0-9]{1,18}$", re.ASCII)
MOVE: Final = {
    "submit": "申请",
    "resubmit": "更正后重新申请",
    "approve": "同意",
    "approve_to_reserve": "同意，申请备付",
    "approve_last": "同意，待放款",
    "reserve": "已备付",
    "confirm": "已备付，确认",
    "fund_refuses": "备付额度不足",
    "fund_returns": "备付额度不足，退回",
    "send_back": "退回",
    "return": "退回补正",
    "refuse": "不同意",
    "withdraw": "撤回",
    "lapse": "逾期失效",
    "chase": "超期未办，已督办",
    "lend": "已放款",
    "lend_last": "已放款，办结",
    "lend_another": "更换借据",
    "lend_another_last": "更换借据",
    "take_back": "借据已撤销，待放款",
    "cover": "已承保",
    "cover_last": "已承保，办结",
}
"""What people call each move, and that a step was chased."""
_HEAD: Final = """CASE WHEN s.move IN ('submit', 'resubmit') THEN concat(
    '：' || a.applicant_name, ' ' || overlay(a.applicant PLACING '********' FROM 7 FOR 8),
    '，', s.snapshot ->> 'term', ' 个月，', a.institution) END"""
"""Who asks for what at which bank: the number of her identity card is masked."""
_STORY: Final = f"""
    SELECT s.date AS "on", row_number() OVER (ORDER BY s.number) AS rank, a.region,
           -- Of the calendar it is who is late, of the ledger its bank; what the fund does no member does.
           CASE WHEN s.member <> '{OWN}' THEN s.member WHEN s.move = 'take_back' THEN a.institution
                ELSE s.snapshot ->> 'late' END AS institution,
           '贷款申请：' || coalesce(s.title, s.step, '') AS what, a.application_no AS number,
           coalesce(s.amount, (s.snapshot ->> 'amount')::numeric, (s.snapshot -> 'application' ->> 'amount')::numeric)
               AS amount,
           concat({labelled("s.move", MOVE)}, {_HEAD}, '；' || s.reason, '；' || s.opinion,
                  -- Dated before its last day, and entered after it.
                  CASE WHEN s.decision IS NOT NULL AND s.due < s.entered AND s.date <= s.due
                       THEN '；补录，超期' END) AS state,
           (s.snapshot -> 'read' ->> 'submission')::integer AS submission,
           (s.snapshot -> 'read' ->> 'sequence')::integer AS sequence,
           (s.snapshot -> 'read' ->> 'line')::integer AS line, s.message AS said_in, s.entered,
           -- What the calendar, the fund and the ledger do is the bank's to know, too.
           CASE WHEN s.member = '{OWN}' THEN a.institution ELSE s.member END AS told_to{{more}}
    FROM registry.application a JOIN registry.application_step s USING (application_no)
    WHERE {{condition}}
"""
OF_HOUSEHOLD: Final = _STORY.format(more="", condition="a.borrower = 'household' AND a.borrower_no = %(household)s")
"""What happened to the applications of `%(household)s`."""
OF_APPLICATION: Final = _STORY.format(more=", s.person", condition="a.application_no = %(application)s")

STATE: Final = Parameter("state", "只看处于该状态的", "those in this state only", choices=tuple(APPLICATION_STATE))
STAGE: Final = Parameter(
    "stage", "只看待办该步骤的", "those at which this step is due only", metavar="STEP", example="township_review"
)
LATE: Final = Parameter("late", "只看超期的或未超期的", "those that are late or the others only", choices=("yes", "no"))


class ApplicationRow(ma.Schema):
    """One application as it is now."""

    application_no = text("申请编号")
    borrower = coded("主体", BORROWER)
    borrower_no = text("户编号或企业编号")
    applicant_name = text("申请人", allow_none=True)
    applicant = masked("申请人证件号码", allow_none=True)
    region = text("行政区划代码")
    institution = text("贷款银行")
    product = text("产品代码", "The bank's own; null where it was not said.", allow_none=True)
    policy = text("政策", "Its name and product.")
    amount = amount("金额", "As the last step set it")
    term = count("期限（月）")
    annual_rate_percent = text("年利率（%）", allow_none=True)
    purpose = text("贷款用途")
    way = text("帮扶方式", allow_none=True)
    applied = date("申请日期", "As form 1 states it.")
    entered = date("录入日期", "When form 1 was sealed.")
    state = coded("状态", APPLICATION_STATE)
    stage = text("待办步骤", "The step that is due.", allow_none=True)
    stage_since = date("步骤起始日期")
    due = date("办理期限", "The last day for the step that is due.", allow_none=True)
    chased = date("督办日期", "When it was chased.", allow_none=True)
    reservation = coded("备付", RESERVATION, "What the fund is asked to hold.", allow_none=True)
    confirmation_no = text("确认编号", allow_none=True)
    confirmed = date("确认日期", allow_none=True)
    valid_until = date("有效期至", "The last day on which it is valid as it stands.", allow_none=True)
    loan_no = text("借据号", allow_none=True)
    reason = text("说明", "Of the last refusal, sending back or answer.", allow_none=True)


class WaitingRow(ma.Schema):
    """One application that waits for a step."""

    application_no = text("申请编号")
    borrower_no = text("户编号或企业编号")
    region = text("行政区划代码")
    institution = text("贷款银行")
    amount = amount("金额")
    state = coded("状态", APPLICATION_STATE)
    stage = code("步骤代码")
    title = text("待办步骤", "What the county's policy calls it.")
    stage_since = date("步骤起始日期")
    due = date("办理期限", "Null where the policy sets none.", allow_none=True)
    late = coded("是否超期", {"yes": "是", "no": "否"})
    days_late = count("超期天数")


def _feed(
    transaction: Transaction,
    *,
    region: str,
    since: str | None = None,
    institution: str | None = None,
    state: str | None = None,
) -> tuple[str, Iterator[dict[str, Any]]]:
    """Return the applications of a region that changed since a cursor, each as it is now, and the next cursor.

    Raises:
        UsageError: HL7004, the cursor is not one; HL7002, the region is not one.
    """
    if since is not None and not _CURSOR.match(since):
        raise UsageError("HL7004", cursor=since[:20])
    cursor = transaction.value("SELECT coalesce(max(revision), 0) FROM registry.application")
    if int(since or 0) > cursor:
        raise UsageError("HL7004", cursor=str(since))
    rows = transaction.stream(
        """
        SELECT * FROM registry.application
        WHERE revision > %(since)s AND region LIKE %(region)s
          AND (%(institution)s::text IS NULL OR institution = %(institution)s)
          AND (%(state)s::text IS NULL OR state = %(state)s)
        ORDER BY revision, application_no
        """,
        {
            "since": int(since or 0),
            "region": regions.normalise(region) + "%",
            "institution": institution,
            "state": state,
        },
    )
    return str(cursor), map(_row, rows)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: row[name] for name in ApplicationRow().fields if name in row}
    days = {name: value.isoformat() for name, value in told.items() if hasattr(value, "isoformat")}
    return told | days | shown(row) | {"product": row["bank_product"], "policy": f"{row['policy']}/{row['product']}"}


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what people may see of an application in its place: the number masked, amount and rate as texts."""
    rate = row["annual_rate_percent"]
    return {
        "applicant": row["applicant"] and identity.mask(row["applicant"]),
        "amount": money.text(row["amount"]),
        "annual_rate_percent": None if rate is None else f"{rate.normalize():f}",
    }


def _waiting(
    transaction: Transaction,
    *,
    region: str,
    institution: str | None = None,
    stage: str | None = None,
    late: str | None = None,
    policy: Policy,
    today: dt.date,
) -> Iterator[dict[str, Any]]:
    """Yield the applications of a region that wait for a step, what is due first before the others.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    named = titles(policy)
    rows = transaction.stream(
        """
        SELECT application_no, borrower_no, region, institution, amount::text, product, state, stage,
               stage_since::text, due::text, CASE WHEN due < %(today)s THEN 'yes' ELSE 'no' END AS late,
               greatest(0, coalesce(%(today)s - due, 0)) AS days_late
        FROM registry.application
        WHERE stage IS NOT NULL AND region LIKE %(region)s
          AND (%(institution)s::text IS NULL OR institution = %(institution)s)
          AND (%(stage)s::text IS NULL OR stage = %(stage)s)
          AND (%(late)s::text IS NULL OR (due IS NOT NULL AND due < %(today)s) = (%(late)s = 'yes'))
        ORDER BY due NULLS LAST, application_no
        """,
        {
            "region": regions.normalise(region) + "%",
            "institution": institution,
            "stage": stage,
            "late": late,
            "today": today,
        },
    )
    for row in rows:
        stage = row["stage"]
        yield row | {"title": named.get((row.pop("product"), stage), stage)}


QUERIES: Final = (
    Query(
        "feed/applications",
        _feed,
        ApplicationRow,
        "输出区划内的贷款申请，每件一行，含所处步骤、办理期限、备付和确认。身份证号已遮盖。给出游标则只输出其后有变动的。",
        "Return the applications of a region that changed since a cursor, each as it is now.",
        "Rows come in the order in which they changed. A bank's token sees the applications to the bank.",
        parameters=(REGION, INSTITUTION, STATE),
        follows=True,
        personal=True,
        examples=(
            "huilian feed applications --region 341599 --format csv > 贷款申请.csv",
            "huilian feed applications --region 341599101 --state in_review",
        ),
    ),
    Query(
        "applications",
        _waiting,
        WaitingRow,
        "待办的贷款申请：每件等待哪个步骤、办理期限、是否超期，先到期的在前。",
        "List the applications that wait for a step: which, until when, and whether it is late.",
        parameters=(REGION, INSTITUTION, STAGE, LATE),
        needs_policy=True,
        personal=True,
        examples=(
            "huilian applications --region 341599101001",
            "huilian applications --region 341599101 --stage township_review --late yes",
        ),
    ),
    application_story_told_by("registry", f"{OF_APPLICATION} UNION ALL {parties.OF_APPLICATION}", told_to="h.told_to"),
)
