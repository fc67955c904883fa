"""Logs: one JSON object a line, and never a person, number, account or key in it."""

from __future__ import annotations

import json
import logging
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from huilian.core import logs
from huilian.core.errors import HostUnavailable
from huilian.core.logs import FORBIDDEN_FIELDS, redact
from huilian.wire.keys import SigningKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NUMBER = "341599199001011234"
SECRETS = [
    NUMBER,
    "34159919900101123X",
    "34159919900101123x",
    "341599900101123",
    "13812345678",
    "8613812345678",
    "013812345678",
    "6217000012345678901",
    "6217000012345678",
]
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
UUID = "13812345-6789-4138-8123-138123456789"


class ProbeError(Exception):
    """What a driver raises: its text quotes the row."""


def shown(**event: object) -> str:
    """Return an event as it would be written."""
    return json.dumps(redact(None, "info", dict(event)), ensure_ascii=False)


not_digits = st.text(st.characters(exclude_categories=("Nd", "Cs")), max_size=20)
secrets = st.sampled_from(SECRETS) | st.from_regex(r"\A[1-9][0-9]{16}[0-9X]\Z") | st.from_regex(r"\A1[3-9][0-9]{9}\Z")


@given(secret=secrets, before=not_digits, after=not_digits)
def test_a_personal_number_is_starred_wherever_it_stands(secret: str, before: str, after: str):
    """Between letters, Chinese or punctuation; as text, as a key, and in anything nested."""
    text = before + secret + after
    for value in (text, [text], (text,), {text}, {"a": {"b": [{"c": text}]}}, {text: 1}, [[[text]]]):
        assert secret not in shown(event="read", value=value)


@given(numbers=st.lists(st.sampled_from(SECRETS), min_size=2, max_size=4))
def test_numbers_run_together_are_starred_as_one(numbers: list[str]):
    """Fixed-width lines have no blanks between fields."""
    line = "".join(numbers)
    assert not any(number in shown(event=line) for number in numbers)


@given(secret=st.sampled_from([secret for secret in SECRETS if secret.isdigit() and secret[0] != "0"]))
def test_a_personal_number_that_is_a_number_is_starred(secret: str):
    """Some systems give identity numbers as integers."""
    assert secret not in shown(event="read", value=int(secret), inner=[-int(secret)])


PERSONAL = [
    *("name", "borrower_name", "person_name", "head_name", "holder_name"),
    *("identity_number", "phone", "account", "account_last_four"),
]


@given(field=st.sampled_from([*sorted(FORBIDDEN_FIELDS), *PERSONAL]), depth=st.integers(0, 6))
def test_a_forbidden_field_is_starred_however_deep(field: str, depth: int):
    """Also in upper case, as HTTP headers are written."""
    value: object = {field: "张三", field.upper(): ["张三"], "kept": "RCB01"}
    for level in range(depth):
        value = [value] if level % 2 else {"inner": value}
    text = shown(event="read", value=value, **{field: "张三"})
    assert "张三" not in text
    assert "RCB01" in text


def test_a_key_is_starred(tmp_path: Path):
    """Whole, or cut off."""
    SigningKey.generate().save(tmp_path / "key.pem")
    pem = (tmp_path / "key.pem").read_text()
    secret = pem.splitlines()[1]
    assert shown(event=f"read {pem} done") == '{"event": "read ***\\n done"}'
    assert secret not in shown(event="read", value=[pem[:-20]])


def test_what_bottomless_values_hide_is_not_shown():
    """A value that holds itself, or is nested without end, ends in stars."""
    value: dict[str, object] = {}
    value["self"] = value
    assert shown(event="read", value=value).count("self") < 10


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (10_000, 10_000),
        (4 * 1024**3, 4 * 1024**3),
        (0.25, 0.25),
        (Decimal("50000.00"), "50000.00"),
        (b"secret", "6 bytes"),
        (DIGEST, DIGEST),
        (UUID, UUID),
        (f"RCB01-loan_ledger-20240531-{DIGEST[:16]}", f"RCB01-loan_ledger-20240531-{DIGEST[:16]}"),
        ("RCB01-loan_ledger-20240531-a138123456789bcd", "RCB01-loan_ledger-20240531-a138123456789bcd"),
        ("341599106201", "341599106201"),
        ("RCB01_LOAN_20240531.csv", "RCB01_LOAN_20240531.csv"),
        ("2024-06-01T01:30:00.123456Z", "2024-06-01T01:30:00.123456Z"),
        (ProbeError(NUMBER), "ProbeError"),
        (HostUnavailable("HL5001", what="OperationalError"), "HL5001"),
    ],
)
def test_what_operations_need_stays(value: object, expected: object):
    """Counts, regions, files, times, digests and ids are what a failure is looked for by."""
    assert redact(None, "info", {"event": "read", "value": value}) == {"event": "read", "value": expected}


def _fail() -> None:
    message = f"DETAIL: Key (identity_number)=({NUMBER}) already exists"
    raise ProbeError(message)


@pytest.mark.parametrize("how", ["true", "exception", "tuple"])
def test_an_error_is_shown_by_kind_and_place_never_by_its_text(how: str):
    """The text may quote a record; the place is what is needed."""
    try:
        _fail()
    except ProbeError as error:
        given_as = {"true": True, "exception": error, "tuple": (type(error), error, error.__traceback__)}[how]
        event = redact(None, "error", {"event": "failed", "exc_info": given_as})
    assert event["error"] == "ProbeError"
    assert event["where"].endswith("_fail > ProbeError")
    assert "test_logs.py:" in event["where"]
    assert NUMBER not in json.dumps(event)


def test_without_an_error_nothing_is_said_of_one():
    """`exc_info` outside a handler means nothing."""
    assert redact(None, "error", {"event": "failed", "exc_info": True}) == {"event": "failed"}


@pytest.fixture
def configured() -> Iterator[None]:
    """Put back what `configure` changed."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.usefixtures("configured")
def test_logs_are_json_lines_on_standard_error(capsys: pytest.CaptureFixture[str]):
    """Standard output belongs to the command's answer."""
    logs.configure(level="info")
    structlog.get_logger().info("pushed", member="RCB01", rows=100, identity_number=NUMBER)
    structlog.get_logger().debug("unseen")
    out, err = capsys.readouterr()
    line = json.loads(err)
    assert out == ""
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "pushed", "member": "RCB01", "rows": 100, "identity_number": "***", "level": "info"}


@pytest.mark.usefixtures("configured")
def test_what_libraries_log_goes_the_same_way(capsys: pytest.CaptureFixture[str]):
    """A web framework logs an error with its text: it comes out by kind and place, once."""
    logs.configure(level="info")
    logs.configure(level="info")
    try:
        _fail()
    except ProbeError:
        logging.getLogger("flask.app").exception("Exception on /api for %s 100%%", NUMBER)
    logging.getLogger("alembic").info("unseen")
    [text] = capsys.readouterr().err.splitlines()
    line = json.loads(text)
    assert (line["event"], line["level"], line["logger"]) == ("Exception on /api for *** 100%", "error", "flask.app")
    assert (line["error"], NUMBER in text) == ("ProbeError", False)


@pytest.mark.usefixtures("configured")
def test_logs_for_people_are_as_discreet(capsys: pytest.CaptureFixture[str]):
    """Columns instead of JSON, the same stars."""
    logs.configure(level="warning", human=True)
    try:
        _fail()
    except ProbeError:
        structlog.get_logger().exception("failed", value={"phone": "13812345678"})
    err = capsys.readouterr().err
    assert "ProbeError" in err
    assert NUMBER not in err
    assert "13812345678" not in err
