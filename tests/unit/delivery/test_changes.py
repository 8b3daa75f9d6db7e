"""What changes between two declarations, place by place."""

from mdm.delivery.changes import Difference, differences

BEFORE = {"title": "A", "records": {"customer": {"creates": True, "fields": {"name": {}}}}, "when": {"country": ["DE"]}}


def test_equal_declarations_differ_in_nothing() -> None:
    assert differences(BEFORE, dict(BEFORE)) == ()


def test_each_place_is_named_once_in_order_and_a_list_is_one_value() -> None:
    after = {
        "title": "A",
        "records": {"customer": {"creates": False, "fields": {"name": {"owner": "fill"}}}},
        "when": {"country": ["DE", "AT"]},
    }

    assert differences(BEFORE, after) == (
        Difference("records.customer.creates", before=True, after=False),
        Difference("records.customer.fields.name.owner", None, "fill"),
        Difference("when.country", ["DE"], ["DE", "AT"]),
    )


def test_what_is_added_or_taken_away_stands_beside_nothing() -> None:
    assert differences({"a": 1}, {"b": 2}) == (Difference("a", 1, None), Difference("b", None, 2))
