"""What a declaration writes about matching, laid over what its attributes' semantic types give.

A section that writes features, blocking and comparisons is complete and stands alone. Of any other, written parts win
by name over the derived ones (`automatic.py`), key by key, so that a line, a level or one comparison can be changed
alone. What was written keeps its place and its line, so that faults name it.
"""

import re
from typing import Any, Final

from mdm.entities.automatic import derive
from mdm.entities.declaration import AttributeDeclaration, EntityDeclaration
from mdm.entities.document import Document, Fault
from mdm.entities.legible import is_unread, legible
from mdm.entities.patterns import NAME_PATTERN

_COMPLETE: Final = ("features", "blocking", "comparisons")
_BY_NAME: Final = ("blocking", "comparisons", "rules", "vetoes")
_ATTRIBUTES: Final = ("attributes",)
_DERIVED_FROM: Final = ("title", "type", "is_list", "code_list", "composed_of")
"""Keys of an attribute that automatic.py reads."""


def with_matching(document: Document) -> tuple[Document, list[Fault]]:
    """Give the document with a complete matching section, and the faults that keep it from one."""
    written = document.content.get("matching")
    written = {} if written is None else written
    if not isinstance(written, dict) or is_complete(document):
        return document, []
    attributes = legible(EntityDeclaration, {"attributes": document.content.get("attributes")}).attributes
    if not attributes or not all(_is_sound(name, part) for name, part in attributes.items()):
        return document, []  # attributes of their own faults, which come first
    derived = derive(attributes, within="within" in document.content)
    if derived is None:
        problem = "hold nothing by which records could be compared"
        remedy = "give one a type as company_name, person_name or identifier, or write a whole `matching:` section"
        return document, [document.fault(_ATTRIBUTES, problem, remedy)]
    matching = {key: _laid_over(key, written.get(key), part) for key, part in derived.items()}
    matching |= {key: part for key, part in written.items() if key not in derived}
    lost = _lost_levels(document, written, derived)
    if isinstance(matching["rules"], list):
        matching["rules"] = [
            rule for rule in matching["rules"] if not isinstance(rule, dict) or str(rule.get("name")) not in lost
        ]
    return Document(document.file, {**document.content, "matching": matching}, document.lines), list(lost.values())


def is_complete(document: Document) -> bool:
    """Tell whether the matching section needs nothing derived, as every one that something could be derived for."""
    matching = document.content.get("matching")
    return isinstance(matching, dict) and all(key in matching for key in _COMPLETE)


def _is_sound(name: str, part: AttributeDeclaration) -> bool:
    """Tell whether all is known of an attribute that the derived parts depend on."""
    is_read = not any(is_unread(part, key) for key in _DERIVED_FROM) and None not in part.composed_of
    return is_read and re.fullmatch(NAME_PATTERN, name) is not None


def _laid_over(key: str, written: Any, derived: Any) -> Any:
    """Lay one key's written part over the derived one; what has another shape than it should stays for the check."""
    if written is None:
        return derived
    if key == "features" and isinstance(written, dict):
        return {**derived, **{name: _merged(part, derived.get(name)) for name, part in written.items()}}
    if key in _BY_NAME and isinstance(written, list):
        by_name = {part["name"]: part for part in derived}
        names = [part.get("name") if isinstance(part, dict) else None for part in written]
        changed = [
            _merged(part, by_name.get(name) if isinstance(name, str) else None)
            for name, part in zip(names, written, strict=True)
        ]
        return [*changed, *(part for part in derived if part["name"] not in names)]
    return written


def _merged(written: Any, derived: Any) -> Any:
    return {**derived, **written} if isinstance(written, dict) and isinstance(derived, dict) else written


def _lost_levels(document: Document, written: dict[str, Any], derived: dict[str, Any]) -> dict[str, Fault]:
    """Find the derived rules that ask for a level which a written comparison leaves out, by name."""
    own = _named(written.get("rules"))
    labels_of = {
        name: (index, labels)
        for index, (name, part) in enumerate(_named(written.get("comparisons")).items())
        if (labels := _labels(part.get("levels")))
    }
    faults = {}
    for rule in (rule for rule in derived["rules"] if rule["name"] not in own):
        for name, label in [*rule["when"].items(), *rule.get("unless", {}).items()]:
            index, labels = labels_of.get(name, (0, {label}))
            if label not in labels:
                problem = f"the derived rule {rule['name']} asks for a level called {label}"
                remedy = f"keep a level of that label, or write a rule {rule['name']} of your own"
                place = ("matching", "comparisons", index, "levels")
                faults[rule["name"]] = document.fault(place, problem, remedy)
    return faults


def _named(written: Any) -> dict[str, dict[str, Any]]:
    """Give the written parts of a list by name; nothing of a list that holds anything else: the shape check tells."""
    parts = written if isinstance(written, list) else []
    return {str(part.get("name")): part for part in parts} if all(isinstance(part, dict) for part in parts) else {}


def _labels(levels: Any) -> set[str]:
    """Give the labels of written levels; none where not all of them can be read."""
    entries = levels if isinstance(levels, list) else []
    labels = [level["label"] for level in entries if isinstance(level, dict) and isinstance(level.get("label"), str)]
    return set(labels) if len(labels) == len(entries) else set()
