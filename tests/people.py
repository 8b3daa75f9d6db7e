"""People who sign in to the console in tests."""

from sqlalchemy import Engine

from mdm.access import people
from mdm.access.passwords import PasswordCost
from mdm.access.people_model import Role, Standing
from mdm.db.transaction import transaction

PASSWORD = "four horses at the gate"
CHEAP = PasswordCost(8, 1)  # as Settings of tests say, too


def add_person(
    engine: Engine, login: str, role: Role, *, entity_types: tuple[str, ...] = (), sources: tuple[str, ...] = ()
) -> str:
    """Add somebody with the password of all tests; returns the id."""
    with transaction(engine) as connection:
        standing = Standing(role, entity_types, sources)
        person = people.add_person(connection, login, name=login.capitalize(), standing=standing, by="test")
        people.set_password(connection, person.id, PASSWORD, by="test", cost=CHEAP)
    return person.id
