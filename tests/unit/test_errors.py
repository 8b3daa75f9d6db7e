"""The tree of errors: drawn in the docstring as it is, each with a code of its own and a sentence that says it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from mdm import errors
from mdm.errors import HubError


def tree(root: type[HubError]) -> Iterator[type[HubError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__.startswith(errors.__name__):
            yield from tree(child)


CLASSES = list(tree(HubError))


def drawn() -> list[tuple[int, str]]:
    """Read the tree of the module docstring: (depth, name) of each line."""
    lines = [re.match(r"([│├└─ ]*)([A-Z]\w+)", line) for line in (errors.__doc__ or "").splitlines()]
    found = [(len(line[1]) // 4, line[2]) for line in lines if line is not None]
    names = {error.__name__ for error in CLASSES}
    return [(depth, name) for depth, name in found if depth or name in names]


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    parents: list[str] = []
    edges = set()
    for depth, name in drawn():
        del parents[depth:]
        edges.add((name, parents[-1] if parents else "Exception"))
        parents.append(name)

    bases = {(error.__name__, error.__base__.__name__) for error in CLASSES if error.__base__ is not None}
    assert edges == bases


def test_codes_are_unique() -> None:
    assert len({error.code for error in CLASSES}) == len(CLASSES)


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_every_class_has_a_code_of_its_own_and_one_sentence(error: type[HubError]) -> None:
    assert "code" in vars(error)
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)
    assert error.__doc__ is not None
    assert re.fullmatch(r"[A-Z][^\n]+\.", error.__doc__)


@pytest.mark.parametrize("error", [one for one in CLASSES if issubclass(one, errors.NotFound)], ids=lambda e: e.code)
def test_what_is_not_found_is_named_with_what_to_do(error: type[errors.NotFound]) -> None:
    refused = error("x\n" + "y" * 500)

    assert refused.message.startswith(f"there is no {error.noun} 'x\\ny")
    assert len(refused.message) < 260  # a name from outside is shown cut
    assert refused.remedy


def test_errors_carry_their_facts() -> None:
    noon, one = datetime(2026, 6, 30, 12, tzinfo=UTC), datetime(2026, 6, 30, 13, tzinfo=UTC)

    assert errors.AsOfBeyondHorizon(one, noon).horizon == noon
    assert errors.TouchedSetGrew(frozenset({"cus_1"})).golden_ids == {"cus_1"}
    assert errors.DecisionContradicts("no", chain=["a is b", "b is not c"]).chain == ("a is b", "b is not c")
    assert errors.FileUnreadable("a.csv", "is empty", remedy="send rows").path == "a.csv"
    assert errors.EntityDeclarationInvalid(["a.yaml:1: x", "a.yaml:2: y"]).faults == ("a.yaml:1: x", "a.yaml:2: y")
    assert errors.DatabaseUnavailable("gone", retry_after_s=1.0).retry_after_s == 1.0
