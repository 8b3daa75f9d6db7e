"""How Alembic reaches the database and what it compares the schema with.

`mdm/db/migrate.py` passes its connection in `attributes`; started by the `alembic` command, the hub's settings say
which database it is.
"""

import importlib
import importlib.util

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql.base import ischema_names

from mdm.db.metadata import metadata
from mdm.db.migrate import connected
from mdm.db.provide import hub_database
from mdm.db.types import Xid8
from mdm.settings import load_settings

ROOMS = (
    "access",
    "activation",
    "decisions",
    "entities",
    "history",
    "identity",
    "jobs",
    "modelling",
    "publishing",
    "delivery",
    "reconciliation",
    "resolution",
    "source_events",
    "sources",
    "survivorship",
)


# SQLAlchemy reads most types back from a database, but not this one.
ischema_names["xid8"] = Xid8


def migrate(connection: Connection) -> None:
    """Run the revisions asked for, each in its own transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


for room in ROOMS:
    if importlib.util.find_spec(f"mdm.{room}") and importlib.util.find_spec(f"mdm.{room}.tables"):
        importlib.import_module(f"mdm.{room}.tables")

given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with hub_database(load_settings()) as url, connected(url) as own:
        migrate(own)
