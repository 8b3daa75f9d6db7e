"""The CSV tables beside this module, each read once and turned into the look-up its form needs.

They are written by hand from general knowledge; where an entry has an origin (a statute, a register, a standard) its
own column names it. Spellings go through the same folding as the values they meet, so a table lists a name as people
write it.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from matching.standardise.text import fold, tidy, to_ascii, words

_FOLDER = Path(__file__).parent

FORM_GROUPS: Mapping[str, tuple[str, ...]] = {
    "@names": ("company_name", "legal_form", "registered_name", "person_name", "text", "phase", "part"),
    "@identifiers": ("tax_id", "identifier", "registration_number", "duns", "lei", "code", "reference"),
    "@contacts": ("phone", "email", "email_domain", "domain"),
    "@places": ("street", "house_number", "postal_code", "city"),
    "@values": ("currency", "date", "number", "year"),
}
"""Shorthands of the `forms` column of placeholders.csv; country stands alone, since "NA" is Namibia."""


@dataclass(frozen=True, slots=True)
class LegalForm:
    """One legal form as written: its class, the countries that know it (empty: many), and how warily to read it.

    where   "end", "start", "both", or "any" for a spelling that means nothing else wherever it stands
    strict  it is also a plain word: read as a legal form only in its countries, or where its spelling gives it away
    """

    legal_class: str
    countries: frozenset[str]
    where: str
    is_strict: bool


@dataclass(frozen=True, slots=True)
class TaxIdKind:
    """One kind of tax number: the python-stdnum module that knows it, and the part that names the legal entity.

    A number that one legal entity may have several of, or change (the German Steuernummer), is no kind.
    """

    country: str
    kind: str
    module: str
    part: slice


@cache
def legal_forms() -> Mapping[str, tuple[LegalForm, ...]]:
    """Give the legal forms by spelling, its words joined: "S.à r.l." and "SARL" are both "sarl"."""
    forms: dict[str, tuple[LegalForm, ...]] = {}
    for row in _rows("legal_forms.csv"):
        spelling = "".join(words(fold(row["form"])))
        form = LegalForm(
            row["class"], frozenset(row["countries"].split()), row["where"] or "end", row["strict"] == "yes"
        )
        if form not in forms.get(spelling, ()):
            forms[spelling] = (*forms.get(spelling, ()), form)
    return forms


@cache
def unspaced_legal_forms() -> Mapping[str, str]:
    """Give the spelling in `legal_forms` of each form whose script writes no blanks (株式会社), longest first."""
    found = {tidy(row["form"]): "".join(words(fold(row["form"]))) for row in _rows("legal_forms.csv")}
    unspaced = {
        raw: key
        for raw, key in found.items()
        if any("\u3040" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7af" for letter in raw)
    }
    return dict(sorted(unspaced.items(), key=lambda pair: (-len(pair[0]), pair[0])))


@cache
def placeholders(form: str) -> frozenset[str]:
    """Give the values that stand for "nothing known" in a form, lower-case as typed."""
    return frozenset(row["value"] for row in _rows("placeholders.csv") if _applies(row["forms"], form))


@cache
def placeholder_forms(form: str) -> frozenset[str]:
    """Give the compare forms that stand for "nothing known".

    For companies only what is a placeholder everywhere: "X Corp" is one though "x" is none, "Unknown Ltd" is not.
    """
    everywhere = frozenset(row["value"] for row in _rows("placeholders.csv") if "*" in row["forms"].split())
    return everywhere if form == "company_name" else placeholders(form)


@cache
def name_words(kind: str) -> Mapping[str, str]:
    """Give the words of one kind (abbreviation, noun, title, nickname, other_name, branch) and what each is read as."""
    return _words_of("name_words.csv", kind)


@cache
def street_words(kind: str) -> Mapping[str, str]:
    """Give the street words of one kind (type, suffix, direction, ordinal, unit, post_box) and what each is read as."""
    return _words_of("street_words.csv", kind)


@cache
def countries() -> Mapping[str, str]:
    """Give the lower-case ISO 3166 alpha-2 code of every code and name of a country, folded."""
    codes: dict[str, str] = {}
    for row in _rows("countries.csv"):
        for name in (row["iso2"], row["iso3"], row["name"], *row["others"].split("|")):
            codes.setdefault(" ".join(words(fold(name))), row["iso2"].lower())
    codes.pop("", None)
    return codes


@cache
def countries_that(habit: str) -> frozenset[str]:
    """Give the countries, lower-case ISO-2, with a habit of the `habits` column.

    house_number_first, month_first (3/4 is the fourth of March), decimal_point, five_digit_post_code,
    prefixed_post_code (D-80331), national_register (one number for one legal entity in the whole country)
    """
    return frozenset(row["iso2"].lower() for row in _rows("countries.csv") if habit in row["habits"].split())


@cache
def cities() -> Mapping[str, str]:
    """Give the one compare name of every city that has names in several languages."""
    names: dict[str, str] = {}
    for row in _rows("cities.csv"):
        meaning = " ".join(words(fold(row["city"])))
        names |= {" ".join(words(fold(name))): meaning for name in row["others"].split("|")}
    return names


@cache
def currencies() -> Mapping[str, str]:
    """Give the lower-case ISO 4217 code of every code, symbol and name of a currency."""
    codes: dict[str, str] = {}
    for row in _rows("currencies.csv"):
        for name in (row["code"], *row["others"].split("|")):
            codes.setdefault(tidy(name).lower(), row["code"].lower())
    codes.pop("", None)
    return codes


@cache
def shared_domains(kind: str) -> frozenset[str]:
    """Give the domains of one kind (free_mail, platform, example) that say nothing about who uses them."""
    return frozenset(to_ascii(row["domain"]) for row in _rows("shared_domains.csv") if row["kind"] == kind)


@cache
def tax_id_kinds() -> Mapping[str, tuple[TaxIdKind, ...]]:
    """Give the kinds of tax number of each country, lower-case ISO-2, in the order they are tried."""
    kinds: dict[str, tuple[TaxIdKind, ...]] = {}
    for row in _rows("tax_ids.csv"):
        start, _, stop = row["part"].partition(":")
        part = slice(int(start or 0), int(stop) if stop else None)
        kind = TaxIdKind(row["country"], row["kind"], row["module"], part)
        kinds[kind.country] = (*kinds.get(kind.country, ()), kind)
    return kinds


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _words_of(table: str, kind: str) -> Mapping[str, str]:
    rows = [row for row in _rows(table) if row["kind"] == kind]
    return {"".join(words(fold(word))): fold(row["meaning"]) for row in rows for word in row["words"].split()}


def _applies(column: str, form: str) -> bool:
    names = column.split()
    return "*" in names or form in names or any(form in FORM_GROUPS[name] for name in names if name in FORM_GROUPS)
