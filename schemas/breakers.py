"""Where the breaker stops lending and lets it go on: what statistics tells the registry (停贷、复贷)."""

from __future__ import annotations

import marshmallow as ma

from huilian.records import fields as f
from huilian.records.record import Record
from huilian.wire.catalogue import Contract
from schemas.records import KEY

__all__ = ["LendingSuspended", "LendingSuspendedState", "contracts"]


class LendingSuspendedState(Record):
    """A stop of lending in a region: what `lending_suspended` shares.

    `reason` are the codes of the breakers, joined by ";", `text` says it in Chinese with the figures. `until_date` is
    the first day on which lending goes on, null while it is stopped.
    """

    region = f.RegionCode(required=True, metadata={"zh": "行政区划代码"})
    policy = f.Text(60, required=True, metadata={"zh": "政策"})
    reason = f.Text(200, required=True, metadata={"zh": "情形"})
    text = f.Text(500, required=True, metadata={"zh": "说明"})
    clause = f.Text(200, required=True, allow_none=True, metadata={"zh": "依据"})
    from_date = f.Date(required=True, metadata={"zh": "起始日期"})
    until_date = f.Date(required=True, allow_none=True, metadata={"zh": "恢复日期"})


class LendingSuspended(Record):
    """One stop of lending before and after; null: there is none. `until` is always null.

    `suspension_no` names it from its beginning to its end. Changes add up in any order.
    """

    suspension_no = f.Text(40, pattern=KEY, required=True, metadata={"zh": "停贷编号"})
    as_of = f.Date(required=True, metadata={"zh": "自何日起"})
    until = f.Date(required=True, allow_none=True, metadata={"zh": "至何日前"})
    before = ma.fields.Nested(LendingSuspendedState, required=True, allow_none=True, metadata={"zh": "变动前"})
    after = ma.fields.Nested(LendingSuspendedState, required=True, allow_none=True, metadata={"zh": "变动后"})
    line = f.Whole(required=True, metadata={"zh": "序号"})


def contracts() -> list[Contract]:
    """Return the contract of what statistics tells of the breaker."""
    return [
        Contract(
            "lending_suspended",
            1,
            LendingSuspended,
            bulk=True,
            chinese="停贷变动",
            summary="Where the breaker stops lending and lets it go on, before and after, one change a record.",
        )
    ]
