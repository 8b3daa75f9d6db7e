"""Matching through DuckDB gives what bulk gives, whatever the size of its parts, and leaves nothing behind."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from matching.backends.duckdb import Space, matched
from matching.backends.parts import Repeated
from matching.bulk import BulkMatch
from matching.model import MatchModel
from matching.records import Records, records_from_rows
from tests.crowds import MODEL, Crowd, crowd, parts_of, told_by_forms

MEGABYTES = 1 << 20


def space(folder: Path, *, rows_at_once: int = 50, threads: int = 2) -> Space:
    return Space(folder, 256 * MEGABYTES, threads=threads, rows_at_once=rows_at_once)


def spilled(one: Crowd, within: Space, *, batch: int = 17) -> BulkMatch:
    bound = (one.musts, one.conflicts)
    with matched(parts_of(one.records, batch), one.model, within, teach=told_by_forms, bound=bound) as found:
        return found.result


def require_equal(found: BulkMatch, expected: BulkMatch) -> None:
    assert found.model.population == expected.model.population
    assert found.model.version == expected.model.version
    for name in ("left", "right", "bits", "verdicts", "vectors", "labels"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name
    assert found.refused_count == expected.refused_count
    assert found.oversize == expected.oversize


@pytest.mark.parametrize("seed", range(6))
def test_the_answer_is_that_of_bulk(seed: int, tmp_path: Path) -> None:
    one = crowd(seed, 150)

    found = spilled(one, space(tmp_path))

    require_equal(found, one.in_bulk)
    assert len(found.left) > 50


def test_the_crowds_have_all_that_could_be_told_differently() -> None:
    answers = [crowd(seed, 150).in_bulk for seed in range(6)]

    assert len({found.model.prior_bits for found in answers}) == 4  # the others' models are frozen, and not taught
    assert any(found.model.population.stop_keys for found in answers)
    assert any(found.model.population.generic for found in answers)
    assert any(block.is_left_out for found in answers for block in found.oversize)
    assert all(found.refused_count for found in answers)
    assert {2, 1} <= {verdict for found in answers for verdict in found.verdicts.tolist()}


@pytest.mark.parametrize(("rows_at_once", "threads", "batch"), [(1, 1, 1), (7, 3, 40), (10_000, 2, 1_000)])
def test_parts_and_threads_change_nothing(rows_at_once: int, threads: int, batch: int, tmp_path: Path) -> None:
    one = crowd(4, 90)

    found = spilled(one, space(tmp_path, rows_at_once=rows_at_once, threads=threads), batch=batch)

    require_equal(found, one.in_bulk)


def test_no_records_make_no_clusters(tmp_path: Path) -> None:
    with matched([], MODEL, space(tmp_path)) as found:
        assert found.result.labels.tolist() == []
        assert [stage.name for stage in found.result.stages] == ["standardise", "learn", "block", "compare", "cluster"]


def test_keys_are_read_back_in_the_order_asked_for(tmp_path: Path) -> None:
    records = records_from_rows(["b", "a", "c"], ["x"] * 3, [{"name": ["Acme"]}] * 3)

    with matched(parts_of(records, 2), MODEL, space(tmp_path)) as found:
        assert found.keys_of(np.array([2, 0, 2])).to_pylist() == ["c", "b", "c"]


def test_a_key_that_comes_twice_is_refused(tmp_path: Path) -> None:
    records = records_from_rows(["a", "b", "b"], ["x"] * 3, [{"name": ["Acme"]}] * 3)

    with pytest.raises(Repeated) as refused, matched(parts_of(records, 2), MODEL, space(tmp_path)):
        pass

    assert refused.value.key == "b"


def test_nothing_is_left_on_the_disk_also_after_a_failure(tmp_path: Path) -> None:
    def broken() -> Iterable[Records]:
        yield from parts_of(crowd(1, 20).records, 10)
        raise OSError("the file is cut off")

    with pytest.raises(OSError, match="cut off"), matched(broken(), MODEL, space(tmp_path)):
        pass

    assert list(tmp_path.iterdir()) == []


@pytest.mark.soak
@pytest.mark.parametrize("turn", range(20))
def test_large_crowds_are_matched_as_in_bulk(turn: int, seed: int, tmp_path: Path) -> None:
    one = crowd(seed + turn, 5_000)

    found = spilled(one, space(tmp_path, rows_at_once=3_000), batch=1_700)

    require_equal(found, one.in_bulk)


def test_a_model_without_vetoes_needs_no_signatures(tmp_path: Path) -> None:
    one = crowd(0, 60)
    free = Crowd(one.records, without_vetoes(one.model), one.musts, one.conflicts)

    require_equal(spilled(free, space(tmp_path)), free.in_bulk)


def without_vetoes(model: MatchModel) -> MatchModel:
    return MatchModel(
        **{name: getattr(model, name) for name in model.__dataclass_fields__ if name != "vetoes"}, vetoes=()
    )
