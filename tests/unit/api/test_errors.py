"""Every error of the hub has a status of its own choosing, and no problem tells more than it should."""

from collections.abc import Iterator

import orjson
import pytest

from api.errors import INTERNAL_ERROR, STATUS, Problem, json_pointer, problem_bytes, status_of
from mdm.errors import HubError, SettingsInvalid


def tree(root: type[HubError]) -> Iterator[type[HubError]]:
    for child in root.__subclasses__():
        if child.__module__.startswith("mdm.errors"):
            yield child
            yield from tree(child)


@pytest.mark.parametrize("error", list(tree(HubError)), ids=lambda error: error.__name__)
def test_every_error_class_is_mapped_to_a_status(error: type[HubError]) -> None:
    assert any(ancestor in STATUS for ancestor in error.__mro__)
    assert 400 <= status_of(error) < 600
    # Only a broken installation is our own fault; all else is the caller's or passes by itself.
    assert (status_of(error) == 500) == issubclass(error, SettingsInvalid)


def test_codes_are_stable_words_and_each_class_has_its_own() -> None:
    codes = [error.code for error in tree(HubError)]

    assert len(set(codes)) == len(codes)
    assert all(code.replace("_", "").isalpha() and code.islower() for code in codes)


def test_a_problem_has_the_members_of_rfc_9457() -> None:
    problem = Problem(404, "not_found", "Nothing.", "there is no x", {"remedy": "y", "chain": None})

    assert orjson.loads(problem_bytes(problem, request_id="r1")) == {
        "type": "urn:mdm:problem:not_found",
        "code": "not_found",
        "title": "Nothing.",
        "status": 404,
        "detail": "there is no x",
        "remedy": "y",
        "request_id": "r1",
    }


def test_a_fault_of_our_own_tells_nothing_but_its_id() -> None:
    problem = orjson.loads(problem_bytes(INTERNAL_ERROR, request_id="r2"))

    assert problem["code"] == "internal_error"
    assert problem["request_id"] == "r2"


def test_a_json_pointer_escapes_as_rfc_6901_says() -> None:
    assert json_pointer(["records", 0, "a/b", "m~n"]) == "/records/0/a~1b/m~0n"
    assert json_pointer([]) == ""
