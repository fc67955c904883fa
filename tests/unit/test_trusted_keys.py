"""The keys by which an institution believes its county: when each counts, and what revokes it for good."""

from __future__ import annotations

import datetime as dt
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from huilian.core.errors import AccessDenied, ConfigurationError, HuilianError, MessageRefused
from huilian.institution import membership
from huilian.institution.trust import believed
from huilian.settings import Home
from huilian.wire import envelope, joining
from huilian.wire.keys import PublicKey, SigningKey
from huilian.wire.trusted_keys import TrustedKey
from tests.support.builders.platform_lists import BEGAN, DAY, entry, list_draft, list_text
from tests.support.county import BANK, COUNTY, MINUTE, NOW
from tests.support.edge import confirmation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huilian.wire.envelope import Message

FIRST, SECOND, THIRD = SigningKey.generate(), SigningKey.generate(), SigningKey.generate()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An institution's data directory that trusts the first key."""
    home = Home(tmp_path / "bank", environment={})
    home.folder.mkdir()
    home.trust("HUILIAN", FIRST.public, valid_from=BEGAN, valid_until=BEGAN + 730 * DAY)
    return home


def sealed(key: SigningKey, time: dt.datetime = NOW) -> Message:
    """Return a message of the platform's."""
    return envelope.seal(confirmation(1), key, source="HUILIAN", time=time)


def code_of(
    home: Home,
    message: Message,
    *,
    now: dt.datetime = NOW,
    received: dt.datetime | None = None,
) -> str | None:
    """Return the code with which a message is not believed, or None."""
    try:
        believed(home, BANK, message.seal, message.payload, now=now, received=received)
    except MessageRefused as refusal:
        return refusal.code
    return None


def take(home: Home, text: str, *, now: dt.datetime = NOW, confirmed: SigningKey | None = None) -> None:
    """Take a list in."""
    stated = joining.read_key_list(text, name="keys.json")
    membership.take_key_list(home, stated, now=now, confirmed=confirmed and confirmed.kid)


def refused(work: Callable[[], object]) -> HuilianError:
    """Return how something is refused."""
    with pytest.raises(HuilianError) as error:
        work()
    return error.value


def kept(home: Home) -> dict[str, bytes]:
    """Return every file of what is trusted."""
    return {path.name: path.read_bytes() for path in (home.folder / "trusted").iterdir()}


def test_a_key_counts_for_what_is_sealed_from_its_beginning_to_its_end(home: Home):
    """The first moment is in, the last is out; what it sealed before its end is believed later, too."""
    microsecond, ends = dt.timedelta(microseconds=1), BEGAN + 730 * DAY
    times = [BEGAN - microsecond, BEGAN, ends - microsecond, ends]
    assert [code_of(home, sealed(FIRST, time), now=ends + 900 * DAY) for time in times] == [
        "HL1003",
        None,
        None,
        "HL1003",
    ]


def test_what_is_sealed_in_the_future_is_not_believed(home: Home):
    """Ten minutes are left to the clocks."""
    late = 10 * MINUTE
    assert code_of(home, sealed(FIRST, NOW + late)) is None
    assert code_of(home, sealed(FIRST, NOW + late + dt.timedelta(microseconds=1))) == "HL1015"
    assert code_of(home, sealed(FIRST, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))) == "HL1015"


def test_of_a_revoked_key_counts_what_came_before_and_nothing_that_comes_since(home: Home):
    """Whatever time it states. It is said when it was revoked, and what to do."""
    home.trust("HUILIAN", SECOND.public)
    before, dated_back = sealed(FIRST, NOW), sealed(FIRST, NOW - 30 * DAY)
    assert code_of(home, before) is None
    take(home, list_text([entry(FIRST, revoked=NOW - 5 * DAY), entry(SECOND)], [SECOND]))
    later = NOW + DAY
    assert [code_of(home, each, now=later) for each in (before, dated_back)] == ["HL1026", "HL1026"]
    assert code_of(home, dated_back, now=later, received=NOW - MINUTE) is None
    assert code_of(home, sealed(SECOND, later), now=later) is None
    with pytest.raises(MessageRefused) as error:
        believed(home, BANK, before.seal, before.payload, now=later)
    assert error.value.chinese == (
        f"签名密钥 {FIRST.kid} 已于 2024-06-01 09:00 在本机吊销，此后收到的报文一律不采信；请县里用现用密钥重新签发"
    )


def test_a_revoked_key_stays_so_whatever_comes(home: Home):
    """Trusted anew by hand, its file laid there again, an older list, a list that says nothing of it."""
    take(home, list_text([entry(FIRST), entry(SECOND)], [FIRST, SECOND]))
    take(home, list_text([entry(FIRST, revoked=NOW), entry(SECOND)], [SECOND], time=NOW + MINUTE), now=NOW + MINUTE)
    message, later = sealed(FIRST), NOW + DAY
    pem = home.folder / "trusted" / f"HUILIAN-{FIRST.kid[:12]}.pem"

    def laid_there_again() -> None:
        content = pem.read_bytes()
        pem.unlink()
        home.trust("HUILIAN", THIRD.public)
        pem.write_bytes(content)

    for attempt in (
        lambda: home.trust("HUILIAN", FIRST.public),
        laid_there_again,
        lambda: take(home, list_text([entry(FIRST), entry(SECOND)], [SECOND])),
        lambda: take(home, list_text([entry(FIRST), entry(SECOND)], [SECOND], time=later), now=later),
    ):
        attempt()
        assert code_of(home, message, now=later) == "HL1026"
        assert FIRST.public not in home.trusted_keys("HUILIAN")


def test_a_new_key_is_taken_from_a_list_signed_with_one_that_counts(home: Home):
    """By file, and by a message that the new key itself has sealed; the times are the county's."""
    text = list_text([entry(FIRST), entry(SECOND)], [SECOND, FIRST])
    assert code_of(home, sealed(SECOND)) == "HL1002"
    assert code_of(home, envelope.seal(list_draft(text), SECOND, source="HUILIAN", time=NOW)) is None
    assert code_of(home, sealed(SECOND)) is None
    trusted = home.trusted("HUILIAN")
    assert trusted.find(SECOND.kid) == TrustedKey(SECOND.public, BEGAN, BEGAN + 730 * DAY, by=FIRST.kid)
    assert (trusted.county, trusted.stated_at) == (COUNTY, NOW)
    before = kept(home)
    take(home, text)
    assert kept(home) == before


STRANGER = SigningKey.generate()
WRONG: dict[str, tuple[Callable[[], str], str]] = {
    "signed by a stranger": (lambda: list_text([entry(FIRST), entry(STRANGER)], [STRANGER]), "HL4023"),
    "signed only by the key it revokes": (
        lambda: list_text([entry(FIRST, revoked=NOW), entry(SECOND)], [FIRST]),
        "HL4023",
    ),
    "of another county": (lambda: list_text([entry(FIRST)], [FIRST], county="341522"), "HL6016"),
    "signed in the future": (lambda: list_text([entry(FIRST)], [FIRST], time=NOW + DAY), "HL4010"),
    "a key that begins in a year": (
        lambda: list_text([entry(FIRST), entry(SECOND, **{"from": "2025-06-01T00:00:00Z"})], [FIRST]),
        "HL4020",
    ),
    "a key for ever": (
        lambda: list_text([entry(FIRST), entry(SECOND, until="9999-12-31T23:59:59Z")], [FIRST]),
        "HL4020",
    ),
    "revoked in a year": (
        lambda: list_text([entry(FIRST, revoked=NOW + 366 * DAY), entry(SECOND)], [FIRST]),
        "HL4020",
    ),
    "a key of low order": (
        lambda: list_text([entry(FIRST), entry(SECOND) | {"key": PublicKey(bytes(32)).text}], [FIRST]),
        "HL4019",
    ),
    "signed by a key that is not in it": (lambda: list_text([entry(SECOND)], [FIRST]), "HL4009"),
    "no keys": (lambda: list_text([], [FIRST]), "HL4009"),
    "nonsense": (lambda: list_text([{"key": 5}], [FIRST]), "HL4009"),
    "altered": (lambda: list_text([entry(FIRST)], [FIRST]).replace('"signature": "', '"signature": "AA'), "HL4009"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_list_that_cannot_be_believed_changes_nothing(home: Home, what: str):
    """As a file and as a message, whoever sealed that."""
    home.change_trusted("HUILIAN", lambda trusted: trusted.told([], county=COUNTY, time=BEGAN, now=NOW))
    before = kept(home)
    text, code = WRONG[what][0](), WRONG[what][1]
    assert refused(lambda: take(home, text)).code == code
    message = envelope.seal(list_draft(text), STRANGER, source="HUILIAN", time=NOW)
    error = refused(lambda: believed(home, BANK, message.seal, message.payload, now=NOW))
    assert (error.code, error.chinese[:20]) == ("HL1027", f"报文中的平台密钥表不能采用：{code}")
    assert kept(home) == before


def test_an_old_list_handed_out_again_is_believed_by_its_seal_and_undoes_nothing(home: Home):
    """None of its signers counts any more; the county has sealed it anew."""
    home.trust("HUILIAN", THIRD.public, valid_from=BEGAN, valid_until=BEGAN + 730 * DAY)
    revoked = [entry(FIRST, revoked=NOW), entry(SECOND, revoked=NOW), entry(THIRD)]
    take(home, list_text(revoked, [THIRD], time=NOW + MINUTE), now=NOW + MINUTE)
    before, old = kept(home), list_text([entry(FIRST), entry(SECOND)], [SECOND, FIRST])
    assert code_of(home, envelope.seal(list_draft(old), SECOND, source="HUILIAN", time=NOW), now=NOW + DAY) == "HL1027"
    later = envelope.seal(list_draft(old), THIRD, source="HUILIAN", time=NOW + DAY)
    assert code_of(home, later, now=NOW + DAY) is None
    assert kept(home) == before


def test_a_list_in_a_message_for_another_member_changes_nothing(home: Home):
    """Though what it says is signed with a key that counts."""
    before = kept(home)
    text = list_text([entry(FIRST), entry(SECOND)], [FIRST])
    for draft, source in ((list_draft(text, "RCB02"), "HUILIAN"), (list_draft(text), "RCB02")):
        assert code_of(home, envelope.seal(draft, FIRST, source=source, time=NOW)) == "HL1004"
    assert kept(home) == before


def test_with_the_fingerprint_a_list_of_unknown_keys_is_taken(home: Home):
    """The last way where every known key has ended or is revoked; not for a key that was revoked here."""
    home.change_trusted("HUILIAN", lambda trusted: trusted.revoking(FIRST.kid, since=NOW, now=NOW))
    text = list_text([entry(FIRST), entry(SECOND)], [SECOND, FIRST])
    assert refused(lambda: take(home, text)).code == "HL4023"
    error = refused(lambda: take(home, text, confirmed=FIRST))
    assert (error.code, error.chinese) == (
        "HL4021",
        f"密钥 {FIRST.kid} 已于 2024-06-01 09:00 在本机吊销，不能再采信；请县里用现用密钥重新签发",
    )
    take(home, text, confirmed=SECOND)
    assert home.trusted_keys("HUILIAN") == [SECOND.public]


def test_a_key_that_has_ended_brings_in_no_other(home: Home):
    """Nor one that has not begun."""
    text = list_text([entry(FIRST), entry(SECOND)], [FIRST], time=BEGAN + 731 * DAY)
    assert refused(lambda: take(home, text, now=BEGAN + 731 * DAY)).code == "HL4023"


def test_what_a_thief_let_in_goes_with_the_key_he_stole(home: Home):
    """The county's list does not have it, nor what that has let in; a key that was confirmed here stays."""
    thief, his_next, by_telephone = SigningKey.generate(), SigningKey.generate(), SigningKey.generate()
    take(home, list_text([entry(FIRST), entry(SECOND)], [FIRST]))
    take(home, list_text([entry(FIRST), entry(thief)], [FIRST]))
    take(home, list_text([entry(thief), entry(his_next)], [thief]))
    home.trust("HUILIAN", by_telephone.public)
    assert code_of(home, sealed(his_next)) is None
    later = NOW + MINUTE
    take(home, list_text([entry(FIRST, revoked=NOW), entry(SECOND)], [SECOND], time=later), now=later)
    keys = (FIRST, SECOND, thief, his_next, by_telephone)
    assert [code_of(home, sealed(key), now=later) for key in keys] == ["HL1026", None, "HL1026", "HL1026", None]


def test_a_revocation_may_be_set_for_later(home: Home):
    """Until then the key counts."""
    home.trust("HUILIAN", SECOND.public)
    take(home, list_text([entry(FIRST, revoked=NOW + DAY), entry(SECOND)], [SECOND]))
    assert code_of(home, sealed(FIRST, NOW + DAY - MINUTE), now=NOW + DAY - MINUTE) is None
    assert code_of(home, sealed(FIRST, NOW), now=NOW + DAY) == "HL1026"


def test_a_key_without_an_entry_counts_for_two_years_from_when_it_was_laid_there(tmp_path: Path):
    """An older Huilian kept no times; the next list brings the county's."""
    folder = tmp_path / "trusted"
    folder.mkdir()
    file = folder / f"HUILIAN-{FIRST.kid[:12]}.pem"
    file.write_text(FIRST.public.pem())
    os.utime(file, (NOW.timestamp(), NOW.timestamp()))
    home = Home(tmp_path, environment={})
    ends = NOW + 730 * DAY
    assert [code_of(home, sealed(FIRST, time), now=ends) for time in (BEGAN, ends - MINUTE, ends)] == [
        None,
        None,
        "HL1003",
    ]
    take(home, list_text([entry(FIRST)], [FIRST]))
    assert home.trusted("HUILIAN").find(FIRST.kid) == TrustedKey(FIRST.public, BEGAN, BEGAN + 730 * DAY)


DAMAGED: list[Any] = [
    "",
    "{",
    "[]",
    "5",
    '{"county": 5, "stated_at": null, "keys": {}}',
    '{"county": null, "stated_at": "soon", "keys": {}}',
    '{"county": null, "stated_at": null}',
    '{"county": null, "stated_at": null, "keys": {"x": 5}}',
    '{"county": null, "stated_at": null, "keys": {"x": {"revoked_at": "2024-06-01"}}}',
    '{"county": null, "stated_at": null, "keys": {"x": {"by": 5}}}',
]


@pytest.mark.parametrize("content", DAMAGED)
def test_where_it_is_unknown_which_keys_were_revoked_nothing_is_believed(home: Home, content: str):
    """And nothing is written over: the file may be put right from a backup."""
    file = home.folder / "trusted" / "HUILIAN.json"
    file.write_text(content)
    for work in (
        lambda: code_of(home, sealed(FIRST)),
        lambda: take(home, list_text([entry(FIRST)], [FIRST])),
        lambda: home.trust("HUILIAN", SECOND.public),
    ):
        error = refused(work)
        assert isinstance(error, ConfigurationError)
        assert (error.code, str(file) in error.chinese) == ("HL6017", True)
    assert file.read_text() == content


def test_what_is_kept_can_be_read(home: Home):
    """By whoever looks after the machine."""
    take(home, list_text([entry(FIRST), entry(SECOND, revoked=NOW)], [FIRST]))
    assert json.loads((home.folder / "trusted" / "HUILIAN.json").read_text()) == {
        "county": COUNTY,
        "stated_at": "2024-06-01T01:00:00+00:00",
        "keys": {
            FIRST.kid: {
                "from": BEGAN.isoformat(),
                "until": (BEGAN + 730 * DAY).isoformat(),
                "revoked_at": None,
                "since": None,
                "by": None,
            },
            SECOND.kid: {
                "from": BEGAN.isoformat(),
                "until": (BEGAN + 730 * DAY).isoformat(),
                "revoked_at": NOW.isoformat(),
                "since": NOW.isoformat(),
                "by": FIRST.kid,
            },
        },
    }


def test_an_unfit_key_is_never_trusted(home: Home):
    """By whatever way."""
    with pytest.raises(AccessDenied, match="HL4019"):
        home.trust("HUILIAN", PublicKey(bytes(32)))
    assert home.trusted_keys("HUILIAN") == [FIRST.public]
