"""The matching section of an entity type that declares none, derived from the semantic types of its attributes.

Pure: the same attributes give the same section. It has the shape of a written one, so that it can be printed, copied
and edited. Booleans and references are not compared: a reference is a key of one system, and tells nothing in another.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mdm.entities.automatic_defaults import (
    BLOCKING_MAX,
    DEFAULTS,
    MATCH_BITS,
    PAIRED_KEYS,
    PRIOR_BITS,
    PRIOR_BITS_COMPANY,
    PRIOR_BITS_WITHIN,
    REVIEW_BITS,
    Default,
)
from mdm.entities.code_lists import fold
from mdm.entities.declaration import AttributeDeclaration

_TEXT_HINTS: Final = (
    ("year", frozenset({"year", "jahr"})),
    ("postal_code", frozenset({"postcode", "postal", "zip", "zipcode", "plz"})),
    ("street", frozenset({"street", "address", "addr", "road", "strasse"})),
    ("city", frozenset({"city", "town", "suburb", "locality", "municipality", "village"})),
    ("country", frozenset({"country"})),
    ("region", frozenset({"state", "province", "region", "county", "canton"})),
)
_HOUSE_WORDS: Final = frozenset({"house", "street", "building"})
_NUMBER_WORDS: Final = frozenset({"number", "no", "nr"})
_NAME_WORDS: Final = frozenset({"name", "title", "subject", "label"})
_BIRTH_WORDS: Final = frozenset({"birth", "born", "dob", "birthday", "birthdate"})
_GIVEN_WORDS: Final = frozenset({"first", "given", "forename"})
_FAMILY_WORDS: Final = frozenset({"last", "family", "surname"})
_IDENTIFIER_HINTS: Final = (
    ("lei", frozenset({"lei"})),
    ("duns", frozenset({"duns"})),
    ("registration_number", frozenset({"registration", "register", "crn"})),
)
_ADDRESS_KINDS: Final = frozenset({"street", "house_number", "postal_code", "city", "region", "country"})
_MADE_OF: Final = (
    ("telling_name", "company_name", ""),
    ("legal_form", "company_name", "legal_form"),
    ("telling_title", "title", ""),
    ("email_domain", "email", "domain"),
    ("house_number", "street", "house_number"),
)
"""(kind, the kind it is read from, end of its feature's name; "" reads the same feature)."""


@dataclass(frozen=True, slots=True)
class _Feature:
    """Hold one derived feature: its kind, its name and the attributes it reads."""

    kind: str
    name: str
    attributes: tuple[str, ...]
    is_compared: bool = True

    @property
    def default(self) -> Default:
        return DEFAULTS[self.kind]


def derive(attributes: Mapping[str, AttributeDeclaration], *, within: bool) -> dict[str, Any] | None:
    """Derive a matching section, None where nothing can be compared.

    within  whether records are matched inside a parent, where two of them are the same far more often
    """
    features = _features(attributes)
    blocking = _blocking(features, within=within)
    if not blocking:
        return None
    kinds = {feature.kind for feature in features}
    country = [name for feature in features if feature.kind == "country" for name in feature.attributes]
    comparisons = [_comparison(feature) for feature in features if feature.is_compared and feature.default.levels]
    prior = PRIOR_BITS_WITHIN if within else PRIOR_BITS_COMPANY if "company_name" in kinds else PRIOR_BITS
    return {
        "features": {
            feature.name: _form(feature, [name for name in country if "." not in name])
            for feature in features
            if feature.kind not in {"telling_name", "telling_title"}
        },
        "blocking": blocking,
        "comparisons": comparisons,
        "rules": [*_strong_rules(features), *(_company_rules(features) if "company_name" in kinds else ())],
        "vetoes": [
            {"name": f"different_{feature.name}", "feature": feature.name}
            for feature in features
            if feature.default.is_veto
        ],
        "prior_bits": prior,
        "match_bits": MATCH_BITS,
        "review_bits": REVIEW_BITS,
    }


def _features(attributes: Mapping[str, AttributeDeclaration]) -> list[_Feature]:
    """Find the features, the one that names a record first: people recognise it by that."""
    kind_by_name = {name: kind for name, kind in _kinds(attributes) if kind}
    parts = {name for part in attributes.values() for name in part.composed_of}
    elements = [name for name, part in attributes.items() if part.type == "element"]
    found: dict[str, _Feature] = {}
    order = {name: place for place, name in enumerate(attributes)}
    for name in sorted(kind_by_name, key=lambda each: (attributes[each].is_list, order[each])):
        kind = kind_by_name[name]
        read = (name, *(f"{element}.{name}" for element in elements if kind in _ADDRESS_KINDS))
        merged = found.get(kind) if DEFAULTS[kind].is_merged else None
        found[kind if DEFAULTS[kind].is_merged else f"{kind} {name}"] = _Feature(
            kind,
            merged.name if merged else name,
            (*(merged.attributes if merged else ()), *read),
            is_compared=name not in parts or kind not in {"given_name", "family_name", "person_name"},
        )
    plain = sorted(found.values(), key=lambda feature: order[feature.name])
    return _named_first(_with_read_ones(plain))


def _kinds(attributes: Mapping[str, AttributeDeclaration]) -> Iterator[tuple[str, str]]:
    """Tell the kind of each attribute, "" for one that is not compared."""
    kinds = {name: _kind(name, part) for name, part in attributes.items()}
    called = any(kind in {"company_name", "person_name", "given_name", "family_name"} for kind in kinds.values())
    texts = [name for name, kind in kinds.items() if kind == "text" and not attributes[name].is_list]
    names = [name for name in texts if _words(name, attributes[name]) & _NAME_WORDS]
    is_first = names and (not called or list(kinds).index(names[0]) == 0)
    title = names[0] if is_first else "" if called else next(iter(texts), "")
    for name, kind in kinds.items():
        yield name, "title" if name == title else kind


def _kind(name: str, part: AttributeDeclaration) -> str:
    words = _words(name, part)
    match part.type:
        case "text" | "number" if words & _TEXT_HINTS[0][1]:
            return "year"
        case "text":
            if words & _HOUSE_WORDS and words & _NUMBER_WORDS:
                return "house_number"
            return next((kind for kind, hints in _TEXT_HINTS if words & hints), "text")
        case "person_name":
            return "given_name" if words & _GIVEN_WORDS else "family_name" if words & _FAMILY_WORDS else "person_name"
        case "identifier":
            return next((kind for kind, hints in _IDENTIFIER_HINTS if words & hints), "identifier")
        case "date":
            return "birth_date" if words & _BIRTH_WORDS else "date"
        case "code":
            return part.code_list if part.code_list in {"country", "currency"} else "code"
        case kind:
            return kind if kind in DEFAULTS else ""


def _words(name: str, part: AttributeDeclaration) -> frozenset[str]:
    """Give the words of an attribute's name and title."""
    return frozenset(name.split("_")) | frozenset(map(fold, part.title.split()))


def _with_read_ones(features: list[_Feature]) -> list[_Feature]:
    """Put beside each feature those that are read from the same attributes."""
    kinds = {feature.kind for feature in features}
    names = {feature.name for feature in features}
    found = []
    for feature in features:
        found.append(feature)
        for kind, made_of, end in _MADE_OF:
            name = f"{feature.name}_{end}" if end else feature.name
            wanted = made_of == feature.kind and kind not in kinds and (not end or name not in names)
            if wanted and (kind != "email_domain" or "company_name" in kinds):
                read = feature.attributes[:1] if kind == "legal_form" else feature.attributes
                found.append(_Feature(kind, name, read))
    return found


def _named_first(features: list[_Feature]) -> list[_Feature]:
    naming = ("company_name", "title", "person_name", "family_name", "given_name")
    return sorted(features, key=lambda feature: feature.kind not in naming)


def _form(feature: _Feature, country: list[str]) -> dict[str, Any]:
    form: dict[str, Any] = {"form": feature.default.form, "attributes": list(feature.attributes)}
    if feature.default.reads_country and country:
        form["country_from"] = country
    return form


def _comparison_name(feature: _Feature) -> str:
    return f"{feature.kind}_{feature.name}"[:63] if feature.kind.startswith("telling_") else feature.name


def _comparison(feature: _Feature) -> dict[str, Any]:
    default = feature.default
    comparison: dict[str, Any] = {
        "name": _comparison_name(feature),
        "feature": feature.name,
        "comparator": default.comparator,
    }
    if default.term_frequency:
        comparison["term_frequency"] = True
    levels = [{"label": label, "at_least": at_least, "bits": bits} for label, at_least, bits in default.levels]
    return {**comparison, "levels": levels}


def _blocking(features: list[_Feature], *, within: bool) -> list[dict[str, Any]]:
    """List the blocking rules: each feature's own keys, then those of two together."""
    found: dict[tuple[str, ...], None] = {}
    for feature in features:
        keys = (*feature.default.keys, *(feature.default.keys_within if within else ()))
        if feature.is_compared:
            found.update({(_key(feature, transform),): None for transform in keys})
    for pair in PAIRED_KEYS:
        firsts = [feature for feature in features if feature.kind == pair.first]
        seconds = [feature for feature in features if feature.kind == pair.second]
        for first, second in ((first, second) for first in firsts for second in seconds):
            found[_key(first, pair.first_transform), _key(second, pair.second_transform)] = None
    rules = list(found)[:BLOCKING_MAX]
    return [{"name": _rule_name(key, rules), "key": list(key)} for key in rules]


def _key(feature: _Feature, transform: str) -> str:
    return f"{feature.name}|{transform}" if transform else feature.name


def _rule_name(key: tuple[str, ...], rules: list[tuple[str, ...]]) -> str:
    """Name a rule by its features, with their transforms where another rule has the same features."""
    plain = "_and_".join(part.partition("|")[0] for part in key)
    alike = [rule for rule in rules if [part.partition("|")[0] for part in rule] == [p.partition("|")[0] for p in key]]
    full = "_and_".join(part.replace("|", "_").replace(":", "_") for part in key)
    return (plain if len(alike) == 1 else full)[:63]


def _strong_rules(features: list[_Feature]) -> Iterator[dict[str, Any]]:
    for feature in features:
        if feature.default.is_strong:
            yield {"name": f"same_{feature.name}", "verdict": "possible_match", "when": {feature.name: "same"}}


def _company_rules(features: list[_Feature]) -> Iterator[dict[str, Any]]:
    """Keep sister companies apart: they share phone, domain and address, and each has a word of its own in its name."""
    strong = {feature.name: "same" for feature in features if feature.default.is_strong and feature.kind != "email"}
    names = [feature.name for feature in features if feature.kind == "company_name"]
    for rule, reached, unless in (
        ("names_of_their_own", "other", "most_words"),
        ("one_more_word", "generic_word_more", "near"),
    ):
        for name in names:
            yield {
                "name": rule,
                "verdict": "possible_match",
                "bound": "at_most",
                "when": {name: reached},
                "unless": {name: unless, **strong},
            }
