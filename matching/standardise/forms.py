"""The table of forms: the name a match model uses, and the function that gives a value's compare forms.

A form takes distinct values and the country of each, and gives each value's compare forms: ASCII, lower case, never
"", and nothing at all for a placeholder. It looks at one value at a time, so a value means the same alone and among a
million.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.standardise import contact, engagements, identifiers, names, phases, places, text, values
from matching.standardise.tables import placeholder_forms, placeholders
from matching.standardise.written import Written

Form = Callable[[Sequence[str], Sequence[str]], list[tuple[str, ...]]]
Single = Callable[[str, str], tuple[str, ...]]

# Online, the same candidates come again with every record of their block: kept forms halve the 3.3 ms that 38 of them
# take. In bulk each value comes once, and not finding it costs 4 % of standardising (November 2026). 30 MB at most.
_KEPT_MAX: Final = 4_096


TOGETHER_MIN: Final = 64
"""Values from which reading them together is quicker (November 2026: 30 names take as long either way)."""

_EDGES: Final = " .,;:!?*#-_/<>()[]'\""
"""What is left aside around a placeholder."""


def _form(name: str, single: Single) -> Form:
    kept = lru_cache(_KEPT_MAX)(single)

    def form(distinct: Sequence[str], countries: Sequence[str]) -> list[tuple[str, ...]]:
        """Give the compare forms of each value in its country."""
        empty = placeholder_forms(name)
        lowered = {country: country.lower() for country in set(countries)}
        read = kept if len(distinct) <= _KEPT_MAX else single
        given = [read(value, lowered[country]) for value, country in zip(distinct, countries, strict=True)]
        for place in _nothing(name, distinct):
            given[place] = ()
        if empty.isdisjoint(chain.from_iterable(given)):
            return given
        return [tuple(each for each in found if each not in empty) for found in given]

    form.__name__ = form.__qualname__ = name
    form.__doc__ = single.__doc__
    return form


def _nothing(form: str, values: Sequence[str]) -> list[int]:
    if len(values) < TOGETHER_MIN:
        return nothing_among(form, values)
    return nothing_written(form, values, Written.of(values))


def nothing_among(form: str, values: Sequence[str]) -> list[int]:
    """Give the places of the values that stand for "nothing known" in a form, or have no letter and no digit."""
    nothing, longest = _placeholders_and_length(form)
    return [
        place
        for place, value in enumerate(values)
        if not (len(value) > longest and value[0].isalnum() and value[-1].isalnum())
        and _is_nothing(value, nothing, longest)
    ]


def nothing_written(form: str, values: Sequence[str], written: Written) -> list[int]:
    """Give the same places as `nothing_among`, of values that are laid end to end."""
    worths = _worths_of_nothing(form)
    told = written.worths()
    found = np.minimum(np.searchsorted(worths, told), len(worths) - 1)
    nothing, longest = _placeholders_and_length(form)
    return [
        place
        for place in np.flatnonzero(worths[found] == told).tolist()
        if _is_nothing(values[place], nothing, longest)
    ]


@cache
def _placeholders_and_length(form: str) -> tuple[frozenset[str], int]:
    """Give the placeholders of a form, and how long the longest is."""
    nothing = placeholders(form)
    return nothing, max(map(len, nothing), default=0)


@cache
def _worths_of_nothing(form: str) -> NDArray[np.uint64]:
    """Give what a value that stands for nothing may be worth, ascending."""
    return np.unique(Written.of(["", *placeholders(form)]).worths())


def _is_nothing(value: str, nothing: frozenset[str], longest: int) -> bool:
    plain = value.strip()
    bare = plain.strip(_EDGES)
    return len(bare) <= longest and (not bare or bare.lower() in nothing or plain.lower() in nothing)


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        single.__name__: _form(single.__name__, single)
        for single in (
            names.company_name,
            names.legal_form,
            names.registered_name,
            names.person_name,
            text.text,
            identifiers.tax_id,
            identifiers.registration_number,
            identifiers.identifier,
            identifiers.duns,
            identifiers.lei,
            identifiers.code,
            identifiers.reference,
            contact.phone,
            contact.email,
            contact.email_domain,
            contact.domain,
            places.street,
            places.house_number,
            places.postal_code,
            places.city,
            places.country,
            values.currency,
            values.date,
            values.number,
            values.year,
            phases.phase,
            phases.part,
            engagements.period,
            engagements.document_number,
            engagements.engagement_name,
            engagements.engagement_tail,
            engagements.mentioned_number,
        )
    }
)
