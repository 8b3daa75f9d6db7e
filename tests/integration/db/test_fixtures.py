"""What every other test relies on: a clean database, whatever the test before it wrote."""

from contextlib import closing

import psycopg
import pytest

from mdm.db.engine import conninfo
from tests.databases import Sweeper

pytestmark = pytest.mark.db


def test_sweeping_gives_back_the_rows_that_the_migrations_left(fresh_database: str) -> None:
    with psycopg.connect(conninfo(fresh_database), autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE parent (id int PRIMARY KEY);"
            "CREATE TABLE child (id int REFERENCES parent, favourite int GENERATED ALWAYS AS IDENTITY);"
            "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1)"
        )
        with closing(Sweeper(fresh_database)) as sweeper:
            connection.execute(
                "INSERT INTO parent VALUES (2); INSERT INTO child VALUES (2); DELETE FROM child WHERE id = 1"
            )

            sweeper.sweep()

        assert connection.execute("SELECT id FROM parent").fetchall() == [(1,)]
        assert connection.execute("SELECT id, favourite FROM child").fetchall() == [(1, 1)]
