"""What the shape of a declaration cannot say: every name used must be declared, and every order must hold.

Each check reads what is legible of every entry and takes the known names from all that were written, so one bad key
neither hides another fault nor makes a good one look bad. Where the names of a section are not all known, because it
or one of its entries could not be read, no name is called unknown.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise

import re2

from mdm.entities import declaration as declared
from mdm.entities.code_lists import fold
from mdm.entities.document import Document, Fault, Place
from mdm.entities.legible import is_unread, legible
from mdm.entities.overlay import is_complete
from mdm.entities.shape import dig, suggest
from mdm.entities.validation import compile_pattern

_FEATURES: Place = ("matching", "features")
_COMPARISONS: Place = ("matching", "comparisons")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that a declaration may use and does not declare itself; None where not all of them are known."""

    forms: frozenset[str]
    comparators: frozenset[str]
    transforms: frozenset[str]
    code_lists: frozenset[str] | None
    entity_types: frozenset[str] | None


def crosscheck(document: Document, vocabulary: Vocabulary) -> list[Fault]:
    """List every name that is used and not declared, and every order that does not hold."""
    part = legible(declared.EntityDeclaration, document.content)
    return [
        *_attribute_faults(document, part, vocabulary),
        *_column_faults(document, part),
        *_group_faults(document, part),
        *_validation_faults(document, part),
        *_feature_faults(document, part, vocabulary),
        *_key_faults(document, part, vocabulary),
        *_comparison_faults(document, part, vocabulary),
        *_rule_faults(document, part),
        *_line_faults(document, part),
        *_review_faults(document, part),
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


def _attribute_names(part: declared.EntityDeclaration) -> AbstractSet[str] | None:
    """Give the name of every attribute, of sound ones and others; None where they are not known."""
    return part.attributes.keys() or None


def _feature_names(document: Document, part: declared.EntityDeclaration) -> AbstractSet[str] | None:
    is_known = is_complete(document)  # else what the types of the attributes give is not known
    return (part.matching.features.keys() or None) if is_known else None


def _comparison_names(document: Document, part: declared.EntityDeclaration) -> AbstractSet[str] | None:
    comparisons = part.matching.comparisons
    is_known = is_complete(document) and not any(is_unread(comparison, "name") for comparison in comparisons)
    return (frozenset(comparison.name for comparison in comparisons) or None) if is_known else None


def _unknown(
    document: Document, place: Place, kind: str, word: str | None, known: Iterable[str] | None
) -> Iterator[Fault]:
    if word is None or known is None:
        return
    # Asked for each name that is used: a set of the many names of a section is not made anew each time.
    names = known if isinstance(known, AbstractSet) else set(known)
    if word not in names:
        wanted = f"{'an' if kind[0] in 'aeiou' else 'a'} {kind.removesuffix(' called')}"
        yield document.fault(
            place, f"there is no {kind} {word}", suggest(word, names, otherwise=f"name {wanted} that exists")
        )


def _repeated(document: Document, section: Place) -> Iterator[Fault]:
    seen = set()
    entries = dig(document.content, section)
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str) and name in seen:
            yield document.fault(
                (*section, index), f"the name {name} is used a second time", "give each a name of its own"
            )
        if isinstance(name, str):
            seen.add(name)


def _attribute_faults(document: Document, part: declared.EntityDeclaration, vocabulary: Vocabulary) -> Iterator[Fault]:
    written = _attribute_names(part)
    singles = {name for name, attribute in part.attributes.items() if not attribute.is_list}
    for name, attribute in part.attributes.items():
        place: Place = ("attributes", name)
        yield from _unknown(document, (*place, "code_list"), "code list", attribute.code_list, vocabulary.code_lists)
        if attribute.reference is not None:
            inner, entity = (*place, "reference", "entity"), attribute.reference.entity
            yield from _unknown(document, inner, "entity type", entity, vocabulary.entity_types)
        others = singles - {name} if attribute.composed_of else singles
        for index, source in enumerate(attribute.composed_of):
            yield from _unknown(document, (*place, "composed_of", index), "other single attribute", source, others)
        yield from _type_faults(document, place, attribute)
        yield from _survivorship_faults(document, place, attribute, written)
    references = [
        name
        for name, attribute in part.attributes.items()
        if is_unread(attribute, "type") or (attribute.type == "reference" and not attribute.is_list)
    ]
    known = references if part.attributes else None
    yield from _unknown(document, ("within",), "single reference attribute", part.within, known)


def _type_faults(document: Document, place: Place, attribute: declared.AttributeDeclaration) -> Iterator[Fault]:
    """Check that a type has the key it needs, and no key that belongs to another type."""
    if is_unread(attribute, "type"):
        return  # what goes with it is not known
    given = {"reference": attribute.reference, "code_list": attribute.code_list, "element_key": attribute.element_key}
    needed = {"reference": "reference", "code": "code_list", "element": "element_key"}.get(attribute.type)
    if needed and given[needed] is None and not is_unread(attribute, needed):
        yield document.fault(place, f"has type {attribute.type} and no {needed}", f"add `{needed}:` or change the type")
    for key, value in given.items():
        if key != needed and value is not None:
            yield document.fault(
                (*place, key), f"does not go with type {attribute.type}", f"remove {key} or change the type"
            )
    if attribute.type == "element" and attribute.is_list is False:
        yield document.fault(place, "has an element key and is no list", "add `list: true`")


def _survivorship_faults(
    document: Document, place: Place, attribute: declared.AttributeDeclaration, written: AbstractSet[str] | None
) -> Iterator[Fault]:
    """Check that what a strategy needs is there."""
    rule, inner = attribute.survivorship, (*place, "survivorship")
    if rule is None:
        return
    if "same_winner_as" in (rule.strategy, *rule.fallback) and not is_unread(rule, "options"):
        followed = str(rule.options.get("attribute"))
        known = None if written is None else written - {str(place[-1])}
        yield from _unknown(document, inner, "attribute to follow called", followed, known)
    if "union" in (rule.strategy, *rule.fallback) and attribute.is_list is False:
        yield document.fault(
            inner, "union needs a list", "add `list: true` to the attribute, or choose another strategy"
        )


def _column_faults(document: Document, part: declared.EntityDeclaration) -> Iterator[Fault]:
    """Check that no column fills two attributes: which one it fills would depend on their order."""
    groups = part.groups.values()
    prefixes: dict[str, Sequence[str | None]] = {name: group.prefixes for group in groups for name in group.attributes}
    # Any other attribute may belong to a group whose members are not all known, and have its prefixes.
    is_open = is_unread(part, "groups") or any(
        is_unread(group, "attributes") or None in group.attributes for group in groups
    )
    otherwise = [] if is_open else [""]
    owners: dict[str, str] = {}
    for name, attribute in part.attributes.items():
        place: Place = ("attributes", name)
        columns: Sequence[str | None] = [name, *attribute.columns]
        for index, column in enumerate(columns):
            where = (*place, "columns", index - 1) if index else place
            for prefix in prefixes.get(name, otherwise):
                if prefix is None or column is None:
                    continue  # was not read
                owner = owners.setdefault(fold(prefix + column), name)
                if owner != name:
                    yield document.fault(
                        where, f"the column {prefix + column!r} fills {owner} already", "name it at one attribute"
                    )


def _group_faults(document: Document, part: declared.EntityDeclaration) -> Iterator[Fault]:
    attributes = _attribute_names(part)
    group_by_attribute = dict[str, str]()
    for group_name, group in part.groups.items():
        members: Sequence[str | None] = group.attributes
        for index, name in enumerate(members):
            if name is None:
                continue  # was not read
            inner = ("groups", group_name, "attributes", index)
            yield from _unknown(document, inner, "attribute", name, attributes)
            if name in group_by_attribute:
                problem = f"{name} belongs to the group {group_by_attribute[name]} already"
                yield document.fault(inner, problem, "name it in one group only")
            group_by_attribute[name] = group_name
            member = part.attributes.get(name)
            if member is not None and member.is_list:
                yield document.fault(
                    inner, f"{name} is a list", "group single values only; a list has its own survivorship"
                )
            if member is not None and member.survivorship is not None:
                where = ("attributes", name, "survivorship")
                yield document.fault(
                    where, f"the group {group_name} decides for its members", "declare it at the group, once"
                )


def _validation_faults(document: Document, part: declared.EntityDeclaration) -> Iterator[Fault]:
    attributes = _attribute_names(part)
    yield from _repeated(document, ("validations",))
    for number, rule in enumerate(part.validations):
        place: Place = ("validations", number)
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
        if value is None and not is_unread(rule, key):
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


def _feature_faults(document: Document, part: declared.EntityDeclaration, vocabulary: Vocabulary) -> Iterator[Fault]:
    written = _attribute_names(part)
    elements = [
        name
        for name, attribute in part.attributes.items()
        if is_unread(attribute, "type") or attribute.type == "element"
    ]
    readable = None if written is None else written | {f"{element}.{name}" for element in elements for name in written}
    for feature_name, feature in part.matching.features.items():
        place = (*_FEATURES, feature_name)
        yield from _unknown(document, (*place, "form"), "form", feature.form, vocabulary.forms)
        for key, names in (("attributes", feature.attributes), ("country_from", feature.country_from)):
            for index, name in enumerate(names):
                yield from _unknown(document, (*place, key, index), "attribute", name, readable)


def _key_faults(document: Document, part: declared.EntityDeclaration, vocabulary: Vocabulary) -> Iterator[Fault]:
    """Check the features that blocking rules and vetoes read."""
    features = _feature_names(document, part)
    yield from _repeated(document, ("matching", "blocking"))
    for number, rule in enumerate(part.matching.blocking):
        keys: Sequence[str | None] = rule.key
        for index, key in enumerate(keys):
            name, bar, transform = (key or "").partition("|")
            inner = ("matching", "blocking", number, "key", index)
            yield from _unknown(document, inner, "feature", None if key is None else name, features)
            if bar:
                yield from _unknown(document, inner, "transform", transform.split(":")[0], vocabulary.transforms)
    yield from _repeated(document, ("matching", "vetoes"))
    for number, veto in enumerate(part.matching.vetoes):
        yield from _unknown(document, ("matching", "vetoes", number, "feature"), "feature", veto.feature, features)


def _comparison_faults(document: Document, part: declared.EntityDeclaration, vocabulary: Vocabulary) -> Iterator[Fault]:
    features, comparators = _feature_names(document, part), vocabulary.comparators
    yield from _repeated(document, _COMPARISONS)
    for number, comparison in enumerate(part.matching.comparisons):
        place = (*_COMPARISONS, number)
        yield from _unknown(document, (*place, "feature"), "feature", comparison.feature, features)
        yield from _unknown(document, (*place, "comparator"), "comparator", comparison.comparator, comparators)
        yield from _level_faults(document, (*place, "levels"), comparison.levels)


def _level_faults(document: Document, section: Place, levels: list[declared.LevelDeclaration]) -> Iterator[Fault]:
    labels: list[str] = []
    for index, (better, worse) in enumerate(pairwise(levels), start=1):
        place = (*section, index)
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
    if levels and not is_unread(levels[-1], "at_least") and levels[-1].at_least != 0:
        place = (*section, len(levels) - 1)
        yield document.fault(place, "the last level does not begin at 0", "write `at_least: 0`")


def _rule_faults(document: Document, part: declared.EntityDeclaration) -> Iterator[Fault]:
    comparisons = _comparison_names(document, part)
    labels = {
        comparison.name: [level.label for level in comparison.levels]
        for comparison in part.matching.comparisons
        if comparison.levels and not any(is_unread(level, "label") for level in comparison.levels)
    }
    yield from _repeated(document, ("matching", "rules"))
    for number, rule in enumerate(part.matching.rules):
        for key, conditions in (("when", rule.when), ("unless", rule.unless)):
            for name, label in conditions.items():
                inner = ("matching", "rules", number, key, name)
                yield from _unknown(document, inner, "comparison", name, comparisons)
                yield from _unknown(document, inner, f"level of {name} called", label, labels.get(name))


def _line_faults(document: Document, part: declared.EntityDeclaration) -> Iterator[Fault]:
    review, match, merge = part.matching.review_bits, part.matching.match_bits, part.merge_bits
    if _exceeds(review, match):
        problem, remedy = f"{review} lies above match_bits {match}", "write it at or below match_bits"
        yield document.fault(("matching", "review_bits"), problem, remedy)
    if _exceeds(match, merge):
        problem, remedy = f"{merge} lies below match_bits {match}", "write it at or above match_bits"
        yield document.fault(("merge_bits",), problem, remedy)
    if document.content.get("merge_bits") is not None and part.policy == "hold":
        yield document.fault(("merge_bits",), "has no effect with policy hold", "remove it or write `policy: merge`")


def _review_faults(document: Document, part: declared.EntityDeclaration) -> Iterator[Fault]:
    """Check that routes look at attributes that there are, and that a weak edge could have joined at all."""
    attributes = _attribute_names(part)
    for number, route in enumerate(part.reviews.routes):
        if route.when is not None:
            place = ("reviews", "routes", number, "when", "attribute")
            yield from _unknown(document, place, "attribute", route.when.attribute, attributes)
    bridge, match = part.reviews.guards.bridge_bits, part.matching.match_bits
    if _exceeds(match, bridge):
        yield document.fault(
            ("reviews", "guards", "bridge_bits"),
            f"{bridge} lies below the match line {match}, where no edge joins",
            "choose a number above match_bits, or leave it out",
        )


def _exceeds(first: float | None, second: float | None) -> bool:
    return first is not None and second is not None and first > second
