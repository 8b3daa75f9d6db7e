"""SQL of people and their one-time links: one function a question, frozen values back."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from mdm.access.people_model import Person, Standing, Subject
from mdm.access.tables import person, person_link
from mdm.db.locks import key_hash, lock_keys
from mdm.ids import PersonId, new_link_id, new_person_id

# What `read_person` reads, also in a query of another table that joins this one.
PERSON_COLUMNS: Final = [
    *(column for column in person.c if column.name not in {"issuer", "subject", "password_hash"}),
    person.c.password_hash.is_not(None).label("has_password"),
]
_FIRST_ADMIN: Final = key_hash("access", "first administrator")


def people(connection: Connection) -> tuple[Person, ...]:
    """List everybody by login."""
    return tuple(read_person(row) for row in connection.execute(select(*PERSON_COLUMNS).order_by(person.c.login)))


def is_anybody(connection: Connection) -> bool:
    """Tell whether there is a person at all."""
    return bool(connection.execute(select(select(person.c.id).exists())).scalar_one())


def lock_first_admin(connection: Connection) -> None:
    """Let one transaction at a time ask whether there is anybody, and add the first."""
    lock_keys(connection, [_FIRST_ADMIN])


def person_by_id(connection: Connection, person_id: str) -> Person | None:
    """Find a person by id."""
    row = connection.execute(select(*PERSON_COLUMNS).where(person.c.id == person_id)).one_or_none()
    return read_person(row) if row else None


def person_by_login(connection: Connection, login: str) -> Person | None:
    """Find a person by the normal form of the login."""
    row = connection.execute(select(*PERSON_COLUMNS).where(person.c.login == login)).one_or_none()
    return read_person(row) if row else None


def locked_person(connection: Connection, person_id: str) -> tuple[Person, str | None] | None:
    """Find a person with the hash of the password, and keep others from changing either until the transaction ends."""
    row = connection.execute(
        select(*PERSON_COLUMNS, person.c.password_hash).where(person.c.id == person_id).with_for_update()
    ).one_or_none()
    return (read_person(row), row.password_hash) if row else None


def locked_subject(connection: Connection, subject: Subject) -> Person | None:
    """Find a person by what an identity provider calls it, and keep others from changing it."""
    row = connection.execute(
        select(*PERSON_COLUMNS)
        .where(person.c.issuer == subject.issuer, person.c.subject == subject.name)
        .with_for_update()
    ).one_or_none()
    return read_person(row) if row else None


def password_of(connection: Connection, login: str) -> tuple[PersonId, str | None] | None:
    """Find whose login it is, and the hash of the password."""
    row = connection.execute(select(person.c.id, person.c.password_hash).where(person.c.login == login)).one_or_none()
    return (PersonId(row.id), row.password_hash) if row else None


def add_person(
    connection: Connection, login: str, *, name: str, standing: Standing, who: str, subject: Subject | None = None
) -> Person | None:
    """Add a person without a password; None when the login, or the subject, belongs to somebody."""
    row = connection.execute(
        upsert(person)
        .values(
            id=new_person_id(),
            login=login,
            name=name,
            role=standing.role,
            entity_types=list(standing.entity_types),
            sources=list(standing.sources),
            origin="oidc" if subject else "local",
            issuer=subject.issuer if subject else None,
            subject=subject.name if subject else None,
            who=who,
        )
        .on_conflict_do_nothing()
        .returning(*PERSON_COLUMNS)
    ).one_or_none()
    return read_person(row) if row else None


def change(connection: Connection, person_id: str, values: Mapping[str, Any]) -> Person:
    """Set columns of a person."""
    row = connection.execute(
        update(person).where(person.c.id == person_id).values(**values).returning(*PERSON_COLUMNS)
    ).one()
    return read_person(row)


def disable(connection: Connection, person_id: str, *, who: str) -> Person:
    """Keep a person from signing in."""
    return change(connection, person_id, {"disabled_at": func.clock_timestamp(), "disabled_by": who})


def note_sign_in(connection: Connection, person_id: str) -> Person:
    """Note that a person has signed in just now."""
    return change(connection, person_id, {"signed_in_at": func.clock_timestamp()})


def locked_admins(connection: Connection) -> frozenset[str]:
    """List the administrators who may sign in, and keep others from changing them until the transaction ends."""
    rows = connection.execute(
        select(person.c.id)
        .where(person.c.role == "admin", person.c.disabled_at.is_(None))
        .order_by(person.c.id)
        .with_for_update()
    )
    return frozenset(rows.scalars())


def add_link(
    connection: Connection, token_hash: bytes, *, person_id: str | None, life: timedelta, who: str
) -> datetime:
    """Add a link; returns when it expires."""
    expires_at: datetime = connection.execute(
        insert(person_link)
        .values(
            id=new_link_id(),
            person_id=person_id,
            token_hash=token_hash,
            expires_at=func.clock_timestamp() + life,
            who=who,
        )
        .returning(person_link.c.expires_at)
    ).scalar_one()
    return expires_at


def open_link(connection: Connection, token_hash: bytes) -> tuple[str | None, datetime] | None:
    """Find a link that still holds: whose it is (None: the first administrator's) and until when."""
    row = connection.execute(
        select(person_link.c.person_id, person_link.c.expires_at).where(*_holds(token_hash))
    ).one_or_none()
    return (row.person_id, row.expires_at) if row else None


def take_link(connection: Connection, token_hash: bytes) -> bool:
    """Redeem a link that still holds; of two who try at once, one is told yes."""
    taken = connection.execute(
        update(person_link).where(*_holds(token_hash)).values(redeemed_at=func.clock_timestamp())
    )
    return taken.rowcount == 1


def end_links(connection: Connection, person_id: str) -> None:
    """End what links of a person still hold."""
    connection.execute(
        update(person_link)
        .where(
            person_link.c.person_id == person_id,
            person_link.c.redeemed_at.is_(None),
            person_link.c.ended_at.is_(None),
        )
        .values(ended_at=func.clock_timestamp())
    )


def read_person(row: Any) -> Person:
    """Read a person from a row with the columns of one."""
    return Person(
        id=PersonId(row.id),
        login=row.login,
        name=row.name,
        role=row.role,
        recorded_at=row.recorded_at,
        who=row.who,
        entity_types=tuple(row.entity_types),
        sources=tuple(row.sources),
        locale=row.locale,
        theme=row.theme,
        has_shortcuts=row.has_shortcuts,
        origin=row.origin,
        has_password=row.has_password,
        disabled_at=row.disabled_at,
        disabled_by=row.disabled_by,
        signed_in_at=row.signed_in_at,
    )


def _holds(token_hash: bytes) -> tuple[Any, ...]:
    return (
        person_link.c.token_hash == token_hash,
        person_link.c.redeemed_at.is_(None),
        person_link.c.ended_at.is_(None),
        person_link.c.expires_at > func.clock_timestamp(),
    )
