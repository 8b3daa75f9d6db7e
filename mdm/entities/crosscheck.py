"""What the shape of a declaration cannot say: every name used must be declared, and every order must hold.

Each check reads what is legible of every entry and takes the known names from all that were written, so one bad key
neither hides another fault nor makes a good one look bad.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise

import re2

from mdm.entities import declaration as declared
from mdm.entities.code_lists import fold
from mdm.entities.document import Document, Fault, Place
from mdm.entities.shape import dig, is_unread, legible_parts, suggest
from mdm.entities.validation import compile_pattern

_FEATURES: Place = ("matching", "features")
_COMPARISONS: Place = ("matching", "comparisons")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that a declaration may use and does not declare itself."""

    forms: frozenset[str]
    comparators: frozenset[str]
    transforms: frozenset[str]
    code_lists: frozenset[str]
    entity_types: frozenset[str]


def crosscheck(document: Document, vocabulary: Vocabulary) -> list[Fault]:
    """List every name that is used and not declared, and every order that does not hold."""
    return [
        *_attribute_faults(document, vocabulary),
        *_column_faults(document),
        *_group_faults(document),
        *_validation_faults(document),
        *_feature_faults(document, vocabulary),
        *_comparison_faults(document, vocabulary),
        *_rule_faults(document),
        *_line_faults(document),
        *_review_faults(document),
    ]


def crosscheck_together(documents: Iterable[Document]) -> list[Fault]:
    """Check that no two entity types share an id prefix: a golden id tells its type by it."""
    faults, first = [], dict[str, str]()
    for document in documents:
        name, prefix = document.content.get("entity"), document.content.get("id_prefix")
        if not isinstance(prefix, str) or not isinstance(name, str):
            continue
        if prefix in first:
            problem = f"{prefix} is the id prefix of {first[prefix]} already"
            faults.append(document.fault(("id_prefix",), problem, "choose another of two to eight letters"))
        first.setdefault(prefix, name)
    return faults


def _written(document: Document, section: Place) -> frozenset[str]:
    """Give every name written in a section, of sound entries and others."""
    entries = dig(document.content, section)
    if isinstance(entries, dict):
        return frozenset(entries)
    if isinstance(entries, list):
        return frozenset(str(entry["name"]) for entry in entries if isinstance(entry, dict) and "name" in entry)
    return frozenset()


def _unknown(document: Document, place: Place, kind: str, word: str | None, known: Iterable[str]) -> Iterator[Fault]:
    # Asked for each name that is used: a set of the many names of a section is not made anew each time.
    names = known if isinstance(known, AbstractSet) else set(known)
    if word is not None and word not in names:
        yield document.fault(
            place, f"there is no {kind} {word}", suggest(word, names, otherwise=f"name a {kind} that exists")
        )


def _repeated(document: Document, section: Place) -> Iterator[Fault]:
    seen = set()
    for index, entry in enumerate(dig(document.content, section) or []):
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str) and name in seen:
            yield document.fault(
                (*section, index), f"the name {name} is used a second time", "give each a name of its own"
            )
        if isinstance(name, str):
            seen.add(name)


def _attribute_faults(document: Document, vocabulary: Vocabulary) -> Iterator[Fault]:
    parts = dict(legible_parts(document, ("attributes",), declared.AttributeDeclaration))
    written = _written(document, ("attributes",))
    singles = {str(place[-1]) for place, part in parts.items() if not part.is_list}
    for place, attribute in parts.items():
        if attribute.code_list is not None:
            yield from _unknown(
                document, (*place, "code_list"), "code list", attribute.code_list, vocabulary.code_lists
            )
        if attribute.reference is not None:
            known, inner = vocabulary.entity_types, (*place, "reference", "entity")
            yield from _unknown(document, inner, "entity type", attribute.reference.entity, known)
        others = singles - {str(place[-1])} if attribute.composed_of else singles
        for index, name in enumerate(attribute.composed_of):
            inner = (*place, "composed_of", index)
            yield from _unknown(document, inner, "other single attribute", name, others)
        yield from _type_faults(document, place, attribute, written)
    within = document.content.get("within")
    if isinstance(within, str):
        references = [
            str(place[-1])
            for place, part in parts.items()
            if is_unread(part, "type") or (part.type == "reference" and not part.is_list)
        ]
        yield from _unknown(document, ("within",), "single reference attribute", within, references)


def _type_faults(
    document: Document, place: Place, attribute: declared.AttributeDeclaration, written: AbstractSet[str]
) -> Iterator[Fault]:
    """Check that a type has the key it needs, and no key that belongs to another type."""
    if is_unread(attribute, "type"):
        return  # what goes with it is not known
    given = {"reference": attribute.reference, "code_list": attribute.code_list, "element_key": attribute.element_key}
    needed = {"reference": "reference", "code": "code_list", "element": "element_key"}.get(attribute.type)
    if needed and given[needed] is None and needed not in dig(document.content, place):
        yield document.fault(place, f"has type {attribute.type} and no {needed}", f"add `{needed}:` or change the type")
    for key, value in given.items():
        if key != needed and value is not None:
            yield document.fault(
                (*place, key), f"does not go with type {attribute.type}", f"remove {key} or change the type"
            )
    if attribute.type == "element" and attribute.is_list is False:
        yield document.fault(place, "has an element key and is no list", "add `list: true`")
    rule = attribute.survivorship
    if rule and "same_winner_as" in (rule.strategy, *rule.fallback):
        followed = rule.options.get("attribute")
        known = written - {str(place[-1])}
        yield from _unknown(document, (*place, "survivorship"), "attribute to follow called", str(followed), known)
    if rule and "union" in (rule.strategy, *rule.fallback) and attribute.is_list is False:
        inner = (*place, "survivorship")
        yield document.fault(
            inner, "union needs a list", "add `list: true` to the attribute, or choose another strategy"
        )


def _column_faults(document: Document) -> Iterator[Fault]:
    """Check that no column fills two attributes: which one it fills would depend on their order."""
    groups = dict(legible_parts(document, ("groups",), declared.GroupDeclaration))
    prefixes = {name: group.prefixes for group in groups.values() for name in group.attributes}
    owners: dict[str, str] = {}
    for place, attribute in legible_parts(document, ("attributes",), declared.AttributeDeclaration):
        name = str(place[-1])
        for index, column in enumerate([name, *attribute.columns]):
            where = (*place, "columns", index - 1) if index else place
            for prefix in prefixes.get(name, [""]):
                owner = owners.setdefault(fold(prefix + column), name)
                if owner != name:
                    yield document.fault(
                        where, f"the column {prefix + column!r} fills {owner} already", "name it at one attribute"
                    )


def _group_faults(document: Document) -> Iterator[Fault]:
    attributes = _written(document, ("attributes",))
    group_by_attribute = dict[str, str]()
    sound = dict(legible_parts(document, ("attributes",), declared.AttributeDeclaration))
    for place, group in legible_parts(document, ("groups",), declared.GroupDeclaration):
        for index, name in enumerate(group.attributes):
            inner = (*place, "attributes", index)
            yield from _unknown(document, inner, "attribute", name, attributes)
            if name in group_by_attribute:
                problem = f"{name} belongs to the group {group_by_attribute[name]} already"
                yield document.fault(inner, problem, "name it in one group only")
            group_by_attribute[name] = str(place[-1])
            member = sound.get(("attributes", name))
            if member is not None and member.is_list:
                yield document.fault(
                    inner, f"{name} is a list", "group single values only; a list has its own survivorship"
                )
            if member is not None and member.survivorship is not None:
                where = ("attributes", name, "survivorship")
                yield document.fault(
                    where, f"the group {place[-1]} decides for its members", "declare it at the group, once"
                )


def _validation_faults(document: Document) -> Iterator[Fault]:
    attributes = _written(document, ("attributes",))
    yield from _repeated(document, ("validations",))
    for place, rule in legible_parts(document, ("validations",), declared.ValidationDeclaration):
        for index, name in enumerate(rule.attributes):
            yield from _unknown(document, (*place, "attributes", index), "attribute", name, attributes)
        if rule.when is not None:
            yield from _unknown(document, (*place, "when", "attribute"), "attribute", rule.when.attribute, attributes)
        needs = {
            "pattern": ("pattern", rule.pattern),
            "one_of": ("values", rule.values or None),
            "cross_field": ("operator", rule.operator),
            "required_when": ("when", rule.when),
        }
        key, value = needs.get(rule.kind, ("", rule))
        if value is None and not dig(document.content, (*place, key)):
            yield document.fault(place, f"is of kind {rule.kind} and has no {key}", f"add `{key}:`")
        if rule.kind == "cross_field" and rule.attributes and len(rule.attributes) != 2:
            yield document.fault((*place, "attributes"), "cross_field compares two attributes", "write [first, second]")
        if rule.pattern is not None:
            try:
                compile_pattern(rule.pattern)
            except re2.error as error:
                reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
                remedy = "write it in RE2 syntax: no look-around, no back-reference"
                yield document.fault((*place, "pattern"), f"is not a pattern ({reason})", remedy)


def _feature_faults(document: Document, vocabulary: Vocabulary) -> Iterator[Fault]:
    attributes = dict(legible_parts(document, ("attributes",), declared.AttributeDeclaration))
    written = _written(document, ("attributes",))
    elements = [
        str(place[-1]) for place, part in attributes.items() if is_unread(part, "type") or part.type == "element"
    ]
    readable = written | {f"{element}.{name}" for element in elements for name in written}
    for place, feature in legible_parts(document, _FEATURES, declared.FeatureDeclaration):
        yield from _unknown(document, (*place, "form"), "form", feature.form, vocabulary.forms)
        for key, names in (("attributes", feature.attributes), ("country_from", feature.country_from)):
            for index, name in enumerate(names):
                yield from _unknown(document, (*place, key, index), "attribute", name, readable)
    features = _written(document, _FEATURES)
    blocking = ("matching", "blocking")
    yield from _repeated(document, blocking)
    for place, rule in legible_parts(document, blocking, declared.BlockingDeclaration):
        for index, part in enumerate(rule.key):
            name, _, transform = part.partition("|")
            inner = (*place, "key", index)
            yield from _unknown(document, inner, "feature", name, features)
            if "|" in part:
                yield from _unknown(document, inner, "transform", transform.split(":")[0], vocabulary.transforms)
    yield from _repeated(document, ("matching", "vetoes"))
    for place, veto in legible_parts(document, ("matching", "vetoes"), declared.VetoDeclaration):
        yield from _unknown(document, (*place, "feature"), "feature", veto.feature, features)


def _comparison_faults(document: Document, vocabulary: Vocabulary) -> Iterator[Fault]:
    features = _written(document, _FEATURES)
    yield from _repeated(document, _COMPARISONS)
    for place, comparison in legible_parts(document, _COMPARISONS, declared.ComparisonDeclaration):
        yield from _unknown(document, (*place, "feature"), "feature", comparison.feature, features)
        yield from _unknown(
            document, (*place, "comparator"), "comparator", comparison.comparator, vocabulary.comparators
        )
        yield from _level_faults(document, (*place, "levels"))


def _level_faults(document: Document, section: Place) -> Iterator[Fault]:
    levels = list(legible_parts(document, section, declared.LevelDeclaration))
    labels: list[str] = []
    for (_, better), (place, worse) in pairwise(levels):
        labels.append(better.label)
        is_open = is_unread(better, "at_least") or is_unread(worse, "at_least")
        if not is_open and worse.at_least >= better.at_least:
            problem = (
                f"level {worse.label} begins at {worse.at_least:g}, not below {better.label} at {better.at_least:g}"
            )
            yield document.fault(place, problem, "order the levels from the most similar to the least")
        if not is_unread(worse, "label") and worse.label in labels:
            yield document.fault(
                place, f"the label {worse.label} is used a second time", "give each level its own label"
            )
    if levels and not is_unread(levels[-1][1], "at_least") and levels[-1][1].at_least != 0:
        yield document.fault(levels[-1][0], "the last level does not begin at 0", "write `at_least: 0`")


def _rule_faults(document: Document) -> Iterator[Fault]:
    comparisons = _written(document, _COMPARISONS)
    labels = dict[str, list[str]]()
    for place, part in legible_parts(document, _COMPARISONS, declared.ComparisonDeclaration):
        levels = [level for _, level in legible_parts(document, (*place, "levels"), declared.LevelDeclaration)]
        if levels and not any(is_unread(level, "label") for level in levels):
            labels[part.name] = [level.label for level in levels]
    yield from _repeated(document, ("matching", "rules"))
    for place, rule in legible_parts(document, ("matching", "rules"), declared.RuleDeclaration):
        for key, conditions in (("when", rule.when), ("unless", rule.unless)):
            for name, label in conditions.items():
                inner = (*place, key, name)
                yield from _unknown(document, inner, "comparison", name, comparisons)
                if name in labels:
                    yield from _unknown(document, inner, f"level of {name} called", label, labels[name])


def _line_faults(document: Document) -> Iterator[Fault]:
    matching = dig(document.content, ("matching",))
    lines = matching if isinstance(matching, dict) else {}
    review, match, merge = lines.get("review_bits"), lines.get("match_bits"), document.content.get("merge_bits")
    if _exceeds(review, match):
        problem, remedy = f"{review} lies above match_bits {match}", "write it at or below match_bits"
        yield document.fault(("matching", "review_bits"), problem, remedy)
    if _exceeds(match, merge):
        problem, remedy = f"{merge} lies below match_bits {match}", "write it at or above match_bits"
        yield document.fault(("merge_bits",), problem, remedy)
    if merge is not None and document.content.get("policy", "hold") != "merge":
        yield document.fault(("merge_bits",), "has no effect with policy hold", "remove it or write `policy: merge`")


def _review_faults(document: Document) -> Iterator[Fault]:
    """Check that routes look at attributes that there are, and that a weak edge could have joined at all."""
    attributes = _written(document, ("attributes",))
    routes = dig(document.content, ("reviews", "routes"))
    for number, route in enumerate(routes if isinstance(routes, list) else ()):
        attribute = dig(route, ("when", "attribute")) if isinstance(route, dict) else None
        if isinstance(attribute, str):
            place = ("reviews", "routes", number, "when", "attribute")
            yield from _unknown(document, place, "attribute", attribute, attributes)
    bridge = dig(document.content, ("reviews", "guards", "bridge_bits"))
    match = dig(document.content, ("matching", "match_bits"))
    if _exceeds(match, bridge):
        yield document.fault(
            ("reviews", "guards", "bridge_bits"),
            f"{bridge} lies below the match line {match}, where no edge joins",
            "choose a number above match_bits, or leave it out",
        )


def _exceeds(first: object, second: object) -> bool:
    return isinstance(first, int | float) and isinstance(second, int | float) and first > second
