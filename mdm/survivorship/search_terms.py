"""The terms by which one search finds a golden record in any spelling and any format. Pure.

A term is a mark and a text without blanks. Names give their words, what is left of each word when a letter is missing
(so that a slip of the keyboard meets what it slipped from), and the whole name without legal form and blanks. Numbers
lose everything but letters and digits, telephone numbers are turned round, so that their end is a beginning whatever
country code stands before it. The terms of what is asked are made the same way, which is all there is to it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from matching.standardise import FORMS
from matching.standardise.text import alphanumeric, fold, words
from mdm.entities.model import EntityType, SemanticType
from mdm.survivorship.search_words import search_words

NameKind = Literal["company_name", "person_name", "text"]

WORD, SLIP, NAME, NUMBER, PHONE, EMAIL, DOMAIN, KEY = "w", "f", "e", "n", "r", "m", "d", "k"
"""Marks: word of a name, word with a letter missing, whole name, number, number turned round, address, host, key."""

TERMS_MAX: Final = 2_000  # chosen: of one golden record; fifty members with names of their own stay below it
NAMES_MAX: Final = 60  # chosen: of one golden record, for ranking
_TERM_LENGTH_MAX: Final = 120  # chosen: of a lexeme, whose own bound is 2,046 bytes
SLIP_LENGTH_MIN: Final = 4  # letters; in a shorter word a missing letter means another word
_SLIP_LENGTH_MAX: Final = 24  # chosen: a longer word is one that nobody types by heart
_DIGITS_MIN: Final = 4  # chosen: digits of a number that name it without its letters
_PHONE_DIGITS_MIN: Final = 6
_NUMBER_KINDS: Final[Mapping[SemanticType, str]] = {
    "tax_id": NUMBER,
    "identifier": NUMBER,
    "phone": PHONE,
    "email": EMAIL,
    "url": DOMAIN,
}
_RUN: Final = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class SearchRow:
    """By what one golden record is found.

    words  every word that it or a member says
    names  its names as they are compared
    terms  see the top of this file
    """

    words: str
    names: tuple[str, ...]
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sought:
    """An attribute that is searched as more than words.

    kind          mark of its terms; WORD for a name
    name_kind     compare form of a name
    country_from  attributes that tell the country its values are read in
    """

    attribute: str
    kind: str
    name_kind: NameKind = "text"
    country_from: tuple[str, ...] = ()


def search_row(
    entity_type: EntityType, golden_id: str, values: Mapping[str, Any], members: Sequence[tuple[Any, ...]]
) -> SearchRow:
    """Gather by what a golden record is found: (instance, object, scope, native id, values, undeclared) a member."""
    terms: dict[str, None] = {KEY + member[3].lower()[: _TERM_LENGTH_MAX - 1]: None for member in members}
    names: dict[str, None] = {}
    for kind, name_kind, text, country in _said(entity_type, [values, *(member[4] for member in members)]):
        terms |= dict.fromkeys(terms_of(kind, name_kind, text, country))
        if kind == WORD:
            names |= dict.fromkeys(compare_names(name_kind, text, country))
    return SearchRow(
        words=search_words(golden_id, values, members),
        names=tuple(names)[:NAMES_MAX],
        terms=tuple(terms)[:TERMS_MAX],
    )


@lru_cache(maxsize=256)
def sought_in(entity_type: EntityType) -> tuple[Sought, ...]:
    """Name the attributes of an entity type that are names, numbers or ways to reach somebody."""
    features = entity_type.model.features
    named = frozenset(features[0].attributes) if features else frozenset()
    countries = {name: one.country_from for one in reversed(features) for name in one.attributes if one.country_from}
    found = []
    for attribute in entity_type.attributes.values():
        semantic_type = attribute.semantic_type
        country_from = countries.get(attribute.name, ())
        if semantic_type in {"company_name", "person_name"}:
            found.append(Sought(attribute.name, WORD, semantic_type, country_from))
        elif attribute.name in named and semantic_type == "text":
            found.append(Sought(attribute.name, WORD, "text", country_from))
        elif semantic_type in _NUMBER_KINDS:
            found.append(Sought(attribute.name, _NUMBER_KINDS[semantic_type], "text", country_from))
    return tuple(found)


def country_of(sought: Sought, values: Mapping[str, Any]) -> str:
    """Give the country that a record's values of an attribute are read in, "" when it does not say."""
    for name in sought.country_from:
        if country := values.get(name):
            return str(country)
    return ""


@lru_cache(maxsize=8_192)  # what a delivery changes is gathered again with all that the members said before
def terms_of(kind: str, name_kind: NameKind, text: str, country: str) -> tuple[str, ...]:
    """Give the terms of one value of a kind of attribute."""
    terms = _name_terms(name_kind, text, country) if kind == WORD else _NUMBER_TERMS[kind](text, country)
    return tuple(dict.fromkeys(term for term in terms if 1 < len(term) <= _TERM_LENGTH_MAX))


@lru_cache(maxsize=8_192)
def compare_names(kind: NameKind, text: str, country: str) -> tuple[str, ...]:
    """Give the names written into a text, without what writers add: legal form, article, title."""
    return FORMS[kind]([text], [country])[0] or FORMS["text"]([text], [country])[0]


def slips(word: str) -> Iterator[str]:
    """Give a word with each of its letters missing in turn; short words have no slips, nor have numbers."""
    if SLIP_LENGTH_MIN <= len(word) <= _SLIP_LENGTH_MAX and not word.isdigit():
        for place in range(len(word)):
            yield word[:place] + word[place + 1 :]


def number_forms(text: str) -> tuple[str, ...]:
    """Give the ways to write a number without anything between: whole, without leading zeros, its digits alone."""
    plain = alphanumeric(text)
    if not any(letter.isdigit() for letter in plain):
        return ()
    digits = "".join(_RUN.findall(plain))
    forms = [plain, *FORMS["reference"]([text], [""])[0]]
    if len(digits) >= _DIGITS_MIN:
        forms += [digits, digits.lstrip("0")]
    return tuple(dict.fromkeys(form for form in forms if form))


def _name_terms(kind: NameKind, text: str, country: str) -> Iterator[str]:
    compared = compare_names(kind, text, country)
    plain = words(fold(text))
    for word in dict.fromkeys([*plain, *(word for name in compared for word in name.split())]):
        yield WORD + word
        for slip in slips(word):
            yield SLIP + slip
    for name in (*compared, " ".join(plain)):
        yield NAME + name.replace(" ", "")


def _numbers(text: str, _country: str) -> Iterator[str]:
    for form in number_forms(text):
        yield NUMBER + form


def _phones(text: str, country: str) -> Iterator[str]:
    for digits in FORMS["phone"]([text], [country])[0]:
        yield PHONE + digits[::-1]
    # As it was typed too: a number that no dialling plan knows is still the one that somebody looks for.
    digits = alphanumeric(text).lstrip("0")
    if digits.isdigit() and len(digits) >= _PHONE_DIGITS_MIN:
        yield PHONE + digits[::-1]


def _emails(text: str, country: str) -> Iterator[str]:
    for address in FORMS["email"]([text], [country])[0] or (text.strip().lower(),):
        yield EMAIL + address
    for host in FORMS["email_domain"]([text], [country])[0]:
        yield DOMAIN + host


def _domains(text: str, country: str) -> Iterator[str]:
    for host in FORMS["domain"]([text], [country])[0]:
        yield DOMAIN + host


_NUMBER_TERMS: Final[Mapping[str, Callable[[str, str], Iterator[str]]]] = {
    NUMBER: _numbers,
    PHONE: _phones,
    EMAIL: _emails,
    DOMAIN: _domains,
}


def _said(entity_type: EntityType, told: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, NameKind, str, str]]:
    """Give each distinct value once, as (kind, compare form of a name, text, country): most members say the same."""
    sought_by_name = _sought_by_name(entity_type)
    found: dict[tuple[str, NameKind, str, str], None] = {}
    for values in told:
        for name, value in values.items():
            sought = sought_by_name.get(name)
            if sought is not None:
                country = country_of(sought, values)
                for text in (value,) if isinstance(value, str) else _texts(value):
                    found[sought.kind, sought.name_kind, text, country] = None
    return found


@lru_cache(maxsize=256)
def _sought_by_name(entity_type: EntityType) -> Mapping[str, Sought]:
    return {sought.attribute: sought for sought in sought_in(entity_type)}


def _texts(value: Any) -> Sequence[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else ()
