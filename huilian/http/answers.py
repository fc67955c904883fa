"""What is answered: the shape of every JSON answer that is no service's."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from huilian.county.answer_fields import text

__all__ = ["Accepted", "Error", "Health", "Outcome", "OutgoingMessage", "Readiness", "Receiving"]


class Error(ma.Schema):
    """Why a request was not met."""

    code = text("错误代码，永不改变", "Stays the same; programs branch on it.", validate=validate.Length(equal=6))
    message = text("中文说明")
    message_en = text("英文说明", "The same in English.")


class Accepted(ma.Schema):
    """A message that is kept, and will be handled."""

    message = text("报文编号", "The message's id.")
    status = text("状态", "Taken now, or known already.", validate=validate.OneOf(("taken", "repeated")))


class Reason(ma.Schema):
    """One reason for which a message was refused."""

    field = text("字段，若与某字段有关", "The field at fault; null where it is about none.", allow_none=True)
    code = text("错误代码，永不改变")
    message = text("中文说明")
    message_en = text("英文说明", "The same in English.")


class Outcome(ma.Schema):
    """What became of a message."""

    message = text("报文编号", "The message's id.")
    status = text("状态", validate=validate.OneOf(("accepted", "refused", "waiting")))
    reasons = fields.List(fields.Nested(Reason), required=True, metadata={"zh": "退回原因，全部列出"})


class Receiving(ma.Schema):
    """A submission that is not complete yet, or not applied."""

    status = text("状态", validate=validate.Equal("receiving"))


class OutgoingMessage(ma.Schema):
    """One sealed message for the member that asked."""

    cursor = text("妥存本条后，下次作为 after 给出", "What to give as `after` once this message is kept safely.")
    seal = text("封装：带分离载荷的 JWS", "The compact JWS with detached payload.")
    payload = text("载荷字节的 base64", "The payload's bytes as they were signed, in base64 (RFC 4648, 4).")


class Health(ma.Schema):
    """The process answers."""

    status = text("状态", validate=validate.Equal("alive"))


class Readiness(ma.Schema):
    """Whether the server can do its work, and what of it cannot."""

    status = text("状态", validate=validate.OneOf(("ready", "not_ready")))
    checks = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"zh": "检查项", "description": '"ok", or the code of what is wrong, by check.'},
    )
