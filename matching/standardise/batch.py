"""A batch of distinct values, each in its country, and what several forms make of them: read together where that pays.

Most forms look at one value after the other. Names, streets, tax numbers, telephone numbers, web and mail addresses are
most of a file and mostly alike, so they have a way of their own for many values; it gives what the form gives to each.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Final

from matching.standardise.forms import FORMS, TOGETHER_MIN, nothing_written
from matching.standardise.given import Given, given_singly
from matching.standardise.host_lines import domain_lines, email_lines
from matching.standardise.name_lines import NameLines, name_lines
from matching.standardise.phone_lines import phone_lines
from matching.standardise.street_lines import StreetLines, street_lines
from matching.standardise.tables import placeholder_forms
from matching.standardise.tax_lines import tax_lines
from matching.standardise.written import Written


class Batch:
    """Hold values with the country of each (lower-case ISO-2 or ""), and find what their forms share once."""

    def __init__(self, values: Sequence[str], countries: Sequence[str]) -> None:
        self.values = values
        self.countries = countries

    @cached_property
    def written(self) -> Written:
        """Lay the values end to end."""
        return Written.of(self.values)

    @cached_property
    def names(self) -> NameLines:
        """Read the values as names of companies."""
        return name_lines(self.values, self.countries, self.written)

    @cached_property
    def streets(self) -> StreetLines:
        """Read the values as streets."""
        return street_lines(self.values, self.countries, self.written)

    def give(self, form: str) -> Given:
        """Give the compare forms of each value."""
        together = _TOGETHER.get(form)
        if together is None or len(self.values) < TOGETHER_MIN:
            return given_singly(FORMS[form](self.values, self.countries))
        return together(self).without(placeholder_forms(form), nothing_written(form, self.values, self.written))


_TOGETHER: Final[Mapping[str, Callable[[Batch], Given]]] = MappingProxyType(
    {
        "company_name": lambda batch: batch.names.names,
        "legal_form": lambda batch: batch.names.legal_forms,
        "registered_name": lambda batch: batch.names.registered,
        "tax_id": lambda batch: tax_lines(batch.values, batch.countries, batch.written),
        "domain": lambda batch: domain_lines(batch.values, batch.written),
        "email": lambda batch: email_lines(batch.values, batch.written),
        "phone": lambda batch: phone_lines(batch.values, batch.countries, batch.written),
        "street": lambda batch: batch.streets.streets,
        "house_number": lambda batch: batch.streets.house_numbers,
    }
)
