"""Ids rise strictly within a process, also across threads, and show what they name."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier

import pytest

from mdm import ids

MADE = {
    "rec": ids.new_record_id,
    "evt": ids.new_event_id,
    "dec": ids.new_decision_id,
    "rev": ids.new_review_id,
    "exc": ids.new_exception_id,
    "rsv": ids.new_reservation_id,
    "dea": ids.new_deal_id,
    "key": ids.new_api_key_id,
    "per": ids.new_person_id,
    "ses": ids.new_session_id,
    "lnk": ids.new_link_id,
    "sgn": ids.new_sign_in_id,
}


def test_ids_of_one_thread_rise_strictly_within_a_millisecond_too() -> None:
    made = [ids.new_golden_id("cus") for _ in range(5_000)]

    assert all(first < second for first, second in pairwise(made))


def test_ids_of_many_threads_are_distinct_and_rise_in_each() -> None:
    start = Barrier(4)

    def make() -> list[ids.RecordId]:
        start.wait()
        return [ids.new_record_id() for _ in range(2_000)]

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: make(), range(4)))

    assert len({id_ for part in made for id_ in part}) == 8_000
    assert all(part == sorted(part) for part in made)


def test_an_id_begins_with_the_instant_it_was_made_at() -> None:
    alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
    before_ms = time.time_ns() // 1_000_000

    made = ids.new_golden_id("cus")

    number = 0
    for character in made.removeprefix("cus_"):
        number = number * 32 + alphabet.index(character)
    # Ids of this process may run ahead of the clock by what they had to rise within a millisecond: 2^40 of 2^80 a step.
    assert before_ms <= number >> 80 <= time.time_ns() // 1_000_000 + 1


@pytest.mark.parametrize("prefix", MADE)
def test_an_id_says_what_it_names(prefix: str) -> None:
    made = MADE[prefix]()

    assert made.startswith(f"{prefix}_")
    assert len(made) == 4 + 26
    assert ids.is_well_formed(made)


def test_a_golden_id_carries_the_prefix_of_its_entity_type() -> None:
    made = ids.new_golden_id("vendor")

    assert isinstance(made, ids.GoldenId)
    assert made.startswith("vendor_")
    assert ids.is_well_formed(made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cus_",
        "cus_0123456789abcdefghjkmnpqr",  # 25 characters
        "cus_0123456789abcdefghjkmnpqrst",  # 27
        "cus_0123456789abcdefghijkmnpqr",  # i is none of the letters
        "cus_0123456789ABCDEFGHJKMNPQRS",
        "c_0123456789abcdefghjkmnpqrs",
        "cus-0123456789abcdefghjkmnpqrs",
        "cus_0123456789abcdefghjkmnpqrs\n",
        " cus_0123456789abcdefghjkmnpqrs",
    ],
)
def test_other_texts_are_no_ids(text: str) -> None:
    assert not ids.is_well_formed(text)
