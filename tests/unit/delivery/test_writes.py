"""What the hub wrote into a field: the last value, those before it, and how often it was put back."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mdm.delivery.writes import EARLIER_MAX, is_earlier, is_last, with_writes

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def written(*hashes: str) -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = {}
    for hour, hash_ in enumerate(hashes):
        found = with_writes(found, {"name": hash_}, at=NOON + timedelta(hours=hour))
    return found


def test_the_last_write_is_ours_whenever_it_is_told() -> None:
    assert is_last(written("a", "b"), "name", "b")
    assert not is_last(written("a", "b"), "name", "a")
    assert not is_last(written("a", "b"), "phone", "b")


def test_an_earlier_write_is_ours_only_where_it_was_told_before_the_last_one() -> None:
    writes = written("a", "b")

    assert is_earlier(writes, "name", "a", told_at=NOON + timedelta(minutes=30))
    assert not is_earlier(writes, "name", "a", told_at=NOON + timedelta(hours=2))
    assert not is_earlier(writes, "name", "a", told_at=None)


def test_the_last_write_is_no_earlier_one_though_it_was_written_before_as_well() -> None:
    assert not is_earlier(written("a", "b", "a"), "name", "a", told_at=NOON)


def test_a_value_that_is_written_again_was_put_back() -> None:
    assert [len(written(*hashes)["name"].get("put_back", ())) for hashes in ("a", "ab", "aa", "aba", "aaa")] == [
        *(0, 0, 1, 0, 2)
    ]


def test_only_some_earlier_writes_are_kept() -> None:
    assert len(written(*"abcdefghij")["name"]["before"]) == EARLIER_MAX
