"""What people wrote is shown whole, with nothing hidden and nothing that runs."""

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.console.views.graphemes import letters
from api.console.views.text import (
    LETTERS_MAX,
    cut,
    initials,
    marked,
    marked_part,
    pieces,
    plain,
    short_key,
    with_commands,
)
from tests.specimen import NASTY

FEW = settings(max_examples=40)  # each is a second of all runs

HIDDEN = ("\u202e", "\u2066", "\u200b", "\u2060", "\ufeff", "\u00ad", "\U000e0041", "\x00", "\x1b", "\ue000", "\u3164")
OUR_TAGS = re.compile(r'</?bdi>|<bdi title="[^"<>]*">|</?span>|<span class="(?:mark|cut)"(?: title="[^"<>]*")?>')
TEXTS = st.text(
    st.characters() | st.sampled_from([*HIDDEN, "<", '"', "'", "&", "\u0301", "\u200d", "\ufe0f"]), max_size=60
)


@FEW
@given(TEXTS)
def test_no_markup_but_our_own_comes_out(text: str) -> None:
    for shown in (marked(text), marked_part(text)):
        left = OUR_TAGS.sub("", str(shown))
        assert "<" not in left
        assert ">" not in left


@FEW
@given(TEXTS)
def test_no_hidden_character_comes_out(text: str) -> None:
    shown = html.unescape(str(marked(text))) + plain(text)

    assert not set(shown) & set(HIDDEN)
    shown.encode()  # no lone surrogate either


@FEW
@given(st.text(st.characters(codec="utf-8", categories=["Lu", "Ll", "Nd", "Po"]), min_size=1, max_size=80))
def test_what_can_be_read_is_shown_as_it_is(text: str) -> None:
    assert plain(text) == text
    assert html.unescape(str(marked(text))) == f"<bdi>{text}</bdi>"


@FEW
@given(TEXTS)
def test_the_letters_of_a_text_put_together_are_the_text(text: str) -> None:
    assert "".join(letters(text)) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Acme \u202egnitlusnoC\u202c", "Acme ⟨RLO⟩gnitlusnoC⟨PDF⟩"),
        ("Ac\u200b\u200b\u200bme", "Ac⟨ZWSP ×3⟩me"),
        ("\ufeffAcme", "⟨BOM⟩Acme"),
        ("Acme\U000e0061\U000e0062", "Acme⟨TAG ab⟩"),
        ("one\ntwo\tthree\x00", "one↵two⇥three⟨NUL⟩"),
        ("\ue000", "⟨U+E000⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("a\ufe0f", "a⟨VS16⟩"),
        ("   ", "⟨blank ×3⟩"),
        ("Z" + "\u0301" * 12, "Z" + "\u0301" * 4 + "◌ ×8"),
        ("\u0301\u0302x", "◌ ×2x"),
        ("Acme\u200d Ltd", "Acme⟨ZWJ⟩ Ltd"),
    ],
)
def test_what_cannot_be_seen_is_named(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "👨\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3 👍🏽 🇩🇪",
        "می\u200cخواهم",
        "葛\U000e0100飾",
        "क्\u200dष",
        "Nguyễn Thị Tố",
        "Nguye\u0302\u0303n",
        "شركة",
        "ยนต์",
    ],
)
def test_joiners_and_marks_that_a_script_needs_are_left_alone(text: str) -> None:
    assert plain(text) == text
    assert not any(piece.is_mark for piece in pieces(text))


def test_a_mark_tells_its_code_point_and_name() -> None:
    assert str(marked("a\u202e")) == (
        '<bdi>a<span class="mark" title="U+202E RIGHT-TO-LEFT OVERRIDE">⟨RLO⟩</span></bdi>'
    )


def test_commands_between_backticks_are_set_apart_and_stay_text() -> None:
    assert str(with_commands("mend <it>, then `mdm a\u202e`")) == (
        "<bdi>mend &lt;it&gt;, then <code>mdm a"
        '<span class="mark" title="U+202E RIGHT-TO-LEFT OVERRIDE">⟨RLO⟩</span></code></bdi>'
    )
    for text in ("", "one ` alone", "a" * LETTERS_MAX + "`b`"):
        assert with_commands(text) == marked(text)


def test_a_blank_segment_inside_a_value_stays_a_blank() -> None:
    assert str(marked_part(" ")) == " "
    assert "SPACE" in str(marked(" "))


def test_a_long_text_is_cut_between_letters_and_whole_in_the_title() -> None:
    text = "e\u0301" * 300

    shown, rest = cut(text)

    assert shown == "e\u0301" * LETTERS_MAX
    assert shown + rest == text
    assert f'title="{text}"' in str(marked(text))
    assert str(marked(text)).endswith('<span class="cut">…</span></bdi>')


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Maria Lopez", "ML"),
        ("maria de la cruz", "MC"),
        ("李明", "李明"),
        ("cher", "CH"),
        ("<b>", "?"),
        ("", "?"),
        ("x \u202e y", "XY"),
    ],
)
def test_initials_are_of_the_first_and_last_word(name: str, expected: str) -> None:
    assert initials(name) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("salesforce-us/Account:0015g00000AbcdKq3", "0015g0000…dKq3"),
        ("d365-emea/customer/usmf:C001", "C001"),
        ("hub/x:", "hub/x:"),
        ("</script>", "</script>"),
        ("a/b:\u202e1", "⟨RLO⟩1"),
    ],
)
def test_a_key_is_shortened_in_the_middle(key: str, expected: str) -> None:
    assert short_key(key) == expected


@pytest.mark.parametrize("text", NASTY)
def test_nasty_values_can_be_shown(text: str) -> None:
    marked(text).encode()
    plain(text).encode()
    short_key(text).encode()
    initials(text).encode()
