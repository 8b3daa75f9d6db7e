"""Learn what is common among records: values, words, blocking keys, and values that many different names share.

What is learnt is frozen in the model, so that a record means the same to it whatever comes later.
"""

from dataclasses import replace
from typing import Final

from matching.key_parts import Keys
from matching.keys import learn_blocking
from matching.model import MatchModel, Population
from matching.records import Column, Forms
from matching.term_frequency import (
    HOLDERS_FREE,
    SHARE_COMMON,
    TOKEN_HOLDERS_FREE,
    above,
    counted,
    counted_tokens,
    spread,
)

NAMES_SHARING_MAX: Final = 12
"""Different names that may share a phone, domain or mailbox before it tells nothing (chosen: a family shares one)."""

NAME_FORMS: Final = frozenset({"company_name", "person_name"})
SHARED_FORMS: Final = frozenset({"phone", "email", "email_domain", "domain"})


def learn_population(forms: Forms, model: MatchModel) -> Population:
    """Learn the population of a model from records."""
    return learn(forms, model)[0].population


def learn(forms: Forms, model: MatchModel, threads: int = 1) -> tuple[MatchModel, list[Keys]]:
    """Return the model with the population learnt from records, and the records' blocking keys rule by rule."""
    form_by_feature = {feature.name: feature.form for feature in model.features}
    weighed = {comparison.feature for comparison in model.comparisons if comparison.term_frequency}
    worded = {comparison.feature for comparison in model.comparisons} | {
        part.feature for rule in model.blocking for part in rule.parts
    }
    share = len(forms.keys) // SHARE_COMMON
    compared = sorted({comparison.feature for comparison in model.comparisons})
    # Counts up to what is free change nothing, and are most of them.
    frequency = {
        name: counted(forms.features[name], HOLDERS_FREE if name in weighed else max(HOLDERS_FREE, share))
        for name in compared
    }
    frequency |= {
        f"{name} tokens": counted_tokens(forms.features[name], TOKEN_HOLDERS_FREE)
        for name in sorted(worded)
        if _has_words(forms.features[name])
    }
    names = next((forms.features[name] for name, form in form_by_feature.items() if form in NAME_FORMS), None)
    generic: dict[str, frozenset[str]] = {}
    if names is not None:
        shared = {
            name: spread(forms.features[name], names) for name, form in form_by_feature.items() if form in SHARED_FORMS
        }
        generic = {name: frozenset(above(counts, NAMES_SHARING_MAX)) for name, counts in shared.items()}
        frequency |= {name: above(counts, HOLDERS_FREE) for name, counts in shared.items() if name in weighed}
    population = Population(
        len(forms.keys), frequency, frozenset(), {name: values for name, values in generic.items() if values}
    )
    stop_keys, by_rule = learn_blocking(forms, replace(model, population=population), threads)
    return replace(model, population=replace(population, stop_keys=stop_keys)), by_rule


def _has_words(column: Column) -> bool:
    return " " in "".join(column.values)
