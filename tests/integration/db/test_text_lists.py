"""Lists of texts reach PostgreSQL as they are, whatever stands in them."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from mdm.db.statement import text
from mdm.ids import RecordId

pytestmark = pytest.mark.db

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
TRICKY = st.sampled_from(["", "null", "NULL", '"', "\\", '","', "a,b", "{}", " a ", '\\"', "\n", "ü", "x"])
LISTS = st.lists(st.none() | TRICKY | TEXTS, max_size=6)


def sent(engine: Engine, values: list[Any]) -> list[Any]:
    """Send a list to the server and read it back."""
    with engine.connect() as connection:
        found: list[Any] = connection.execute(text("SELECT CAST(:values AS text[])"), {"values": values}).scalar_one()
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=LISTS)
def test_a_list_arrives_as_it_was_sent(engine: Engine, values: list[str | None]) -> None:
    assert sent(engine, values) == values
    assert sent(engine, [value or "" for value in values]) == [value or "" for value in values]


def test_lists_of_lists_of_numbers_and_of_ids_arrive_too(engine: Engine) -> None:
    assert sent(engine, [["a", 'b"'], ["c", None]]) == [["a", 'b"'], ["c", None]]
    assert sent(engine, [1, 2]) == ["1", "2"]
    assert sent(engine, [RecordId("rec_1"), RecordId("rec_2")]) == ["rec_1", "rec_2"]


def test_what_no_text_may_hold_is_refused(engine: Engine) -> None:
    with pytest.raises(Exception, match="NUL"):
        sent(engine, ["a", "b\0c"])
