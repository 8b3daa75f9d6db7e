"""A hub that is filled once: many golden customers, some hundred open questions about them, and a steward to answer.

A folder that is named is kept, with a note of what was filled in; the next run goes on with it. Questions that were
answered are made up for by new ones, so a kept hub never runs out of them.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fill import WORDS, fill
from harness import hub_home
from sqlalchemy import Connection, text

from mdm.access import people
from mdm.access.passwords import PasswordCost
from mdm.access.people_model import Standing
from mdm.db.migrate import upgrade
from mdm.db.provide import hub_database
from mdm.db.transaction import run
from mdm.decisions.review_model import Review
from mdm.hub import Hub, open_hub
from mdm.jobs.service import deliver
from mdm.settings import Settings
from mdm.sources.model import Delivery, SourceInstance, SourceKey
from mdm.sources.service import register
from mdm.stewardship.reviews import list_reviews

LOGIN, PASSWORD = "bench", "a bench in the sun"
ACQUIRED = SourceInstance("acquired-crm", "acquired", "Acquired CRM", 9)
DELIVERED = 40  # records of one delivery
NOTE = "filled.json"


@contextmanager
def filled_hub(golden: int, *, home: Path | None = None, pool_size: int = 1) -> Iterator[tuple[Hub, str]]:
    """Open a hub of so many golden records of two records each, and give it with its address; a named home is kept."""
    if Settings().database_url:
        raise SystemExit("this would fill the database of MDM_DATABASE_URL with customers: unset it")
    assert golden <= WORDS, "the words for names run out"
    if home is None:
        with hub_home() as made, _filled(golden, made, pool_size) as opened:
            yield opened
        return
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o755)  # the embedded server's account must enter
    with _filled(golden, home, pool_size) as opened:
        yield opened


def ask(hub: Hub, count: int) -> tuple[Review, ...]:
    """See to it that so many questions are open: deliver records that may be known clients, along the real path."""
    while len(opened := list_reviews(hub, limit=count)) < count:
        with hub.engine.connect() as connection:
            asked = connection.execute(
                text("SELECT count(*) FROM source_record WHERE instance_id = :id"), {"id": ACQUIRED.id}
            ).scalar_one()
            names = connection.execute(
                text(
                    "SELECT v.values ->> 'legal_name' FROM source_record r"
                    " JOIN golden_version v ON v.golden_id = r.golden_id AND v.recorded_to IS NULL"
                    " WHERE r.instance_id = 'netsuite-us' ORDER BY r.id OFFSET :asked LIMIT :count"
                ),
                {"asked": asked, "count": DELIVERED},
            ).scalars()
            deliveries = [
                Delivery(SourceKey(ACQUIRED.id, "account", "", str(number)), "customer", _like(name, number))
                for number, name in enumerate(names, asked)
            ]
        assert deliveries, "every golden record was asked about"
        deliver(hub, deliveries, who="bench")
    return opened


def _like(name: str, number: int) -> dict[str, str]:
    return {"name": name.partition(",")[0], "city": "Springfield", "phone": f"+1 202 555 {number % 10_000:04}"}


@contextmanager
def _filled(golden: int, home: Path, pool_size: int) -> Iterator[tuple[Hub, str]]:
    settings = Settings(home=home, pool_size=pool_size)
    note = home / NOTE
    with hub_database(settings) as url:
        upgrade(url)
        with open_hub(settings, url) as hub:
            if not note.exists():
                fill(hub, url, golden)
                run(hub.engine, lambda connection: register(connection, ACQUIRED, who="bench"))
                run(hub.engine, lambda connection: _add_steward(connection, PasswordCost.of(settings)))
                note.write_text(json.dumps({"golden": golden}))
            found = json.loads(note.read_text())["golden"]
            if found != golden:
                raise SystemExit(f"{home} holds {found:,} golden records, not {golden:,}: name another folder")
            yield hub, url


def _add_steward(connection: Connection, cost: PasswordCost) -> None:
    person = people.add_person(connection, LOGIN, name="Bench", standing=Standing("steward"), by="bench")
    people.set_password(connection, person.id, PASSWORD, by="bench", cost=cost)
