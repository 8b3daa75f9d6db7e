"""Which database the hub uses: the configured server, else the embedded one of its home.

Light to import (no SQLAlchemy, no driver), for commands that may not need a database after all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from mdm.db.embedded import embedded_server
from mdm.errors import SettingsInvalid
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
    """Name our driver in a URL as other tools write it (postgres://, postgresql://); raises SettingsInvalid."""
    scheme, separator, rest = url.partition("://")
    if scheme not in {"postgres", "postgresql", DRIVER} or not separator or not _is_readable(url):
        # The value may hold a password, so it is not shown.
        raise SettingsInvalid(
            "MDM_DATABASE_URL is not the address of a PostgreSQL server",
            remedy="write postgresql://user@host:5432/name, or unset it for the embedded server",
            field="MDM_DATABASE_URL",
        )
    return f"{DRIVER}{separator}{rest}"


def _is_readable(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False
