"""Records to learn from: the same wherever they lie, and as many pairs whatever the size of the file."""

import random

import pyarrow as pa
import pytest

from matching.backends.parts import FORM_ROWS, drawn_rows
from matching.learning.sample import LESSON_RECORDS, drawn, lesson_of
from matching.model import MatchModel, Population
from matching.records import Forms, column_from_lists

KEYS = tuple(f"crm-{number % 3}/Account:{number:07d}" for number in range(100_000))


def test_all_records_of_a_small_file_are_drawn_in_the_order_of_their_keys() -> None:
    assert drawn(["b", "c", "a"], 3).tolist() == [2, 0, 1]
    assert drawn(["b", "c", "a"], LESSON_RECORDS).tolist() == [2, 0, 1]


@pytest.mark.parametrize("records_count", [100_000, 1_000_000, 100_000_000])
def test_of_more_records_so_many_are_drawn_that_the_pairs_are_as_many(records_count: int) -> None:
    found = len(drawn(KEYS, records_count)) / len(KEYS)

    pairs_left = found**2 * records_count / LESSON_RECORDS
    assert pairs_left == pytest.approx(1.0, abs=0.2)


def test_every_source_is_drawn_from_alike() -> None:
    """Of 33,333 keys of a source 10,541 are awaited, give or take four times their deviation of 85."""
    sources = [KEYS[place].partition("/")[0] for place in drawn(KEYS, 100_000).tolist()]

    for source in ("crm-0", "crm-1", "crm-2"):
        assert sources.count(source) == pytest.approx(10_541, abs=340)


def test_parts_draw_what_the_whole_draws_in_any_order() -> None:
    shuffled = random.Random(3).sample(KEYS[:2_000], 2_000)
    parts = [shuffled[start : start + 300] for start in range(0, 2_000, 300)]

    whole = [KEYS[place] for place in drawn(KEYS[:2_000], 100_000).tolist()]
    of_parts = [part[place] for part in parts for place in drawn(part, 100_000).tolist()]

    assert sorted(of_parts) == whole
    assert [of_parts[place] for place in drawn(of_parts, 100_000).tolist()] == whole


def test_rows_of_a_backend_are_drawn_by_the_population_of_the_model() -> None:
    model = MatchModel("x", (), (), (), population=Population(1_000_000, {}, frozenset(), {}))
    rows = pa.table({"key": KEYS[:5_000], "source": [""] * 5_000, "context": [None] * 5_000, "packed": [""] * 5_000})

    found = drawn_rows(rows.cast(FORM_ROWS), model)

    assert found["key"].to_pylist() == [KEYS[place] for place in drawn(KEYS[:5_000], 1_000_000).tolist()]
    assert 300 < found.num_rows < 800


def test_a_lesson_holds_the_values_of_its_records_and_no_others() -> None:
    values = [[f"v{number % 700}", "shared"][: 1 + number % 2] for number in range(2_000)]
    forms = Forms(KEYS[:2_000], ("s",) * 2_000, ("p",) * 2_000, {"name": column_from_lists(values)})

    told = lesson_of(forms, 1_000_000)

    assert set(told.keys) < set(forms.keys)
    assert len(told.contexts or ()) == len(told.sources) == len(told.keys)
    for place, key in enumerate(told.keys):
        assert list(told.features["name"].of(place)) == values[KEYS.index(key)]
    held = {value for place in range(len(told.keys)) for value in told.features["name"].of(place)}
    assert set(told.features["name"].values) == held
    assert list(told.keys) == sorted(told.keys)
