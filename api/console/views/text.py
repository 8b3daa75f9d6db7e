"""Shows text that others wrote: escaped, set apart from the direction of its surroundings, with nothing hidden in it.

What a reader cannot see (direction controls, zero-width and tag characters, controls, fillers, private use) becomes a
mark that names it; a heap of combining marks is cut; a long text is cut where a letter ends. Joiners and variation
selectors stay where a script or a picture needs them. `marked` gives markup for a page, `plain` text for a title.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from markupsafe import Markup, escape

from api.console.views.graphemes import is_pictograph, letters

LETTERS_MAX: Final = 280  # chosen: six lines of a column of the review card
TITLE_LETTERS_MAX: Final = 2_000  # chosen: a screen of small print
COMBINING_MAX: Final = 4  # the most that a letter of a living script carries (Vietnamese 2, Hebrew 3, Thai 3)

_NAMES: Final = {
    "\u00ad": "SHY",
    "\u034f": "CGJ",
    "\u061c": "ALM",
    "\u115f": "HF",
    "\u1160": "HF",
    "\u17b4": "KHM",
    "\u17b5": "KHM",
    "\u180b": "MVS",
    "\u180c": "MVS",
    "\u180d": "MVS",
    "\u180e": "MVS",
    "\u180f": "MVS",
    "\u200b": "ZWSP",
    "\u200c": "ZWNJ",
    "\u200d": "ZWJ",
    "\u200e": "LRM",
    "\u200f": "RLM",
    "\u2028": "LS",
    "\u2029": "PS",
    "\u202a": "LRE",
    "\u202b": "RLE",
    "\u202c": "PDF",
    "\u202d": "LRO",
    "\u202e": "RLO",
    "\u2060": "WJ",
    "\u2066": "LRI",
    "\u2067": "RLI",
    "\u2068": "FSI",
    "\u2069": "PDI",
    "\u2800": "BLANK",
    "\u3164": "HF",
    "\ufeff": "BOM",
    "\uffa0": "HF",
    "\U0001d159": "BLANK",
}
# The names of the 32 controls of ASCII; the two that break and indent text get the signs everybody knows.
_CONTROLS: Final = (
    *(["NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "⇥", "↵", "VT", "FF", "CR", "SO", "SI"]),
    *(["DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US"]),
)
_SIGNS: Final = frozenset("⇥↵")
SIGNS_MAX: Final = 3  # chosen: more line breaks in a row are counted
_CONTROL_NAMES: Final = {"\t": "TAB", "\n": "LINE FEED", "\r": "CARRIAGE RETURN", "\x00": "NULL", "\x1b": "ESCAPE"}
# Signs that Unicode counts among the invisible, but that are drawn: number signs of Arabic, Syriac and Kaithi.
_DRAWN: Final = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_JOINERS: Final = ("\u200c", "\u200d")
_MARKS: Final = frozenset({"Mn", "Me", "Mc"})


# Instance, object and scope of a source key, as it is printed: d365-emea/customer/usmf:
_KEY_START: Final = re.compile(r"\A[\w.-]+(?:/[\w.-]+)+:", re.ASCII)


@dataclass(frozen=True, slots=True)
class Piece:
    """Hold a stretch of text, or the visible name of something invisible with the title that explains it."""

    text: str
    title: str = ""

    @property
    def is_mark(self) -> bool:
        """Tell whether the piece stands for something that could not be seen."""
        return bool(self.title)


def pieces(text: str) -> tuple[Piece, ...]:
    """Cut a text into stretches that can be read and marks for what cannot, in order."""
    if _is_readable(text):
        return (Piece(text),)
    if not text.strip() and text.isprintable():
        return (_blank(text),)
    found: list[Piece] = []
    for label, group in groupby(_named(text), key=lambda each: each[1]):
        run = [character for character, _ in group]
        title = _title(run[0])
        if not label:
            found.append(Piece("".join(run)))
        elif label == "TAG":
            hidden = "".join(chr(ord(each) - 0xE0000) for each in run if "\U000e0020" <= each <= "\U000e007e")
            found.append(Piece(f"⟨TAG {hidden}⟩" if hidden else f"⟨TAG ×{len(run)}⟩", title))
        elif label == "\u25cc":
            found.append(Piece(f"◌ ×{len(run)}" if len(run) > 1 else "◌" + run[0], title))
        elif label in _SIGNS:
            found.append(Piece(label * len(run) if len(run) <= SIGNS_MAX else f"{label} ×{len(run)}", title))
        else:
            found.append(Piece(f"⟨{label} ×{len(run)}⟩" if len(run) > 1 else f"⟨{label}⟩", title))
    return tuple(found)


def marked(value: object, letters_max: int = LETTERS_MAX) -> Markup:
    """Show a value from a record safely: escaped, isolated, nothing hidden, cut after so many letters."""
    text = "" if value is None else str(value)
    if not text:
        return Markup()
    shown, rest = cut(text, letters_max)
    if not rest:
        return Markup(f"<bdi>{_spans(shown)}</bdi>")  # noqa: S704 -- what stands between is escaped
    title = plain(text, TITLE_LETTERS_MAX)
    return Markup('<bdi title="{}">{}<span class="cut">…</span></bdi>').format(title, _spans(shown))


def with_commands(value: object, letters_max: int = LETTERS_MAX) -> Markup:
    """Show words of ours in which commands stand between backticks: as `marked`, with each command set apart."""
    text = "" if value is None else str(value)
    if len(text) > letters_max or text.count("`") % 2:
        return marked(text, letters_max)
    parts = [_spans(part) for part in text.split("`")]
    parts[1::2] = [Markup("<code>{}</code>").format(command) for command in parts[1::2]]
    return Markup("<bdi>{}</bdi>").format(Markup().join(parts)) if text else Markup()


def marked_part(text: str) -> Markup:
    """Show a part of a value, such as one segment of a difference: as `marked`, without isolation and without a cut."""
    return escape(text) if text.isprintable() and text.isspace() else _spans(text)


def plain(value: object, letters_max: int = LETTERS_MAX) -> str:
    """Say a value in text alone, for titles, labels and drawings: what is hidden is named, a long text is cut."""
    text = "" if value is None else str(value)
    shown, rest = cut(text, letters_max)
    if _is_readable(shown):
        return shown + ("…" if rest else "")
    return "".join(piece.text for piece in pieces(shown)) + ("…" if rest else "")


def cut(text: str, letters_max: int = LETTERS_MAX) -> tuple[str, str]:
    """Cut a text after so many letters, never inside one; give what is shown and the rest."""
    if len(text) <= letters_max:
        return text, ""
    start = "".join(letters(text[: letters_max * 16])[:letters_max])
    return start, text[len(start) :]


def sentence(text: str) -> str:
    """Begin a sentence with a capital."""
    return text[:1].upper() + text[1:]


def initials(name: str) -> str:
    """Give one or two capitals for a person: of the first and the last word that begin with a letter or digit."""
    words = [word for word in name.replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    first = letters(words[0])
    if len(words) == 1:
        return "".join(letter for letter in first[:2] if letter[0].isalnum()).upper()
    return (first[0] + letters(words[-1])[0]).upper()


def short_key(key: str, letters_max: int = 14) -> str:
    """Shorten a source key for a narrow place: without instance and object, its middle left out."""
    native = _KEY_START.sub("", key, count=1) or key
    if len(native) <= letters_max:
        return plain(native, letters_max)
    tail = max(1, (letters_max - 1) // 3)
    cut_letters = letters(native)
    return plain("".join(cut_letters[: letters_max - 1 - tail])) + "…" + plain("".join(cut_letters[-tail:]))


def _is_readable(text: str) -> bool:
    """Tell quickly of most texts that nothing in them is hidden."""
    return text.isascii() and text.isprintable() and bool(text.strip() or not text)


def _spans(text: str) -> Markup:
    if _is_readable(text):
        return escape(text)
    return Markup().join(
        Markup('<span class="mark" title="{}">{}</span>').format(piece.title, piece.text)
        if piece.is_mark
        else escape(piece.text)
        for piece in pieces(text)
    )


def _blank(text: str) -> Piece:
    label = "⟨blank⟩" if len(text) == 1 else f"⟨blank ×{len(text)}⟩"
    return Piece(label, _title(text[0]))


def _named(text: str) -> Iterator[tuple[str, str]]:
    """Yield each character with the label of its mark, "" where it can be read."""
    combining, is_alone = 0, False
    for place, character in enumerate(text):
        if character.isascii() and character.isprintable():
            combining, is_alone = 0, False
            yield character, ""
            continue
        is_combining = unicodedata.category(character) in _MARKS and not _is_selector(character)
        combining = combining + 1 if is_combining else 0
        is_alone = is_combining and (is_alone or _stands_alone(text, place))
        label = _label(text, place)
        if label:
            yield character, label
        elif is_combining and (combining > COMBINING_MAX or is_alone):
            yield character, "\u25cc"
        else:
            yield character, ""


def _label(text: str, place: int) -> str:
    """Give the short name of a character that cannot be seen where it stands; "" for one that can."""
    character = text[place]
    code = ord(character)
    if code < 0x20:
        return _CONTROLS[code]
    if character in _JOINERS and _joins(text, place):
        return ""
    if _is_selector(character):
        return "" if _selects(text, place) else f"VS{code - 0xFDFF if code < 0xFFFF else code - 0xE00EF}"
    if name := _NAMES.get(character):
        return name
    if 0xE0000 <= code <= 0xE007F:
        return "TAG"
    is_hidden = unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"} and character not in _DRAWN
    is_no_character = 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE
    return f"U+{code:04X}" if is_hidden or is_no_character else ""


def _title(character: str) -> str:
    name = unicodedata.name(character, _CONTROL_NAMES.get(character, ""))
    return f"U+{ord(character):04X} {name}".strip()


def _is_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _selects(text: str, place: int) -> bool:
    """Tell whether a variation selector has a picture, sign or ideograph before it to choose the look of."""
    before = text[place - 1] if place else ""
    if not before:
        return False
    is_ideograph = "CJK" in unicodedata.name(before, "")
    if text[place] in "\ufe0e\ufe0f":
        return is_pictograph(before) or (before in "0123456789#*" and text[place + 1 : place + 2] == "\u20e3")
    return is_ideograph


def _joins(text: str, place: int) -> bool:
    """Tell whether a joiner stands where writing needs it: between pictures, or inside a word of a joining script."""
    before = next((each for each in reversed(text[max(0, place - 4) : place]) if not _modifies(each)), "")
    after = text[place + 1 : place + 2]
    if not before or not after:
        return False
    if text[place] == "\u200d" and is_pictograph(before) and is_pictograph(after):
        return True
    return _is_joining_letter(before) and _is_joining_letter(after)


def _modifies(character: str) -> bool:
    return _is_selector(character) or "\U0001f3fb" <= character <= "\U0001f3ff" or unicodedata.combining(character) > 0


def _is_joining_letter(character: str) -> bool:
    code = ord(character)
    return unicodedata.category(character) in {"Lo", "Mn", "Mc"} and (
        0x0620 <= code <= 0x08FF or 0x0900 <= code <= 0x0DFF or 0x1780 <= code <= 0x18AF
    )


def _stands_alone(text: str, place: int) -> bool:
    """Tell whether a combining mark has no letter before it."""
    before = text[place - 1] if place else " "
    return before.isspace() or (unicodedata.category(before) in {"Cc", "Cf", "Zs"} and before not in _JOINERS)
