"""Statements of the stores: named parameters in, rows by name out, errors and options as SQLAlchemy has them."""

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import IntegrityError, MultipleResultsFound, NoResultFound, OperationalError, ProgrammingError

from mdm.db.statement import text

pytestmark = pytest.mark.db


def test_a_text_is_one_statement_in_a_process() -> None:
    assert text("SELECT 1") is text("SELECT 1")


def test_values_are_bound_by_name_and_rows_are_read_by_name(engine: Engine) -> None:
    statement = text("SELECT g AS number, '50%' AS share, :name AS name FROM unnest(CAST(:ids AS int[])) AS g")
    with engine.begin() as connection:
        rows = connection.execute(statement, {"ids": [1, 2], "name": "a:b %s"}).all()
        again = connection.execute(statement, {"ids": [3], "name": None}).one()

    assert [(row.number, row.share, row.name) for row in rows] == [(1, "50%", "a:b %s"), (2, "50%", "a:b %s")]
    assert again._asdict() == {"number": 3, "share": "50%", "name": None}


def test_columns_are_read_by_name_or_place_whatever_they_are_called(engine: Engine) -> None:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT 1, 2 AS class, 3 AS count, 4 AS index, 5 AS two, 6 AS two"))
        (row,) = rows
        nothing = connection.execute(text("SELECT 1 AS one WHERE :yes"), {"yes": False})
        missing = nothing.one_or_none()

    assert [getattr(row, name) for name in ("count", "index", "two")] == [3, 4, 5]
    assert tuple(row) == (1, 2, 3, 4, 5, 6)
    assert missing is None


def test_many_rows_of_parameters_are_written_and_counted(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE few (id int PRIMARY KEY) ON COMMIT DROP"))
        connection.execute(text("INSERT INTO few VALUES (:id)"), [{"id": 1}, {"id": 2}, {"id": 3}])
        deleted = connection.execute(text("DELETE FROM few WHERE id > :id"), {"id": 1})

        assert deleted.rowcount == 2


def test_columns_that_a_text_gives_may_change_between_two_calls(engine: Engine) -> None:
    statement = text("SELECT * FROM few")
    with engine.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE few ON COMMIT DROP AS SELECT 1 AS one"))
        assert connection.execute(statement).one()._asdict() == {"one": 1}
        connection.execute(text("ALTER TABLE few ADD COLUMN two int DEFAULT 2"))
        assert connection.execute(statement).one()._asdict() == {"one": 1, "two": 2}


def test_an_error_is_told_as_sqlalchemy_tells_it(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE few (id int PRIMARY KEY) ON COMMIT DROP"))
        with pytest.raises(IntegrityError), connection.begin_nested():
            connection.execute(text("INSERT INTO few VALUES (:id), (:id)"), {"id": 1})
        with pytest.raises(ProgrammingError):
            connection.execute(text("SELECT nothing"))


def test_options_of_a_connection_hold(engine: Engine) -> None:
    with engine.connect() as connection:
        streaming = connection.execution_options(stream_results=True, max_row_buffer=2)
        found = streaming.execute(text("SELECT generate_series(1, :most)"), {"most": 5})

        assert found.cursor is not None
        assert getattr(found.cursor, "name", None)  # a cursor of the server
        assert [len(rows) for rows in found.partitions(2)] == [2, 2, 1]


def test_one_row_is_one_row_and_a_scalar_is_its_first_column(engine: Engine) -> None:
    rows = text("SELECT g, 'x' FROM generate_series(1, :most) AS g")
    with engine.connect() as connection:
        with pytest.raises(NoResultFound):
            connection.execute(rows, {"most": 0}).one()
        with pytest.raises(NoResultFound):
            connection.execute(rows, {"most": 0}).scalar_one()
        with pytest.raises(MultipleResultsFound):
            connection.execute(rows, {"most": 2}).one()
        with pytest.raises(MultipleResultsFound):
            connection.execute(rows, {"most": 2}).one_or_none()

        assert connection.execute(rows, {"most": 0}).one_or_none() is None
        assert connection.execute(rows, {"most": 0}).scalar() is None
        assert connection.execute(rows, {"most": 1}).scalar_one() == 1
        assert connection.execute(rows, {"most": 2}).scalars().all() == [1, 2]
        assert connection.execute(rows, {"most": 2}).first() == (1, "x")


def test_who_listens_to_statements_hears_them(engine: Engine) -> None:
    heard: list[str] = []
    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *said: heard.append(said[2]))
        found = connection.execute(text("SELECT :n + 1 AS next"), {"n": 1}).one()

    assert found.next == 2
    assert heard == ["SELECT %(n)s + 1 AS next"]


def test_a_first_statement_begins_a_transaction_that_is_rolled_back_unless_committed(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept (id int)"))
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO kept VALUES (1)"))
        assert connection.in_transaction()
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO kept VALUES (2)"))
        connection.commit()
        assert connection.execute(text("SELECT id FROM kept")).scalars().all() == [2]


def test_a_connection_that_ended_meanwhile_is_given_up(engine: Engine) -> None:
    with engine.connect() as connection:
        ended = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": ended})
        with pytest.raises(OperationalError):
            connection.execute(text("SELECT 1"))
        assert connection.invalidated
