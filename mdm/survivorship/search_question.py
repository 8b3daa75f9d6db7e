"""What somebody typed into the one search field, read in every way it can be meant. Pure.

The same text may be an id, a key, a number, a telephone number, an address or a name; each reading becomes a query on
terms. A query is written in PostgreSQL's language of text search, with every term quoted.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from matching.standardise import FORMS
from matching.standardise.text import alphanumeric, fold, tidy, words
from mdm.survivorship.search_terms import (
    DOMAIN,
    EMAIL,
    KEY,
    NAME,
    NUMBER,
    PHONE,
    SLIP,
    WORD,
    compare_names,
    number_forms,
    slips,
)

QUESTION_LENGTH_MAX: Final = 400  # chosen: more than the longest name and key; the rest is not read
WORDS_MAX: Final = 8  # chosen: the words that count, the longest first; a legal name has rarely more
BEGINNING_LENGTH_MIN: Final = 3  # letters of a word or key whose continuation is sought
_NUMBER_BEGINNING_MIN: Final = 5
_PHONE_DIGITS_MIN, _PHONE_DIGITS_MAX = 6, 19
_GOLDEN_ID: Final = re.compile(r"[a-z]{2,8}_[0-9a-hjkmnp-tv-z]{0,26}")
_PLACED_KEY: Final = re.compile(r"(?P<place>[^/:]+/[^:]+):(?P<native_id>.*)", re.DOTALL)
_LABEL: Final = re.compile(r"^[^\W\d_][^\d]{0,30}?[\s.:#]+(?=[A-Za-z]{0,4}[\s.-]?\d)")
_COUNTRY_CODE_LENGTHS: Final = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, read.

    asked        without invisible and control characters, cut to a length
    golden_id    the text as the id of a golden record, or its beginning; "" when it cannot be one
    place        of a printed source key: `netsuite-us/customer`; "" for a bare native id
    native_id    of the source key, or its beginning
    name_words   words of a name that must be there, without legal form
    names        whole names as they are compared
    exact        query: keys, numbers, addresses and whole names exactly as asked
    beginning    query: the same, going on
    spelled      query: all words of a name, each perhaps going on
    slipped      query: all words of a name, each perhaps with one letter wrong, missing, added or swapped
    most         query: all words but one; "" for less than three
    all_words    every folded word that was asked for, wherever it stands in a record
    exact_terms, beginning_terms   the terms of `exact` and `beginning`
    """

    asked: str
    golden_id: str
    place: str
    native_id: str
    name_words: tuple[str, ...]
    names: tuple[str, ...]
    exact: str
    beginning: str
    spelled: str
    slipped: str
    most: str
    all_words: tuple[str, ...]
    exact_terms: frozenset[str]
    beginning_terms: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing can be found by it."""
        return not (self.golden_id or self.native_id or self.all_words)


def read_question(text: str) -> Question:
    """Read what was typed; anything can be typed, so nothing raises."""
    asked = _cleaned(text)
    placed = _PLACED_KEY.fullmatch(asked)
    native_id = placed["native_id"].strip() if placed else asked
    names = tuple(name for name in compare_names("company_name", asked, "") if name)
    plain = tuple(dict.fromkeys(words(fold(asked))))
    name_words = _longest(dict.fromkeys(word for name in names[:1] for word in name.split()))
    keys = [KEY + native_id.lower()[:100]] if native_id else []
    numbers, going_on = _numbers(asked)
    wholes = [NAME + _squashed(name) for name in (*names, " ".join(plain)) if name]
    exact = [*keys, *numbers, *wholes]
    beginnings = [key for key in keys if placed or len(key) > BEGINNING_LENGTH_MIN] + going_on
    return Question(
        asked=asked,
        golden_id=asked.lower() if _GOLDEN_ID.fullmatch(asked.lower()) else "",
        place=placed["place"].strip() if placed else "",
        native_id=native_id,
        name_words=name_words,
        names=tuple(dict.fromkeys([*names, " ".join(plain)])) if plain else (),
        exact=_any(map(_quoted, exact)),
        beginning=_any(map(_going_on, beginnings)),
        spelled=_spelled(name_words, plain, wholes),
        slipped=_all(map(_slipped, name_words)),
        most=_any(_all(_word(word) for word in name_words if word != left_out) for left_out in name_words)
        if len(name_words) > 2
        else "",
        all_words=plain,
        exact_terms=frozenset(exact),
        beginning_terms=tuple(beginnings),
    )


def _cleaned(text: str) -> str:
    """Cut what was typed to a length, and take out what no column keeps and nobody sees."""
    storable = text[: 4 * QUESTION_LENGTH_MAX].encode("utf-8", "ignore").decode()
    return tidy(storable)[:QUESTION_LENGTH_MAX].strip()


def _longest(found: Iterable[str]) -> tuple[str, ...]:
    """Keep the words that tell most, in the order they were asked."""
    asked = list(found)
    kept = set(sorted(asked, key=len, reverse=True)[:WORDS_MAX])
    return tuple(word for word in asked if word in kept)


def _squashed(name: str) -> str:
    return name.replace(" ", "")[:100]


def _numbers(asked: str) -> tuple[list[str], list[str]]:
    """Give the terms of what was asked as numbers and addresses, and those that may go on."""
    exact: dict[str, None] = {}
    going_on: dict[str, None] = {}
    for text in dict.fromkeys([asked, _LABEL.sub("", asked)]):
        forms = number_forms(text)
        exact |= dict.fromkeys(NUMBER + form for form in forms)
        going_on |= dict.fromkeys(NUMBER + form for form in forms if len(form) >= _NUMBER_BEGINNING_MIN)
        going_on |= dict.fromkeys(PHONE + digits[::-1] for digits in _phone_digits(text))
    if "@" in asked:
        exact |= dict.fromkeys(EMAIL + form for form in FORMS["email"]([asked], [""])[0] or (asked.lower(),))
        exact |= dict.fromkeys(DOMAIN + form for form in FORMS["email_domain"]([asked], [""])[0])
    elif "." in asked and " " not in asked:
        exact |= dict.fromkeys(DOMAIN + form for form in FORMS["domain"]([asked], [""])[0])
    return list(exact), list(going_on)


def _phone_digits(text: str) -> list[str]:
    """Give the digits of a telephone number as they may end a number: without zeros in front, without country code."""
    written = text.replace("(0)", "")
    digits = alphanumeric(written)
    if not digits.isdigit() or not _PHONE_DIGITS_MIN <= len(digits) <= _PHONE_DIGITS_MAX:
        return []
    found = [digits.lstrip("0")]
    if written.startswith(("+", "00")):
        found += [found[0][length:].lstrip("0") for length in _COUNTRY_CODE_LENGTHS]
    return [one for one in dict.fromkeys(found) if len(one) >= _PHONE_DIGITS_MIN]


def _spelled(name_words: Sequence[str], plain: Sequence[str], wholes: Sequence[str]) -> str:
    """Ask for all words of a name, compared or as typed, or for the whole name going on: "redh" is "red hat"."""
    ways = [_all(map(_word, name_words))]
    if not set(name_words) <= set(plain):
        ways.append(_all(map(_word, plain[:WORDS_MAX])))
    ways += [_going_on(whole) for whole in dict.fromkeys(wholes) if len(whole) > BEGINNING_LENGTH_MIN]
    return _any(way for way in ways if way)


def _word(word: str) -> str:
    return _going_on(WORD + word) if len(word) >= BEGINNING_LENGTH_MIN else _quoted(WORD + word)


def _slipped(word: str) -> str:
    missing = list(slips(word))
    if not missing:
        return _word(word)
    return _any(
        [_word(word), _quoted(SLIP + word), *(_quoted(mark + slip) for slip in missing for mark in (WORD, SLIP))]
    )


def _all(queries: Iterable[str]) -> str:
    return " & ".join(queries)


def _any(queries: Iterable[str]) -> str:
    found = list(dict.fromkeys(query for query in queries if query))
    return f"({' | '.join(found)})" if found else ""


def _quoted(term: str) -> str:
    """Quote a term as tsquery reads it: nothing in it is an operator, a blank or an end."""
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"


def _going_on(term: str) -> str:
    return f"{_quoted(term)}:*"
