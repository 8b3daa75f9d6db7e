"""From a delivered row to the hub's words, and from those to a row for matching.

Nothing is lost and nothing is guessed: what no attribute claims, and what cannot be read, is kept undeclared, as
delivered. No row, however odd, raises.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from matching.model import FeatureSpec
from mdm.entities.columns import Claim, claim, record_column
from mdm.entities.model import NOWHERE, Attribute, EntityType, MappedRecord, Origin, Reason
from mdm.entities.validation import validate
from mdm.entities.values import Unreadable, clean, keepable, read, single_values

_ELEMENT_KEY_COLUMNS = ("label", "type", "role", "purpose")
_ELEMENT_KEY_UNKNOWN = "other"


def map_record(
    entity_type: EntityType,
    delivered: Mapping[str, Any],
    *,
    origin: Origin = NOWHERE,
    column_map: Mapping[str, str] = MappingProxyType({}),
) -> MappedRecord:
    """Map one delivered row and check it.

    origin      whose words the codes are in
    column_map  column → attribute, over what names and synonyms say; "" leaves a column undeclared
    returns     values by attribute in the order of the declaration, the rest, and every fault
    """
    claimed, undeclared = _sort_columns(entity_type, delivered, column_map)
    values: dict[str, Any] = {}
    faults: list[Reason] = []
    for attribute in entity_type.attributes.values():
        found, left, problems = _fill(entity_type, attribute, claimed.get(attribute.name, ()), origin)
        if found:
            values[attribute.name] = found if attribute.is_list else found[0]
        undeclared.update(left)
        faults += problems
    values = _composed(entity_type, values)
    kept = keepable({column: undeclared[column] for column in delivered if column in undeclared}) or {}
    return MappedRecord(values, kept, (*faults, *validate(entity_type, values)))


def read_value(entity_type: EntityType, name: str, given: Any) -> tuple[Any, tuple[Reason, ...]]:
    """Read one attribute's value as if a source had delivered it; (None, ()) says nothing.

    returns  the value in the hub's words, and every fault; with a fault the value is not to be taken
    """
    attribute = entity_type.attributes[name]
    if not attribute.is_list and isinstance(given, list | tuple) and len(given) > 1:
        problem = f"{name}: is a list of {len(given)}, but the attribute holds one value"
        return None, (Reason(name, "not_a_single_value", problem, "give one value", "warn"),)
    found, _, faults = _fill(entity_type, attribute, [(Claim(0, 0, name), name, given)], NOWHERE)
    return (found if attribute.is_list else found[0]) if found else None, tuple(faults)


def match_row(
    entity_type: EntityType, values: Mapping[str, Any], *, paths: Sequence[str] | None = None
) -> dict[str, list[str]]:
    """Give the raw values that the match model reads: attribute, or list.field of its elements, to texts.

    paths  those to read, where not all are needed
    """
    row = {}
    for path in _paths(entity_type) if paths is None else paths:
        name, _, inner = path.partition(".")
        held = values.get(name)
        if held is None:
            continue
        parts = held if isinstance(held, list) else [held]
        texts = [part.get(inner) for part in parts if isinstance(part, Mapping)] if inner else parts
        kept = [text for text in texts if isinstance(text, str) and text]
        if kept:
            row[path] = kept
    return row


def matches_alike(entity_type: EntityType, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Tell whether matching reads the same of both versions of a record that points at nothing."""
    references = [name for name, one in entity_type.attributes.items() if one.reference is not None]
    if any(name in before or name in after for name in references):
        return False
    return match_row(entity_type, before) == match_row(entity_type, after)


def completeness(entity_type: EntityType, values: Mapping[str, Any]) -> float:
    """Tell which share of the declared weight is filled, 0 to 1."""
    total = sum(attribute.weight for attribute in entity_type.attributes.values())
    filled = sum(attribute.weight for name, attribute in entity_type.attributes.items() if values.get(name))
    return round(filled / total, 4) if total else 1.0


def _composed(entity_type: EntityType, values: Mapping[str, Any]) -> dict[str, Any]:
    """Make up what the source delivered in parts, as a full name of first and last name; keep the declared order."""
    complete = {}
    for name, attribute in entity_type.attributes.items():
        parts = [values[part] for part in attribute.composed_of if part in values]
        if name in values:
            complete[name] = values[name]
        elif parts:
            text = " ".join(parts)
            complete[name] = [text] if attribute.is_list else text
    return complete


_Offers = list[tuple[Claim, str, Any]]


def _sort_columns(
    entity_type: EntityType, delivered: Mapping[str, Any], column_map: Mapping[str, str]
) -> tuple[dict[str, _Offers], dict[str, Any]]:
    """Part the columns into offers to attributes, preferred first, and the undeclared; the record's own are neither."""
    claimed: dict[str, _Offers] = {}
    undeclared: dict[str, Any] = {}
    for column, value in delivered.items():
        found = claim(entity_type, str(column), column_map)
        if found is not None:
            claimed.setdefault(found.attribute, []).append((found, column, value))
        elif column in column_map or record_column(str(column)) is None:
            undeclared[column] = value
    for offers in claimed.values():
        offers.sort(key=lambda offer: (offer[0], str(offer[1])))
    for names in entity_type.groups.values():
        undeclared.update(_keep_one_prefix(names, claimed))
    return claimed, undeclared


def _keep_one_prefix(names: tuple[str, ...], claimed: dict[str, _Offers]) -> dict[str, Any]:
    """Fill a group from the first prefix with a value, and from the last one what that prefix has no column for.

    The last prefix is the general one: a row may hold billing_street, billing_city and one plain country, yet never
    gets the street of one address and the city of another.
    """
    offers = [offer for name in names for offer in claimed.get(name, ())]
    prefixes = {offer[0].prefix for offer in offers}
    filled = {offer[0].prefix for offer in offers if keepable(offer[2]) is not None}
    if not filled:
        return {}
    chosen, general = min(filled), max(prefixes)
    left = {}
    for name in names:
        own = claimed.get(name, [])
        kept = [offer for offer in own if offer[0].prefix == chosen] or [
            offer for offer in own if offer[0].prefix == general
        ]
        left.update({column: value for offer, column, value in own if (offer, column, value) not in kept})
        claimed[name] = kept
    return left


def _fill(
    entity_type: EntityType, attribute: Attribute, offers: _Offers | tuple[()], origin: Origin
) -> tuple[list[Any], dict[str, Any], list[Reason]]:
    """Read the offers to one attribute: its values, the columns left undeclared, and what could not be read."""
    found: list[Any] = []
    left: dict[str, Any] = {}
    faults: list[Reason] = []
    for _, column, delivered in offers:
        if found and not attribute.is_list:
            left[column] = delivered
            continue
        before = len(found)
        errors: list[Unreadable] = []
        for part in single_values(attribute, delivered):
            value = _read_part(entity_type, attribute, part, origin=origin, errors=errors)
            if value is not None and value not in found:
                found.append(value)
        if errors or len(found) == before:
            left[column] = delivered
        faults += [
            Reason(attribute.name, error.code, f"{column}: {error.problem}", error.remedy, "warn") for error in errors
        ]
    if attribute.semantic_type == "element":
        found = _keyed(attribute, found)
    return (found, left, faults) if attribute.is_list or not found else (found[:1], left, _surplus(attribute, found))


def _surplus(attribute: Attribute, found: list[Any]) -> list[Reason]:
    """Say that of several values for an attribute that holds one the first was taken; the delivery keeps them all."""
    if len(found) < 2:
        return []
    problem = f"{attribute.name}: {len(found)} values were delivered, but the attribute holds one; the first was taken"
    return [Reason(attribute.name, "not_a_single_value", problem, "deliver one value", "warn")]


def _read_part(
    entity_type: EntityType, attribute: Attribute, part: Any, *, origin: Origin, errors: list[Unreadable]
) -> Any:
    """Read one single value; None when it says nothing or, with an error added, cannot be read."""
    try:
        if attribute.semantic_type == "element":
            return _element(entity_type, attribute, part, origin=origin, errors=errors)
        code_list = entity_type.code_lists.get(attribute.code_list) if attribute.code_list else None
        return read(attribute, part, code_list=code_list, origin=origin)
    except Unreadable as error:
        errors.append(error)
        return None


def _element(
    entity_type: EntityType, attribute: Attribute, part: Any, *, origin: Origin, errors: list[Unreadable]
) -> dict[str, str] | None:
    """Read a structure: fields that bear an attribute's name, or a column of it, are read as that attribute is."""
    if not isinstance(part, Mapping):
        if not clean(part):
            return None
        remedy = f"deliver objects with {attribute.element_key} and fields"
        raise Unreadable("not_a_structure", "is not a structure with fields", remedy)
    element: dict[str, str] = {}
    for field, value in _flat(part):
        found = claim(entity_type, field, {})
        twin = entity_type.attributes[found.attribute] if found and field != attribute.element_key else None
        if twin is None or twin.semantic_type == "element":
            name, text = clean(field), clean(value)
        else:
            name, text = twin.name, _read_part(entity_type, twin, value, origin=origin, errors=errors)
        if text:
            element.setdefault(name, text)
    key = attribute.element_key or ""
    names = (key, *_ELEMENT_KEY_COLUMNS)
    told = next((element[name] for name in names if name in element), _ELEMENT_KEY_UNKNOWN)
    fields = {name: text for name, text in element.items() if name and name not in names}
    return {key: told, **fields} if fields else None


def _flat(part: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the fields of a structure and of the structures right inside it; {id, refName} is one value."""
    for field, value in part.items():
        if isinstance(value, Mapping) and "id" not in value:
            yield from ((str(inner), deep) for inner, deep in value.items() if not isinstance(deep, list | tuple))
        elif not isinstance(value, list | tuple):
            yield str(field), value


def _keyed(attribute: Attribute, elements: list[dict[str, str]]) -> list[dict[str, str]]:
    """Give each element a key of its own: the second `other` is `other_2`."""
    key, seen, keyed = attribute.element_key or "", dict[str, int](), []
    for element in elements:
        count = seen[element[key]] = seen.get(element[key], 0) + 1
        keyed.append(element if count == 1 else {**element, key: f"{element[key]}_{count}"})
    return keyed


def paths_of(features: Iterable[FeatureSpec]) -> tuple[str, ...]:
    """Name what these features are made of: attributes, or list.field."""
    return tuple(dict.fromkeys(name for feature in features for name in (*feature.attributes, *feature.country_from)))


@lru_cache(maxsize=64)
def _paths(entity_type: EntityType) -> tuple[str, ...]:
    return paths_of(entity_type.model.features)
