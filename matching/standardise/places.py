"""Compare forms of addresses: street, house number, postal code, city, country.

A light normaliser, not a parser: it takes off what writers add or leave out (unit, floor, number) and unifies street
types of about twenty languages. What it cannot part stays in the street form, where a token comparison still sees it.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from matching.standardise.tables import cities, countries, countries_that, street_words
from matching.standardise.text import CHUNK, alphanumeric, fold, words

_UNIT = re.compile(
    r"""\b(?:suite|ste|apartment|apartamento|appartamento|apto|apt|unit|room|rm|floor|etage|stock|obergeschoss
        |erdgeschoss|stiege|tuer|tur|office|oficina|bureau|flat|piso|planta|scala|interno|wohnung|whg|lokal|level|lvl
        |dept|mail\ ?stop)\b[\s.:\#]*(?:[0-9]+[a-z]?|[a-z])\b
      | \b[0-9]+(?:st|nd|rd|th|er|e|\.)?\s*(?:floor|fl|etage|stock|og|obergeschoss|piso|planta)\b\.?
      | \#\s*[0-9]*[a-z]?\b
      | ,\s*[0-9]+o\b.*$
      | \bc/o\b[^,]*,?
    """,
    re.VERBOSE,
)
_POST_BOX = re.compile(
    r"""\b(?:p\.?\s*o\.?\s*box | post(?:al)?\s*box | postfach | boite\s*postale | casella\s*postale
        | apartado(?:\s*de\s*correos)? | caixa\s*postal | postbus | postboks | box )\s*\#?\s*([0-9][0-9 ]*)""",
    re.VERBOSE,
)
_ORDINAL = re.compile(r"^([0-9]+)(?:st|nd|rd|th)$")
_RANGE = re.compile(r"(?<=[0-9])\s*[-/+]\s*[0-9]+[a-z]?\b|(?<=[0-9][a-z])\s*[-/+]\s*[0-9]+[a-z]?\b")
_NUMBER = re.compile(r"^[0-9]{1,5}[a-z]{0,2}$")
_POST_CODE_PREFIX = re.compile(r"^[a-z]{1,2}[\s-]+(?=[0-9])")
_CITY_NOISE = re.compile(
    r"""\([^)]*\) | [0-9][0-9a-z]* | /.*$
      | \b(?:cedex|city\ of|town\ of|stadt|hansestadt|landeshauptstadt|ville\ de|greater)\b
      | \b(?:a\.?\s?m\.?|am\ main|am\ rhein|a\.\s?d\.\s?\w+\.?)(?=\s|$)
    """,
    re.VERBOSE,
)
_STREET_WORDS_MIN = 2
_WORDS_KEPT = 100_000
"""Words of streets of which is kept what they are read as (chosen: some 20 MB)."""


def street(value: str, country: str) -> tuple[str, ...]:
    """Give the street without unit and house number.

    "197 High Street, Suite 4" is "high st", "Hauptstraße 5" is "hauptstr".
    """
    return _read(fold(value), country).street


def house_number(value: str, country: str) -> tuple[str, ...]:
    """Give the house number, the first of a range, its letter kept: "12 B" and "12b" are "12b"."""
    plain = alphanumeric(value)
    if _NUMBER.match(plain):
        return (plain.lstrip("0") or plain,)
    return _read(fold(value), country).house_number


class StreetRead(NamedTuple):
    """Hold what a street's forms are: without unit and number, and its number."""

    street: tuple[str, ...]
    house_number: tuple[str, ...]


def read_folded(folded: str, country: str) -> StreetRead:
    """Read a street that is folded, and more than a number."""
    written = words(folded)
    left, number = _parted(folded, written, country)
    box = None if street_words("post_box").keys().isdisjoint(written) else _POST_BOX.search(folded)
    joined = f"po box {box.group(1).replace(' ', '')}" if box else street_of(left)
    return StreetRead((joined,) if joined else (), (number,) if number else ())


_read = lru_cache(CHUNK)(read_folded)


def street_of(left: Sequence[str]) -> str:
    """Write the words of a street, its number taken off, as they are meant."""
    found: list[str] = []
    for word in left:
        meant, suffix = street_word(word)
        if suffix and found:
            found[-1] += suffix
        else:
            found.append(meant)
    return " ".join(found)


@lru_cache(_WORDS_KEPT)
def street_word(word: str) -> tuple[str, str]:
    """Give what a word of a street is read as, and what it adds to the word before it, "" where it adds nothing."""
    ordinal = _ORDINAL.match(word)
    plain = ordinal.group(1) if ordinal else street_words("ordinal").get(word, word)
    meant = street_words("type").get(plain) or street_words("direction").get(plain) or _with_short_suffix(plain)
    return meant, street_words("suffix").get(plain, "")


def postal_code(value: str, country: str) -> tuple[str, ...]:
    """Give a postal code without blanks and country prefix: ZIP+4 cut to five digits, lost leading zeros put back."""
    written = fold(value[:40])
    if not country or country in countries_that("prefixed_post_code"):
        written = _POST_CODE_PREFIX.sub("", written)
    plain = "".join(words(written))
    digits = plain.isdigit()
    if digits and len(plain) == 9 and country in {"us", ""}:
        plain = plain[:5]
    if digits and len(plain) == 4 and country in countries_that("five_digit_post_code"):
        plain = f"0{plain}"
    return (plain,) if plain else ()


def city(value: str, _country: str) -> tuple[str, ...]:
    """Give a city's one name for all languages: "München" and "Monaco di Baviera" are "munich"."""
    folded = fold(value)
    whole = " ".join(words(folded))
    known = cities()
    if whole in known:
        return (known[whole],)
    plain = words(_CITY_NOISE.sub(" ", folded.split(",")[0]))
    plain = ["saint" if word in {"st", "ste", "sankt", "sainte"} else word for word in plain]
    joined = " ".join(plain) or whole
    return (known.get(joined, joined),) if joined else ()


def country(value: str, _country: str) -> tuple[str, ...]:
    """Give the lower-case ISO 3166 alpha-2 code of a country's code or name in several languages, else nothing."""
    folded = " ".join(words(fold(value)))
    found = countries().get(folded) or countries().get(folded.removeprefix("the "))
    return (found,) if found else ()


def country_code(value: str) -> str:
    """Give the country code of one value, "" where it names none: the context in which other forms are read."""
    found = country(value, "")
    return found[0] if found else ""


@cache
def _short_suffixes() -> tuple[tuple[str, str], ...]:
    return tuple(sorted(street_words("suffix").items(), key=lambda pair: (-len(pair[0]), pair[0])))


@cache
def _endings() -> tuple[str, ...]:
    return tuple(long for long, _ in _short_suffixes())


def _with_short_suffix(word: str) -> str:
    if not word.endswith(_endings()):
        return word
    for long, short in _short_suffixes():
        if word.endswith(long) and len(word) > len(long) + 1:
            return word.removesuffix(long) + short
    return word


def _parted(folded: str, written: list[str], country: str) -> tuple[list[str], str]:
    """Part a street's words from its house number."""
    if not street_words("unit").keys().isdisjoint(written) or "#" in folded or "," in folded or "/" in folded:
        folded = _UNIT.sub(" ", folded)
        written = []
    if "-" in folded or "/" in folded or "+" in folded:
        folded = _RANGE.sub(" ", folded)
        written = []
    return numbered(written or words(folded), country)


def word_kind(word: str) -> int:
    """Say what a word is to `numbered`: words of one kind can stand for each other.

    0 any other, 1 to 6 digits (six or more), 7 a letter, 8 a letter that is a direction, 9 a number with letters,
    10 one that is an ordinal too
    """
    if word.isdigit():
        return min(len(word), 6)
    if len(word) == 1:
        return 8 if word in street_words("direction") else 7
    if not _NUMBER.match(word):
        return 0
    return 10 if _ORDINAL.match(word) else 9


@cache
def special_words() -> frozenset[str]:
    """Give the words that name a unit, a floor or a post box."""
    return frozenset(street_words("unit")) | frozenset(street_words("post_box"))


def numbered(left: list[str], country: str) -> tuple[list[str], str]:
    """Part the words of a street from its house number, "" where it has none; the words may be changed."""
    if len(left) > _STREET_WORDS_MIN and len(left[-1]) == 1 and left[-1].isalpha() and left[-2].isdigit():
        left[-2:] = [left[-2] + left[-1]]
    if (
        len(left) > _STREET_WORDS_MIN
        and left[0].isdigit()
        and len(left[1]) == 1
        and left[1] not in street_words("direction")
    ):
        left[:2] = [left[0] + left[1]]
    if len(left) < _STREET_WORDS_MIN:
        return left, ""
    is_first, is_last = bool(_NUMBER.match(left[0])) and not _ORDINAL.match(left[0]), bool(_NUMBER.match(left[-1]))
    if is_first and (not is_last or not country or country in countries_that("house_number_first")):
        return left[1:], left[0].lstrip("0") or left[0]
    if is_last:
        return left[:-1], left[-1].lstrip("0") or left[-1]
    inside = [place for place, word in enumerate(left[1:-1], 1) if word.isdigit()]
    if len(inside) == 1 and country and country not in countries_that("house_number_first"):
        number = left[inside[0]].lstrip("0") or left[inside[0]]
        return [word for place, word in enumerate(left) if place != inside[0]], number
    return left, ""
