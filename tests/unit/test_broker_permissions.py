"""Permissions as RabbitMQ reads them: what the regular expressions let through, and passwords hashed its way."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huilian.county.members.directory import Member
from huilian.county.messages.broker_permissions import NOTHING, commands, definitions, password, password_hash, user_of
from huilian.wire import access
from huilian.wire.access import KINDS

RULES = access.load()
CODES = st.from_regex(r"[0-9A-Za-z_]{1,20}", fullmatch=True)


TYPES = (
    "agreement|application|application_step|application_steps|application_withdrawal|applications|blacklist_entry"
    "|borrower_deed|collection|compensation_claim|compensation_claims|compensation_payment|compensation_step|consent"
    "|consents|credit_line|false_claim|loan_ledger|loans_gone|payee|payment_results|rating_posting|rating_step"
    "|recoveries|recovery|recovery_return|refused_file|rejections|repayment_journal|submission_manifest|subsidy_claim"
    "|subsidy_claims|write_off"
)
"""What a bank may send."""


def member(code: str, kind: str) -> Member:
    """Return a member of a kind."""
    return Member(code, kind, "示例机构", None, None, suspended=False)


def test_a_banks_permissions_are_written_out():
    """As they stand in the commands: nothing to configure, one exchange, one queue, its own types and subject."""
    user = user_of(member("RCB01", "bank"), RULES)
    assert (user.name, user.write, user.read) == ("RCB01", r"^huilian\.messages$", r"^member\.RCB01$")
    assert user.topics == rf"^({TYPES})\.RCB01$"


def test_who_may_send_nothing_may_write_nowhere():
    """A credit bureau fetches what is published to it."""
    user = user_of(member("CRB01", "credit_bureau"), RULES)
    assert (user.write, user.topics, user.read) == (NOTHING, NOTHING, r"^member\.CRB01$")


@given(code=CODES, other=CODES, kind=st.sampled_from(sorted(KINDS)), message_type=st.sampled_from(sorted(RULES.send)))
def test_a_member_publishes_what_its_kind_may_send_in_its_own_name_only(
    code: str, other: str, kind: str, message_type: str
):
    """The access rules decide, whatever the codes are."""
    user = user_of(member(code, kind), RULES)
    may = kind in RULES.send[message_type] and other == code
    assert bool(re.search(user.topics, f"{message_type}.{other}")) == may
    assert bool(re.search(user.read, f"member.{other}")) == (other == code)


def test_a_password_is_hashed_as_rabbitmq_documents_it():
    """The example of its own documentation, salt and all."""
    assert password_hash("test12", bytes.fromhex("908DC60A")) == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"


def test_passwords_and_salts_differ_every_time():
    """192 bits of the machine's own randomness, and four bytes of salt."""
    secret = password()
    assert len({password() for _ in range(50)} | {secret}) == 51
    assert len(base64.urlsafe_b64decode(secret)) == 24
    assert password_hash(secret) != password_hash(secret)


@pytest.mark.parametrize("secret", ["geheim", "it's", "$(rm -rf /)"])
def test_a_password_never_stands_in_a_commands_arguments(secret: str):
    """It goes through a pipe; the shell takes it as it is."""
    first, *_ = commands(user_of(member("RCB01", "bank"), RULES), "huilian", secret)
    made, told = first.split(" | ")
    assert made.startswith("printf '%s\\n' ")
    assert told == "rabbitmqctl add_user RCB01"


def test_definitions_hold_no_password():
    """Only its hash; a user that is there is left as it is."""
    users = [(user_of(member(code, "bank"), RULES), secret) for code, secret in (("RCB01", "geheim"), ("RCB02", None))]
    made = definitions(users, "huilian")
    assert "geheim" not in str(made)
    assert [user["name"] for user in made["users"]] == ["RCB01"]
    assert [entry["user"] for entry in made["permissions"]] == ["RCB01", "RCB02"]
    assert made["topic_permissions"][1] == {
        "user": "RCB02",
        "vhost": "huilian",
        "exchange": "huilian.messages",
        "write": rf"^({TYPES})\.RCB02$",
        "read": "^$",
    }
