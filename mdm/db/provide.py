"""Which database the hub uses: the configured server, else the embedded one of its home.

Light to import (no SQLAlchemy, no driver), for commands that may not need a database after all.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from mdm.db.embedded import embedded_server
from mdm.settings import Settings

DRIVER = "postgresql+psycopg"


@contextmanager
def hub_database(settings: Settings) -> Iterator[str]:
    """Give an SQLAlchemy URL, good for the length of the block; the schema may still be missing (see `migrate`)."""
    if settings.database_url:
        yield with_driver(settings.database_url)
        return
    with embedded_server(settings.home) as url:
        yield url


def with_driver(url: str) -> str:
    """Name our driver in a URL as other tools write it (postgres://, postgresql://)."""
    scheme, separator, rest = url.partition("://")
    return f"{DRIVER}{separator}{rest}" if scheme in {"postgres", "postgresql"} else url
