"""Columns keep every value of every record, in order, and only once in the dictionary."""

import numpy as np
import pyarrow as pa

from matching.records import column_from_arrow, column_from_lists, records_from_rows


def test_a_column_gives_back_the_values_of_each_record() -> None:
    column = column_from_lists([["a", "b"], [], ["", "a"]])

    assert [column.of(record) for record in range(3)] == [("a", "b"), (), ("a",)]
    assert column.values == ("a", "b")
    assert not column.is_single


def test_arrow_strings_and_lists_code_like_python_lists() -> None:
    strings = column_from_arrow(pa.chunked_array([["a", None], ["", "b"]]))
    lists = column_from_arrow(pa.array([["a", "b"], None, [None, ""], ["b"]]))

    assert [strings.of(record) for record in range(4)] == [("a",), (), (), ("b",)]
    assert [lists.of(record) for record in range(4)] == [("a", "b"), (), (), ("b",)]
    assert strings.is_single


def test_taking_records_keeps_their_values_in_the_order_asked_for() -> None:
    column = column_from_lists([["a", "b"], [], ["c"]])

    taken = column.take(np.array([2, 0, 1, 2]))

    assert [taken.of(record) for record in range(4)] == [("c",), ("a", "b"), (), ("c",)]


def test_first_codes_are_minus_one_where_a_record_has_no_value() -> None:
    assert column_from_lists([["b"], [], ["a", "b"]]).first_codes().tolist() == [0, -1, 1]


def test_rows_become_columns_of_all_attributes_that_any_row_has() -> None:
    records = records_from_rows(["k1", "k2"], ["s", "s"], [{"name": ["a"]}, {"city": ["x"]}], ["cus_1", ""])

    assert records.attributes["name"].of(0) == ("a",)
    assert records.attributes["city"].of(0) == ()
    assert records.contexts == ("cus_1", "")
