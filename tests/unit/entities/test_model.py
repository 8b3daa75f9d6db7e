"""What an entity type says of itself: by what people recognise its records."""

from typing import Any

import pytest

from mdm.entities.service import entity_types


@pytest.mark.parametrize(
    ("entity", "values", "name"),
    [
        ("contract", {"number": "C-17", "name": "Support 2026"}, "C-17"),
        ("contract", {"name": "Support 2026", "kind": "msa"}, "Support 2026"),
        ("contract", {"kind": "msa", "currency": "EUR"}, ""),
        ("customer", {"legal_name": "", "trading_names": ["Kestrel", "K"]}, "Kestrel"),
        ("project", {"name": "Phase 2"}, "Phase 2"),
        ("resource", {"full_name": "Ada Byron"}, "Ada Byron"),
    ],
)
def test_a_record_is_recognised_by_its_number_or_name(entity: str, values: dict[str, Any], name: str) -> None:
    assert entity_types()[entity].name_of(values) == name
