"""Signatures of webhooks: the reference library takes them, and nothing that was changed is taken."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from mdm import clock
from mdm.connectors.signatures import Keys, flaw_of, make_key_pair, make_secret, public_key_of, sign
from mdm.errors import InputInvalid

SECRET = "whsec_" + "QUJD" * 8  # 24 bytes
OTHER = "whsec_" + "REVG" * 8
AT = datetime(2026, 11, 25, 12, 0, 0, 987_000, tzinfo=UTC)
BODY = b'{"a":1}'


@given(
    id_=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    text=st.text(max_size=200),
    secret=st.builds(make_secret),
)
def test_the_reference_library_takes_what_we_sign_and_we_take_what_it_signs(id_: str, text: str, secret: str) -> None:
    body = text.encode()
    at = clock.now()

    headers = sign([secret], id_, at, body)

    reference = standardwebhooks.Webhook(secret)
    assert reference.verify(body, headers, json_parse=False) is None
    # The reference reads a time as UTC whatever its zone.
    assert headers["webhook-signature"] == reference.sign(id_, at, text)
    assert flaw_of(headers, body, [secret], at=at) == ""


def test_the_time_of_the_attempt_is_in_whole_seconds() -> None:
    assert sign([SECRET], "evt-1", AT, BODY)["webhook-timestamp"] == "1795608000"  # date -ud 2026-11-25T12:00Z +%s


def test_two_secrets_give_two_signatures_and_either_is_enough() -> None:
    headers = sign([SECRET, OTHER], "evt-1", AT, BODY)

    first, second = headers["webhook-signature"].split(" ")
    assert first != second
    assert all(one.startswith("v1,") and len(one) == 3 + 44 for one in (first, second))  # 32 bytes in base64
    assert [flaw_of(headers, BODY, [key], at=AT) for key in (SECRET, OTHER)] == ["", ""]
    assert flaw_of(headers, BODY, [make_secret()], at=AT) == "no signature holds"


@pytest.mark.parametrize(
    ("header", "value", "flaw"),
    [
        ("webhook-id", "evt-2", "no signature holds"),
        ("webhook-id", "", "a header is missing"),
        ("webhook-timestamp", "1795608001", "no signature holds"),
        ("webhook-timestamp", "", "a header is missing"),
        ("webhook-timestamp", "soon", "no number of seconds"),
        ("webhook-timestamp", "-1795608000", "no number of seconds"),
        ("webhook-timestamp", "1" * 5_000, "no number of seconds"),
        ("webhook-timestamp", "١", "no number of seconds"),
        ("webhook-timestamp", "1795607699", "more than 300 seconds away"),
        ("webhook-timestamp", "1795608302", "more than 300 seconds away"),
        ("webhook-signature", "", "a header is missing"),
        ("webhook-signature", "v1,", "no signature holds"),
        ("webhook-signature", "v1,%%%", "no signature holds"),
        ("webhook-signature", "v1,é", "no signature holds"),
        ("webhook-signature", "v1a,%%%", "no signature holds"),
        ("webhook-signature", "v1a," + "A" * 88, "no signature holds"),
        ("webhook-signature", "v2", "no signature holds"),
    ],
)
def test_a_changed_header_is_noticed(header: str, value: str, flaw: str) -> None:
    headers = sign([SECRET], "evt-1", AT, BODY)
    _, public = make_key_pair()

    assert flaw_of(headers, BODY, [SECRET, public], at=AT) == ""
    assert flaw in flaw_of({**headers, header: value}, BODY, [SECRET, public], at=AT)


def test_a_changed_body_is_noticed() -> None:
    headers = sign([SECRET], "evt-1", AT, BODY)

    assert flaw_of(headers, BODY + b" ", [SECRET], at=AT) == "no signature holds"


def test_an_old_message_cannot_be_sent_again_later() -> None:
    headers = sign([SECRET], "evt-1", AT, BODY)

    assert flaw_of(headers, BODY, [SECRET], at=AT + timedelta(seconds=299)) == ""
    assert "300 seconds" in flaw_of(headers, BODY, [SECRET], at=AT + timedelta(seconds=301))


def test_names_of_headers_are_read_in_any_case() -> None:
    headers = {name.title(): value for name, value in sign([SECRET], "evt-1", AT, BODY).items()}

    assert flaw_of(headers, BODY, [SECRET], at=AT) == ""


def test_a_public_key_verifies_what_its_secret_signed_and_nothing_else() -> None:
    secret, public = make_key_pair()
    _, stranger = make_key_pair()

    headers = sign([secret, SECRET], "evt-1", AT, BODY)

    asymmetric, shared = headers["webhook-signature"].split(" ")
    assert (asymmetric[:4], shared[:3]) == ("v1a,", "v1,")
    assert public_key_of(secret) == public
    assert flaw_of(headers, BODY, [public], at=AT) == ""
    assert flaw_of(headers, BODY + b" ", [public], at=AT) == "no signature holds"
    assert flaw_of(headers, BODY, [stranger], at=AT) == "no signature holds"
    # A receiver that knows the shared secret only passes over the other kind; so does the reference library.
    assert flaw_of(headers, BODY, [SECRET], at=AT) == ""
    now = sign([secret, SECRET], "evt-1", clock.now(), BODY)
    assert standardwebhooks.Webhook(SECRET).verify(BODY, now) == {"a": 1}


def test_made_secrets_are_long_and_never_the_same() -> None:
    made = {make_secret() for _ in range(100)}

    assert len(made) == 100
    assert {len(secret) for secret in made} == {len("whsec_") + 44}


def test_both_secrets_sign_until_the_end_of_an_exchange() -> None:
    ends = AT + timedelta(hours=24)

    keys = Keys(SECRET).rotated(OTHER, until=ends)

    assert keys.at(AT) == (OTHER, SECRET)
    assert keys.at(ends - timedelta(microseconds=1)) == (OTHER, SECRET)
    assert keys.at(ends) == (OTHER,)
    assert Keys(SECRET).at(AT) == (SECRET,)


def test_a_second_exchange_drops_the_oldest_secret() -> None:
    third = make_secret()

    keys = Keys(SECRET).rotated(OTHER, until=AT).rotated(third, until=AT)

    assert keys.at(AT - timedelta(seconds=1)) == (third, OTHER)


@pytest.mark.parametrize(
    ("secret", "what"),
    [
        ("", "begins with whsec_ or whsk_"),
        ("secret-by-mistake", "begins with whsec_ or whsk_"),
        ("whpk_" + "QUJD" * 11, "begins with whsec_ or whsk_"),
        ("whsec_", "24 to 64 bytes"),
        ("whsec_" + "A" * 31, "24 to 64 bytes"),  # 23 bytes
        ("whsec_" + "QUJD" * 22, "24 to 64 bytes"),  # 66 bytes
        ("whsec_" + "!" * 32, "not base64"),
        ("whsk_" + "QUJD" * 8, "32 bytes, or 64"),
        ("whsk_" + "A" * 86, "do not belong together"),
    ],
)
def test_a_secret_that_cannot_sign_is_refused_without_being_shown(secret: str, what: str) -> None:
    places = [partial(Keys), partial(Keys, SECRET)] if secret else [partial(Keys)]  # there need be no previous one
    for place in places:
        with pytest.raises(InputInvalid) as refused:
            place(secret)
        assert what in refused.value.message
        assert "by-mistake" not in str(refused.value)
        assert refused.value.field == "secret"


def test_secrets_are_not_printed() -> None:
    assert "whsec" not in repr(Keys(SECRET, OTHER, AT))


def test_an_id_that_would_blur_what_was_signed_is_a_bug() -> None:
    for id_ in ("a.b", "a b", "é", "a\nb"):
        with pytest.raises(AssertionError):
            sign([SECRET], id_, AT, BODY)
