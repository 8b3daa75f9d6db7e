"""Finds the legal form in a company's name, takes it off, and says which class it is.

A form is known by its letters, not by its points and blanks: the words at an end of the name are joined until they
spell an entry of legal_forms.csv, so "S. p. A.", "S.p.A." and "SpA" need one row.
"""

from collections.abc import Sequence
from functools import cache

from matching.standardise.tables import LegalForm, legal_forms, unspaced_legal_forms

_FORM_WORDS_MAX = 8  # "s. a p. i. de c. v." has seven, the longest in the table
_SHORT_FORM_LENGTH = 3
_FORMS_STACKED_MAX = 3  # "Holding Co., Ltd. PT": chosen, nothing longer was seen


def take_off(name_words: Sequence[str], *, country: str, written: str) -> tuple[list[str], list[tuple[str, LegalForm]]]:
    """Part a name's words from its legal forms.

    country  lower-case ISO-2 or ""
    written  the name before folding, whose capitals tell "Bella SpA" from "Bella Spa"
    returns  the words left, never none, and each form found as (spelling, form), the last word's first
    """
    left, found = list(name_words), []
    endings, beginnings = _endings(), _beginnings()
    for _ in range(_FORMS_STACKED_MAX):
        if not left or (left[-1] not in endings and left[0] not in beginnings):
            break
        match = _at_end(left, country, written) or _at_start(left, country, written)
        if match is None:
            break
        left = left[match[0]]
        found.append(match[1])
    certain = certain_forms()
    if not certain.isdisjoint(left[1:]):
        found += [(word, legal_forms()[word][0]) for word in left[1:] if word in certain]
        left = left[:1] + [word for word in left[1:] if word not in certain]
    return left, found


def part_unspaced(written: str) -> str:
    """Set legal forms of scripts without blanks apart: 株式会社トヨタ becomes "zhushihuishe トヨタ"."""
    for form, spelling in unspaced_legal_forms().items():
        if written.startswith(form) or written.endswith(form):
            return written.replace(form, f" {spelling} ")
    return written


def classes(found: Sequence[tuple[str, LegalForm]]) -> tuple[str, ...]:
    """Name the classes found as "country:class", the country being "*" where several share the class."""
    named = {f"{_only_country(form.legal_class)}:{form.legal_class}" for _, form in found if form.legal_class}
    return tuple(sorted(named))


def _at_end(left: list[str], country: str, written: str) -> tuple[slice, tuple[str, LegalForm]] | None:
    forms, endings, spelling, best = legal_forms(), _endings(), "", None
    for count in range(1, min(_FORM_WORDS_MAX, len(left) - 1) + 1):
        spelling = left[-count] + spelling
        if spelling not in endings:
            break
        if spelling not in forms:
            continue
        meant = [
            form
            for form in forms[spelling]
            if form.where != "start" and (count > 1 or _is_meant(form, country, written, -1))
        ]
        if meant:
            best = slice(None, -count), (spelling, _nearest(meant, country))
    return best


def _at_start(left: list[str], country: str, written: str) -> tuple[slice, tuple[str, LegalForm]] | None:
    forms, beginnings, spelling, best = legal_forms(), _beginnings(), "", None
    for count in range(1, min(_FORM_WORDS_MAX, len(left) - 1) + 1):
        spelling += left[count - 1]
        if spelling not in beginnings:
            break
        meant = [form for form in forms.get(spelling, ()) if _opens(form, spelling, country, written)]
        if meant:
            best = slice(count, None), (spelling, _nearest(meant, country))
    return best


def _opens(form: LegalForm, spelling: str, country: str, written: str) -> bool:
    """Tell whether a form may open a name: a short one (SA, AB, BV) also opens names that only sound like it."""
    if form.where not in {"start", "both"}:
        return False
    if len(spelling) > _SHORT_FORM_LENGTH or country in form.countries:
        return _is_meant(form, country, written, 0)
    if country or form.is_strict:
        return False
    if form.where == "start":
        return True
    first = written.split(maxsplit=1)[0]
    return "." in first or not first.isascii()


def _nearest(meant: list[LegalForm], country: str) -> LegalForm:
    return next((form for form in meant if country in form.countries), meant[0])


def _is_meant(form: LegalForm, country: str, written: str, place: int) -> bool:
    """Tell whether a spelling that is also a word is meant as a form: by its country, else by the way it is written."""
    if not form.is_strict or country in form.countries:
        return True
    if country:
        return False
    inside = written.split()[place].strip(".,")
    return "." in inside or "/" in inside or inside not in {inside.lower(), inside.upper(), inside.title()}


@cache
def certain_forms() -> frozenset[str]:
    """Give the spellings that are legal forms wherever they stand."""
    return frozenset(
        spelling for spelling, forms in legal_forms().items() if any(form.where == "any" for form in forms)
    )


@cache
def _endings() -> frozenset[str]:
    return frozenset(spelling[place:] for spelling in legal_forms() for place in range(len(spelling)))


@cache
def _beginnings() -> frozenset[str]:
    return frozenset(spelling[:place] for spelling in legal_forms() for place in range(1, len(spelling) + 1))


@cache
def _only_country(legal_class: str) -> str:
    known = [form.countries for forms in legal_forms().values() for form in forms if form.legal_class == legal_class]
    together = frozenset().union(*known)
    return next(iter(together)) if len(together) == 1 and all(known) else "*"
