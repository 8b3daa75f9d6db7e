"""Open the hub for one command: settings, database with the newest schema, pool; and say who is asking."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager

from mdm.cli.output import tell
from mdm.db import migrate
from mdm.db.place import FOLDER
from mdm.db.provide import hub_database
from mdm.failpoints import arm_from_text
from mdm.hub import Hub, open_hub
from mdm.memory import spare_what_stays
from mdm.settings import load_settings
from mdm.telemetry import configure_logging


@contextmanager
def session() -> Iterator[Hub]:
    """Give the hub of this machine's settings, its schema brought up to date first."""
    settings = load_settings()
    configure_logging(settings)
    arm_from_text(settings.failpoints)
    if settings.database_url is None and not os.path.lexists(settings.home / FOLDER):
        tell(f"New hub in {settings.home.resolve()}; MDM_HOME names another folder.")
    with hub_database(settings) as url:
        migrate.upgrade(url)
        with open_hub(settings, url) as hub:
            spare_what_stays("a hub is open")
            yield hub


def who() -> str:
    """Name the person at the keyboard, as facts and decisions record them."""
    try:
        return f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:  # an account without an entry, as in containers
        return f"cli:{os.getuid()}"
