"""Laws of declarations with faults: no junk ends the check, and none hides a fault that stands elsewhere."""

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mdm.entities.document import Place, parse_document
from mdm.entities.service import DEFINITIONS, entity_types
from mdm.errors import EntityDeclarationInvalid
from tests.unit.entities.declarations import SOUND

GONE = object()
WORDS = st.sampled_from(["name", "same", "Mail-X", "text", "", "0", "list", "union", "same_winner_as", "first:4"])
SCALARS = st.none() | st.booleans() | st.integers(-200, 200) | st.floats(-2, 2) | WORDS
JUNK = st.just(GONE) | st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=4
)


def _read(text: str) -> dict[str, Any]:
    document, faults = parse_document(text, "sound.yaml")
    assert document is not None
    assert not faults
    return document.content


def _without_matching(content: dict[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in content.items() if key != "matching"}


_PLANT = _read(SOUND)
_CUSTOMER = _read((DEFINITIONS / "customer.yaml").read_text(encoding="utf-8"))
SOUND_CONTENTS = (_PLANT, _without_matching(_PLANT), _CUSTOMER, _without_matching(_CUSTOMER))
PLANTED = "planted_by_the_test"


def _places(content: Any, place: Place = ()) -> list[Place]:
    entries = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    inner = [each for key, entry in entries for each in _places(entry, (*place, key))]
    return [place, *inner] if place else inner


@st.composite
def broken(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a sound content with one to three places of it broken."""
    content: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(SOUND_CONTENTS)))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(content)
        if places:
            *around, last = draw(st.sampled_from(places))
            inner: Any = content
            for step in around:
                inner = inner[step]
            junk = draw(JUNK)
            if junk is GONE:
                del inner[last]
            else:
                inner[last] = junk
    return content


def faults_of(content: dict[str, Any]) -> list[str]:
    """Load a content from a file alone; give its faults, none where it is sound."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.yaml"
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")  # JSON is YAML
        try:
            entity_types([path])
        except EntityDeclarationInvalid as refused:
            return [fault.removeprefix(f"{folder}/") for fault in refused.faults]
    return []


@settings(max_examples=250)
@given(content=broken())
def test_a_misspelt_reference_is_told_whatever_else_is_broken(content: dict[str, Any]) -> None:
    attributes = content.get("attributes")
    content["attributes"] = {
        **(attributes if isinstance(attributes, dict) else {}),
        PLANTED: {"title": "Planted", "type": "code", "code_list": "cuntry"},
    }

    faults = faults_of(content)

    assert any(f"attributes.{PLANTED}.code_list: there is no code list cuntry; " in fault for fault in faults), faults
    for fault in faults:
        file, line, told = fault.split(":", 2)
        assert file.endswith(".yaml")
        assert int(line) > 0
        assert "; " in told


@settings(max_examples=50)
@given(content=broken())
def test_whatever_is_broken_either_loads_or_is_refused(content: dict[str, Any]) -> None:
    assert all(": " in fault for fault in faults_of(content))
