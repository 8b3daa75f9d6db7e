"""Weak labels: right where identifiers agree or conflict, silent where they may be wrong."""

import time
from dataclasses import replace

import numpy as np

from matching.learning.pool import with_population
from matching.learning.weak import NAMES_SHARING_MAX, identifying, weak_labels
from matching.model import Comparison, FeatureSpec, Level, MatchModel
from matching.records import Forms, column_from_lists
from tests.unit.matching.learning.companies import MODEL, firms, with_wrong_numbers
from tests.unit.matching.models import company_model

_EXACT = (Level("same", 1.0, 5.0), Level("other", 0.0, -1.0))


def _forms(rows: list[tuple[str, str, str]]) -> Forms:
    """Give forms of (name, phone, tax number), "" for none."""
    columns = {
        name: column_from_lists([[row[place]] if row[place] else [] for row in rows])
        for place, name in enumerate(("name", "phone", "tax_id"))
    }
    columns["city"] = column_from_lists([[]] * len(rows))
    keys = tuple(f"crm/Account:{place:03d}" for place in range(len(rows)))
    return Forms(keys, ("crm",) * len(rows), None, columns)


def _told(rows: list[tuple[str, str, str]], model: MatchModel = MODEL) -> dict[tuple[int, int], str]:
    forms = _forms(rows)
    weak = weak_labels(forms, with_population(forms, model), seed=0)
    words = np.where(weak.same, "same", np.where(weak.different, "different", ""))
    return dict(zip(zip(weak.pool.left.tolist(), weak.pool.right.tolist(), strict=True), words.tolist(), strict=True))


def test_agreeing_numbers_say_same_and_conflicting_ones_say_different() -> None:
    told = _told(
        [
            ("acme tools", "1", "de-vat:11"),
            ("acme tools", "1", "de-vat:11"),
            ("acme tools", "1", "de-vat:22"),
            ("acme tools", "1", ""),
        ]
    )

    assert told == {(0, 1): "same", (0, 2): "different", (1, 2): "different"}


def test_records_that_met_by_their_number_alone_are_not_looked_at() -> None:
    told = _told([("acme tools", "1", "de-vat:11"), ("zebra foods", "2", "de-vat:11")])

    assert told == {}


def test_numbers_of_different_kinds_say_nothing() -> None:
    told = _told([("acme tools", "1", "de-vat:11"), ("acme tools", "1", "fr-vat:22")])

    assert told == {}


def test_a_number_that_many_different_names_hold_says_nothing() -> None:
    names = [f"client{place}" for place in range(NAMES_SHARING_MAX + 1)]

    told = _told([(name, "1", "de-vat:99") for name in names] + [("client0", "1", "de-vat:99")])

    assert told == {}


def test_an_agreeing_number_with_nothing_else_alike_says_nothing() -> None:
    """The two meet by a common word, and differ in all that is compared."""
    told = _told([("telescope zen", "1", "de-vat:11"), ("telescope ink", "2", "de-vat:11")])

    assert told == {(0, 1): ""}


def test_numbers_are_hidden_and_sisters_are_told_apart() -> None:
    companies = firms(60)
    model = with_population(companies.forms, MODEL)

    weak = weak_labels(companies.forms, model, seed=0)

    entities = np.array(companies.entities)
    is_same = entities[weak.pool.left] == entities[weak.pool.right]
    assert weak.same.any()
    assert is_same[weak.same].all()
    assert weak.different.any()
    assert not is_same[weak.different].any()
    assert weak.hidden == {"tax_id"}
    assert (weak.patterns(model).levels[:, 3] == -1).all()


def test_some_wrong_numbers_spoil_few_labels() -> None:
    companies = with_wrong_numbers(firms(200), every=50)
    model = with_population(companies.forms, MODEL)

    weak = weak_labels(companies.forms, model, seed=0)

    entities = np.array(companies.entities)
    is_same = entities[weak.pool.left] == entities[weak.pool.right]
    assert is_same[weak.same].mean() > 0.95
    assert is_same[weak.different].mean() < 0.05


def test_only_vetoing_numbers_identify() -> None:
    assert [one.name for one in identifying(MODEL)] == ["tax_id"]
    assert identifying(company_model()) == ()


def test_many_comparisons_take_time_in_step_with_them() -> None:
    """These take less than a second; what grows with their cube took a quarter of a minute."""
    extra = [f"made_{number}" for number in range(1_000)]
    model = replace(
        MODEL,
        features=(*MODEL.features, *(FeatureSpec(name, "text", (name,)) for name in extra)),
        comparisons=(*MODEL.comparisons, *(Comparison(name, name, "exact", _EXACT) for name in extra)),
    )
    forms = _forms([("acme tools", "1", "de-vat:11"), ("acme tools", "1", "de-vat:11")])
    forms = replace(forms, features={**forms.features, **{name: column_from_lists([[], []]) for name in extra}})
    began = time.process_time()

    weak = weak_labels(forms, with_population(forms, model), seed=0)

    assert weak.same.tolist() == [True]
    assert time.process_time() - began < 8
