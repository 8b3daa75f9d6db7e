"""Laws of mapping: no row raises, and nothing empty or unstorable comes out."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mdm.entities.mapping import completeness, map_record, match_row
from mdm.entities.model import Origin
from mdm.entities.service import entity_types

TYPES = entity_types()
COLUMNS = sorted(
    {column for kind in TYPES.values() for part in kind.attributes.values() for column in (part.name, *part.columns)}
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["n/a", "", " ", "2026-13-45", "1e9999", "\ud800", "\x00", ";|;", "Net 30", "-0", "1900-01-01"])
)
REFERENCES = st.fixed_dictionaries({"id": SCALARS}, optional={"refName": SCALARS, "items": SCALARS})
VALUES = st.recursive(
    SCALARS | REFERENCES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(COLUMNS) | st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)
ROWS = st.dictionaries(st.sampled_from(COLUMNS) | st.text(st.characters()), VALUES, max_size=8)


@settings(max_examples=200)
@given(name=st.sampled_from(sorted(TYPES)), row=ROWS, instance=st.sampled_from(["", "netsuite-us", "d365"]))
def test_any_row_is_mapped_to_storable_values(name: str, row: dict[str, Any], instance: str) -> None:
    entity_type = TYPES[name]

    mapped = map_record(entity_type, row, origin=Origin(instance))

    assert mapped.values.keys() <= entity_type.attributes.keys()
    for attribute, value in mapped.values.items():
        assert isinstance(value, list) == entity_type.attributes[attribute].is_list
        assert value
        assert all(isinstance(text, str) and text and text == text.strip() for text in leaves(value))
    stored = json.dumps([dict(mapped.values), dict(mapped.undeclared)], allow_nan=False, ensure_ascii=False)
    assert "\\u0000" not in stored
    stored.encode()
    assert 0.0 <= completeness(entity_type, mapped.values) <= 1.0
    assert all(texts and all(texts) for texts in match_row(entity_type, mapped.values).values())


@settings(max_examples=100)
@given(row=ROWS)
def test_mapping_again_what_was_mapped_changes_nothing(row: dict[str, Any]) -> None:
    customer = TYPES["customer"]
    once = map_record(customer, row, origin=Origin("x"))

    again = map_record(customer, once.values, origin=Origin("x"))

    assert again.values == once.values


def leaves(value: Any) -> Iterator[Any]:
    """Give every scalar inside a value, the texts between the keys."""
    if isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part)
    else:
        yield value
