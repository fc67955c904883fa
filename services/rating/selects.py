"""What the rating service answers."""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money, regions
from huilian.core.errors import UsageError
from huilian.policy.reading import Reading
from schemas.rating_steps import BORROWER_DEED
from schemas.stories import labelled
from services.rating.assessments import NOT_ON_ROSTER, OTHER_VILLAGE, UNKNOWN_GROUND
from services.rating.states import ASSESSMENT, OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.database.connection import Transaction
    from huilian.policy.policies import Entry, Policy

__all__ = [
    "STORY", "household_ratings", "rated_villages", "rating_feed", "rating_groups", "rating_objections",
    "rating_postings", "rating_steps",
]  # fmt: skip

_CURSOR: Final = re.compile(r"^[0-9]{1,9}$", re.ASCII)
_HUNDRED: Final = Decimal(100)
_SIX_PLACES: Final = Decimal("0.000001")
_MARKS: Final = ("poor", "fair", "good")

_MOVES: Final = {
    "approve": "同意", "approve_to_post": "同意", "approve_last": "同意，生效", "refuse": "不同意",
    "send_back": "退回", "return": "退回采集", "post": "公示", "object": "异议", "dismiss": "异议不成立",
    "uphold": "异议成立", "post_again": "公示期满", "go_on": "公示期满", "activate": "公示期满，生效",
    "bar": "不予评级", "expire": "到期", "withdraw": "取消", "regrade": "调整等级",
}  # fmt: skip
_CAUSES: Final = {
    "on_time_repayment": "按期还清", "overdue": "逾期", "default": "违约", "malicious_default": "恶意违约",
    **BORROWER_DEED,
}  # fmt: skip
_MALICIOUS: Final = {"yes": "恶意", "no": "非恶意"}
STORY: Final = f"""
    SELECT w.collected_on AS "on", 6 AS rank, w.village AS region, w.member AS institution, '评级采集' AS what,
           a.number::text AS number, a.line AS amount,
           concat_ws(' ', {labelled("a.state", ASSESSMENT.states)}, a.grade, a.score) AS state,
           w.submission, w.sequence, w.line, NULL::text AS said_in
    FROM rating.statement w LEFT JOIN LATERAL (
        SELECT * FROM rating.assessment a
        WHERE a.borrower = w.borrower AND a.borrower_no = w.borrower_no AND a.collected_on = w.collected_on
        ORDER BY a.number LIMIT 1
    ) a ON true
    WHERE w.borrower = 'household' AND w.borrower_no = %(household)s
  UNION ALL
    SELECT r.date, 4, r.region, r.member, '评级申请', r.request_no, NULL,
           CASE r.consent WHEN 'yes' THEN '已签查询授权' ELSE '未签查询授权' END, NULL, NULL, NULL, r.message
    FROM rating.request r WHERE r.borrower = 'household' AND r.borrower_no = %(household)s
  UNION ALL
    SELECT s.date, 6 + row_number() OVER (ORDER BY s.number), a.region, s.member,
           concat('评级', {labelled("s.move", _MOVES)}), a.number::text, n.line,
           concat_ws(' ', coalesce(%(titles)s::json ->> split_part(s.stage, '.', 1), nullif(s.stage, '')),
                     {labelled("s.reason", _CAUSES)}, n.grade, n.score,
                     '至 ' || n.valid_until),
           NULL, NULL, NULL, s.message
    FROM rating.step s JOIN rating.assessment a ON a.number = s.assessment
    LEFT JOIN LATERAL (
        SELECT n.line, n.grade, n.score, n.valid_until FROM rating.assessment n
        WHERE n.borrower = a.borrower AND n.borrower_no = a.borrower_no
          AND (n.number = a.number AND s.move IN ('activate', 'approve_last')
               OR n.number > a.number AND s.move = 'regrade')
        ORDER BY n.number LIMIT 1
    ) n ON true
    WHERE a.borrower = 'household' AND a.borrower_no = %(household)s
  UNION ALL
    SELECT l.date, 1000000, a.region, l.institution, '授信', a.number::text, l.amount,
           format('%%s 至 %%s', l.from_date, l.until_date), NULL, NULL, NULL, l.message
    FROM rating.credit_line l JOIN rating.assessment a ON a.number = l.assessment
    WHERE l.borrower = 'household' AND l.borrower_no = %(household)s
  UNION ALL
    SELECT t.day, 1000001, coalesce((SELECT min(a.region) FROM rating.assessment a
                                     WHERE a.borrower = b.borrower AND a.borrower_no = b.borrower_no), ''),
           b.member, t.what, b.entry_no, NULL, concat({labelled("b.malicious", _MALICIOUS)}, '：', b.reason),
           NULL, NULL, NULL, t.message
    FROM rating.blacklist b CROSS JOIN LATERAL (
        -- Of an entry that was ended the message that ended it is kept.
        VALUES (b.from_date, '列入失信名单', CASE WHEN b.until_date IS NULL THEN b.message END),
               (b.until_date, '移出失信名单', b.message)
    ) t (day, what, message)
    WHERE b.borrower = 'household' AND b.borrower_no = %(household)s AND t.day IS NOT NULL
  UNION ALL
    SELECT d.date, 5, coalesce((SELECT min(a.region) FROM rating.assessment a
                                WHERE a.borrower = d.borrower AND a.borrower_no = d.borrower_no), ''),
           d.member, '行为认定', d.reference, NULL, {labelled("d.deed", BORROWER_DEED)}, NULL, NULL, NULL, d.message
    FROM rating.deed d WHERE d.borrower = 'household' AND d.borrower_no = %(household)s
"""
"""What was done for a household's rating; of a step that was taken alone the message is its own."""


def rating_feed(
    transaction: Transaction,
    *,
    region: str,
    since: str | None = None,
    institution: str | None = None,
    borrower: str | None = None,
) -> tuple[str, Iterator[dict[str, Any]]]:
    """Return the ratings of a region that changed since a cursor, each as it is now, and the next cursor.

    Args:
        transaction: it must stay open while rows are read.
        region: a county, township or village.
        since: the cursor a former call returned; everything without it.
        institution: only those to whom this bank has set a line.
        borrower: only this household or enterprise.

    Raises:
        UsageError: HL7004, the cursor is not one; HL7002, the region is not one.
    """
    if since is not None and not _CURSOR.match(since):
        raise UsageError("HL7004", cursor=since[:20])
    cursor = int(transaction.value("SELECT coalesce(max(revision), 0) FROM rating.assessment"))
    if int(since or 0) > cursor:
        # Issued before a restore from a backup: from it a reader would miss what changes again.
        raise UsageError("HL7004", cursor=str(since))
    rows = transaction.stream(
        """
        SELECT a.* FROM rating.assessment a
        WHERE a.revision > %(since)s AND a.region LIKE %(region)s
          AND (%(borrower)s::text IS NULL OR a.borrower_no = %(borrower)s)
          AND (%(institution)s::text IS NULL OR EXISTS (
               SELECT FROM rating.credit_line l WHERE l.borrower = a.borrower AND l.borrower_no = a.borrower_no
                  AND l.institution = %(institution)s))
        ORDER BY a.revision, a.number
        """,
        _within(region, since=int(since or 0), borrower=borrower, institution=institution),
    )
    return str(cursor), (_plain(row | {"reason": _lacking(row)}) for row in rows)


_LACKING: Final = {
    UNKNOWN_GROUND: "政策没有列出这项否决情形，请核对政策：{what} (the policy lists no such ground)",
    NOT_ON_ROSTER: "名册中没有这一户 (it is not on the roster)",
    OTHER_VILLAGE: "名册中这一户属于其他村 (the roster has it in another village)",
}


def _lacking(row: dict[str, Any]) -> str | None:
    """Return the reason of a rating, in words where it is incomplete for more than a value that is missing."""
    reason: str | None = row["reason"]
    if reason is None or row["state"] != "incomplete":
        return reason
    code, _, what = reason.partition(":")
    return _LACKING[code].format(what=what) if code in _LACKING else reason


def household_ratings(
    transaction: Transaction,
    *,
    region: str,
    policy: Policy,
    today: dt.date,
    institution: str | None = None,
    rated: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Return the households on the roster, and whoever else was collected, each with its rating in force.

    Args:
        transaction: it must stay open while rows are read.
        region: a county, township or village.
        policy: the county's.
        today: the county's day.
        institution: only those to whom this bank has set a line.
        rated: "yes" or "no".

    Raises:
        UsageError: HL7002, the region is not one.
    """
    del policy
    rows = transaction.stream(
        f"""
        WITH {_KNOWN}
        SELECT k.borrower, k.borrower_no, coalesce(a.region, k.region) AS region,
               coalesce(k.household_kind, a.household_kind) AS household_kind,
               CASE WHEN a.number IS NULL THEN 'no' ELSE 'yes' END AS rated, a.score, a.grade, a.line, a.valid_until,
               a.again_on, coalesce(l.amount, 0) AS credit_lines,
               CASE WHEN l.cut THEN 'yes' ELSE 'no' END AS credit_lines_cut, o.state AS under_way, o.stage,
               CASE b.malicious WHEN 'yes' THEN 'maliciously' WHEN 'no' THEN 'yes' ELSE 'no' END AS blacklisted
        FROM known k
        LEFT JOIN rating.assessment a
          ON a.borrower = k.borrower AND a.borrower_no = k.borrower_no AND a.state = 'active'
        LEFT JOIN ({_LINES}) l ON l.borrower = k.borrower AND l.borrower_no = k.borrower_no
        LEFT JOIN (SELECT DISTINCT ON (borrower, borrower_no) * FROM rating.assessment WHERE state = ANY(%(open)s)
                   ORDER BY borrower, borrower_no, number DESC) o
          ON o.borrower = k.borrower AND o.borrower_no = k.borrower_no
        LEFT JOIN (SELECT borrower, borrower_no, max(malicious) AS malicious FROM rating.blacklist
                   WHERE from_date <= %(today)s AND (until_date IS NULL OR until_date > %(today)s) GROUP BY 1, 2) b
          ON b.borrower = k.borrower AND b.borrower_no = k.borrower_no
        WHERE (%(rated)s::text IS NULL OR (%(rated)s = 'yes') = (a.number IS NOT NULL))
          AND (%(institution)s::text IS NULL OR EXISTS (
               SELECT FROM rating.credit_line c WHERE c.borrower = k.borrower AND c.borrower_no = k.borrower_no
                  AND c.institution = %(institution)s))
        ORDER BY 3, 1, 2
        """,
        _within(region, today=today, rated=rated, institution=institution, open=list(OPEN)),
    )
    return map(_plain, rows)


_KNOWN: Final = """
    roster AS (
        SELECT household_no, min(region) AS region, min(category) AS category, min(village_group) AS village_group
        FROM (
            SELECT household_no, region, category, village_group FROM rating.household_change
            WHERE region LIKE %(region)s GROUP BY 1, 2, 3, 4 HAVING sum(n) > 0
        ) there GROUP BY 1
    ), known AS (
        SELECT 'household' AS borrower, household_no AS borrower_no, region, category AS household_kind, village_group,
               true AS on_roster
        FROM roster
      UNION ALL (
        SELECT DISTINCT ON (a.borrower, a.borrower_no) a.borrower, a.borrower_no, a.region, a.household_kind, NULL,
               false
        FROM rating.assessment a
        WHERE a.region LIKE %(region)s
          AND NOT (a.borrower = 'household' AND a.borrower_no IN (SELECT household_no FROM roster))
        ORDER BY a.borrower, a.borrower_no, a.number DESC)
    )
"""
"""The households on the roster of a region, and whoever else was collected there."""
_LINES: Final = """
    SELECT borrower, borrower_no, least(sum(amount), line) AS amount, sum(amount) > line AS cut FROM (
        SELECT DISTINCT ON (c.borrower, c.borrower_no, c.institution) c.*, s.line
        FROM rating.credit_line c JOIN rating.assessment s ON s.number = c.assessment AND s.state = 'active'
        WHERE c.from_date <= %(today)s ORDER BY c.borrower, c.borrower_no, c.institution, c.from_date DESC
    ) newest WHERE until_date > %(today)s GROUP BY borrower, borrower_no, line
"""
"""What banks have set that holds under the rating in force, each bank's newest line; the rating's line cuts it."""


def rated_villages(
    transaction: Transaction, *, region: str, policy: Policy, today: dt.date, on: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return how far villages and townships are rated, held against the policy's date and criteria.

    Groups of villages are told of where the policy has criteria for them. Whether the share is met is judged by whose
    ratings were in force on the date, of the households that there are today.

    Args:
        transaction: it must stay open while rows are read.
        region: a county, township or village.
        policy: the county's.
        today: the county's day.
        on: a day in whose year the date lies; without it the date that was passed last.

    Raises:
        UsageError: HL7002, the region is not one; HL7011, `on` is no day.
    """
    facts = {"event": today}
    reading = Reading(policy, None)
    minimum = reading.value("rating.share_rated_minimum", facts)
    rated_by = _set_for(reading.value("rating.rated_by", facts), today, on)
    criteria = {entry["level"]: entry for entry in reading.entries("rating.credit_regions", facts)}
    counted = {
        level: list(_from(policy.vocabulary.grades, entry["grade"])) if entry["grade"] else None
        for level, entry in criteria.items()
    }
    households = list(reading.entries("rating.credit_households", facts))
    credit_household = _credit_household(policy.vocabulary.grades, households)
    days = {"today": today, "rated_by": rated_by}
    for row in _regions(transaction, region, days, counted, credit_household):
        entry = criteria.get(row["level"])
        good = row.pop("good")
        share, in_time = (_share(row[name], row["households"]) for name in ("rated", "rated_in_time"))
        held = share if rated_by is None else in_time
        is_credit = None
        if entry is not None:
            # The marks are a village's; its groups have them too.
            marks = [row[name] for name in ("collective", "committee")] if row["level"] != "township" else []
            least = entry["collective"]
            is_marked = least is None or all(
                mark is not None and _MARKS.index(mark) >= _MARKS.index(least) for mark in marks
            )
            enough = row["households"] and good * _HUNDRED >= entry["share_minimum"] * row["households"]
            is_credit = "yes" if enough and is_marked else "no"
        yield _plain(row) | {
            "share": None if share is None else f"{share:f}",
            "rated_by": None if rated_by is None else rated_by.isoformat(),
            "share_minimum": None if minimum is None else f"{(minimum / _HUNDRED).quantize(_SIX_PLACES):f}",
            "rated_in_time": None if rated_by is None else row["rated_in_time"],
            "share_in_time": None if rated_by is None or in_time is None else f"{in_time:f}",
            "met": None if minimum is None or held is None else "yes" if held * _HUNDRED >= minimum else "no",
            "good": None if entry is None else good,
            "credit_households": row["credit_households"] if households else None,
            "credit_region": is_credit,
        }


def _credit_household(grades: tuple[str, ...], entries: list[Entry]) -> dict[str, Any]:
    """Return a credit household's grades and least score (None: not asked), and what none of its loans became."""
    least = max((grades.index(entry["grade"]) for entry in entries if entry["grade"]), default=None)
    return {
        "grades": None if least is None else list(grades[least:]),
        "least_score": max((entry["score"] for entry in entries if entry["score"] is not None), default=None),
        "without": [each for entry in entries for each in entry["without"] or ()],
    }


def _regions(
    transaction: Transaction,
    region: str,
    days: dict[str, dt.date | None],
    counted: dict[str, list[str] | None],
    credit_household: dict[str, Any],
) -> list[dict[str, Any]]:
    return transaction.rows(
        f"""
        WITH {_KNOWN}, mark AS (
            SELECT DISTINCT ON (region) region, credit, committee FROM rating.collective_credit
            WHERE date <= %(today)s ORDER BY region, date DESC
        ), each AS (
            SELECT left(coalesce(a.region, k.region), digits) AS region, level, k.borrower = 'household' AS household,
                   CASE level WHEN 'group' THEN k.village_group END AS village_group,
                   a.number IS NOT NULL AS rated, t.borrower_no IS NOT NULL AS in_time, a.line, l.amount,
                   a.number IS NOT NULL AND (counted IS NULL OR a.grade = ANY(counted)) AS good,
                   a.number IS NOT NULL AND (%(grades)s::text[] IS NULL OR a.grade = ANY(%(grades)s))
                   AND (%(least_score)s::numeric IS NULL OR a.score >= %(least_score)s) AND NOT EXISTS (
                       SELECT FROM rating.outcome o WHERE o.borrower_no = k.borrower_no AND o.after = ANY(%(without)s)
                   ) AS trusted
            FROM known k CROSS JOIN (
                VALUES (9, 'township', %(township)s::text[]), (12, 'village', %(village)s::text[]),
                       (12, 'group', %(group)s::text[])
            ) AS levels (digits, level, counted)
            LEFT JOIN rating.assessment a
              ON a.borrower = k.borrower AND a.borrower_no = k.borrower_no AND a.state = 'active'
            LEFT JOIN ({_LINES}) l ON l.borrower = k.borrower AND l.borrower_no = k.borrower_no
            LEFT JOIN (SELECT DISTINCT borrower, borrower_no FROM rating.assessment
                       WHERE valid_from <= %(rated_by)s::date AND coalesce(ended_on > %(rated_by)s::date, true)) t
              ON t.borrower = k.borrower AND t.borrower_no = k.borrower_no
            WHERE length(coalesce(a.region, k.region)) >= digits AND digits >= length(rtrim(%(region)s, '%%'))
              AND (k.borrower <> 'household' OR k.on_roster OR a.number IS NOT NULL)
              AND (level <> 'group' OR (%(in_groups)s AND k.village_group IS NOT NULL))
        )
        SELECT e.region, e.level, e.village_group, count(*) FILTER (WHERE household) AS households,
               count(*) FILTER (WHERE household AND rated) AS rated,
               count(*) FILTER (WHERE household AND in_time) AS rated_in_time, coalesce(sum(line), 0) AS line,
               coalesce(sum(amount), 0) AS credit_lines, count(*) FILTER (WHERE NOT household AND rated) AS enterprises,
               count(*) FILTER (WHERE household AND good) AS good,
               count(*) FILTER (WHERE household AND trusted) AS credit_households, m.credit AS collective, m.committee
        FROM each e LEFT JOIN mark m ON m.region = e.region
        GROUP BY e.region, e.level, e.village_group, m.credit, m.committee
        ORDER BY e.region, e.village_group NULLS FIRST
        """,
        _within(
            region,
            **days,
            in_groups="group" in counted,
            **{level: counted.get(level) for level in ("group", "village", "township")},
            **credit_household,
        ),
    )


def _from(grades: tuple[str, ...], least: str) -> tuple[str, ...]:
    return grades[grades.index(least) :]


def _share(part: int, whole: int) -> Decimal | None:
    return (Decimal(part) / whole).quantize(_SIX_PLACES, ROUND_HALF_UP) if whole else None


def _set_for(days: tuple[tuple[int, int], ...] | None, today: dt.date, on: str | None) -> dt.date | None:
    """Return the date that was passed last; or of the year of a day the next from it on, else the last of that year."""
    if not days:
        return None
    if on is None:
        return max(day for year in (today.year - 1, today.year) for each in days if (day := _day(year, *each)) <= today)
    try:
        asked = dt.date.fromisoformat(on)
    except ValueError:
        raise UsageError("HL7011", name="on", what="YYYY-MM-DD") from None
    found = sorted(_day(asked.year, *each) for each in days)
    return next((day for day in found if day >= asked), found[-1])


def _day(year: int, month: int, day: int) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return dt.date(year, month, day - 1)


def rating_steps(transaction: Transaction, *, region: str, borrower: str | None = None) -> Iterator[dict[str, Any]]:
    """Return the steps of a region's ratings in the order in which they were taken.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    rows = transaction.stream(
        """
        SELECT a.number, a.borrower_no, a.region, s.date AS taken_on, s.stage, s.move, s.reason,
               s.member AS institution, s.person, s.message
        FROM rating.step s JOIN rating.assessment a ON a.number = s.assessment
        WHERE a.region LIKE %(region)s AND (%(borrower)s::text IS NULL OR a.borrower_no = %(borrower)s)
        ORDER BY s.number
        """,
        _within(region, borrower=borrower),
    )
    return map(_plain, rows)


def rating_postings(transaction: Transaction, *, region: str) -> Iterator[dict[str, Any]]:
    """Return the postings within a region, newest first.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    rows = transaction.stream(
        """
        SELECT p.number, p.region, p.stage, p.first_day, p.last_day, p.complaint_line, p.count AS borrowers,
               p.member AS institution, p.person, p.message, count(o.objection_no) AS objections,
               count(o.objection_no) FILTER (WHERE o.answered_on IS NULL) AS open
        FROM rating.posting p LEFT JOIN rating.objection o ON o.posting = p.number
        WHERE p.region LIKE %(region)s GROUP BY p.number ORDER BY p.number DESC
        """,
        _within(region),
    )
    return map(_plain, rows)


def rating_objections(
    transaction: Transaction, *, region: str, borrower: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return the objections within a region, newest first.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    rows = transaction.stream(
        """
        SELECT o.objection_no, a.borrower, a.borrower_no, a.region, o.date AS raised_on, o.reason,
               o.member AS institution, o.person, o.upheld, o.answer, o.answered_on, o.answer_member, o.answer_person
        FROM rating.objection o JOIN rating.assessment a ON a.number = o.assessment
        WHERE a.region LIKE %(region)s AND (%(borrower)s::text IS NULL OR a.borrower_no = %(borrower)s)
        ORDER BY o.date DESC, o.objection_no
        """,
        _within(region, borrower=borrower),
    )
    return map(_plain, rows)


def rating_groups(transaction: Transaction, *, region: str) -> Iterator[dict[str, Any]]:
    """Return the working groups filed within a region, newest first.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    rows = transaction.stream(
        "SELECT region, date AS filed_on, members, representatives, plan, member AS institution, person, message"
        " FROM rating.working_group WHERE region LIKE %(region)s ORDER BY region, date DESC",
        _within(region),
    )
    return map(_plain, rows)


def _within(region: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever SQL is given
    return {"region": regions.normalise(region) + "%", **more}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as answers have it; what they do not show is left out."""
    hidden = ("entered_by", "revision", "posting")
    return {name: _value(value) for name, value in row.items() if name not in hidden}


def _value(value: object) -> object:
    if isinstance(value, Decimal):
        return money.text(value)
    return value.isoformat() if isinstance(value, dt.date) else value
