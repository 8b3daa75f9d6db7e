"""What backends pass about says the same after the way as before it."""

import random
from dataclasses import replace

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest

from matching.backends import parts, population
from matching.backends.components import connected
from matching.population import learn_population
from matching.records import Forms, column_from_lists
from matching.standardise import standardise
from tests.crowds import MODEL, crowd, parts_of
from tests.unit.matching.models import company_model, forms_of


def test_packed_forms_are_read_back_also_where_they_hold_the_marks() -> None:
    rows = [
        {"name": ["acme", "acme tools"], "phone": ["1"]},
        {"name": ["a\x1eb", "c\x1fd", "e\x1d0", "\x1d1\x1e"], "city": ["\x1f"]},
        {},
        {"tax_id": ["de:1", "fr:2"]},
    ]
    forms, model = forms_of(rows), company_model()

    read = parts.forms_of(pa.table({"packed": parts.packed(forms, model)}), model)

    for name, column in forms.features.items():
        assert [read.features[name].of(row) for row in range(4)] == [column.of(row) for row in range(4)], name


def test_no_forms_are_packed_and_read_back() -> None:
    read = parts.forms_of(pa.table({"packed": parts.packed(forms_of([]), company_model())}), company_model())

    assert {len(column) for column in read.features.values()} == {0}


@pytest.mark.parametrize("size", [1, 13, 400])
def test_a_population_counted_in_parts_is_the_one_learnt_at_once(size: int) -> None:
    records = crowd(2, 120).records
    counts = [population.part_counts(standardise(each, MODEL), MODEL) for each in parts_of(records, size)]

    sums = added_up(pa.concat_tables(counts), ["what", "feature", "value", "other"])
    told = [population.summary(sums.slice(start, size), MODEL) for start in range(0, sums.num_rows, size)]
    totals = added_up(pa.concat_tables(told), ["what", "feature", "value"])
    found = population.population_of(totals, len(records.keys), MODEL)

    learnt = learn_population(standardise(records, MODEL), MODEL)
    assert replace(found, stop_keys=learnt.stop_keys) == learnt
    assert learnt.frequency["name tokens"]["tools"] > 10
    assert learnt.generic


def added_up(table: pa.Table, columns: list[str]) -> pa.Table:
    return table.group_by(columns).aggregate([("n", "sum")]).rename_columns([*columns, "n"])


def test_a_model_is_sent_with_its_read_only_mappings() -> None:
    model = crowd(1, 40).model

    assert parts.received(parts.sent(model)).version == model.version
    assert parts.received(parts.sent(MODEL)) == MODEL


def test_the_blocks_of_a_range_of_keys_are_never_parted() -> None:
    """Blocks of 3, 2 and 2 rows; the first key is negative, so that one leading bit puts it in a range of its own."""
    keys = [-5, -5, -5, 1, 1, 2, 2]
    rows = pa.record_batch(
        {"block": keys, "record": range(7), "keys": [[key] for key in keys], "packed": [""] * 7},
    )
    batches = [rows.slice(start, 2) for start in range(0, 7, 2)]

    cut = [part["block"].to_pylist() for part in parts.block_parts(batches, range_bits=1)]
    fine = [part["block"].to_pylist() for part in parts.block_parts(batches, rows_at_once=1)]

    assert cut == [[-5, -5, -5], [1, 1, 2, 2]]
    assert fine == [[-5, -5, -5], [1, 1], [2, 2]]


def test_components_are_those_of_networkx() -> None:
    rnd = random.Random(5)
    pairs = [(rnd.randrange(300), rnd.randrange(300)) for _ in range(200)] + [(n, n + 1) for n in range(250, 299)]

    found = connected(np.array([left for left, _ in pairs]), np.array([right for _, right in pairs]), 300)

    graph = nx.Graph(pairs)
    graph.add_nodes_from(range(300))
    expected = {record: min(part) for part in nx.connected_components(graph) for record in part}
    assert dict(enumerate(found.tolist())) == expected


def test_forms_without_a_context_are_told_from_those_of_an_unknown_one() -> None:
    records = crowd(2, 5).records
    rows = parts.form_rows(records, MODEL)
    forms = Forms(("a",), ("x",), None, {spec.name: column_from_lists([()]) for spec in MODEL.features})

    assert parts.forms_of(rows, MODEL).contexts == records.contexts
    assert parts.forms_of(pa.table({"packed": parts.packed(forms, MODEL)}), MODEL).contexts is None
