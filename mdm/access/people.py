"""Use cases on people: add, change, disable, let them choose a password, give them a one-time link.

There is no default password. Whoever is added chooses one behind a link that works once within LINK_LIFE; so does the
first administrator, whose link `mdm serve` prints while there is nobody. Somebody can always administer: the last
administrator is neither disabled nor given another role.
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection

from mdm.access import people_store as store
from mdm.access import sessions_store
from mdm.access.passwords import STANDARD_COST, PasswordCost, check_password, hash_password
from mdm.access.people_model import (
    NewLink,
    Person,
    PersonChange,
    Standing,
    check_locale,
    check_standing,
    check_theme,
    normal_login,
    normal_name,
)
from mdm.db.actor import name_actor
from mdm.errors import Conflict, InputInvalid, PersonUnknown
from mdm.ids import is_well_formed

LINK_LIFE: Final = timedelta(hours=24)  # chosen: sent today, opened tomorrow morning


def add_person(connection: Connection, login: str, *, name: str, standing: Standing, by: str) -> Person:
    """Add somebody who signs in with a password, chosen behind a link of `make_link`; raises Conflict."""
    login = normal_login(login)
    checked = check_standing(standing.role, standing.entity_types, standing.sources)
    added = store.add_person(connection, login, name=normal_name(name), standing=checked, who=by)
    if added is None:
        raise Conflict(f"the login {login!r} is taken", remedy="choose another one, or change the person who has it")
    return added


def list_people(connection: Connection) -> tuple[Person, ...]:
    """List everybody by login, also those who are disabled."""
    return store.people(connection)


def find_person(connection: Connection, who: str) -> Person:
    """Find a person by id or login; raises PersonUnknown."""
    found = store.person_by_id(connection, who) if is_well_formed(who) and who.startswith("per_") else None
    if found is None:
        try:
            found = store.person_by_login(connection, normal_login(who))
        except InputInvalid:
            found = None
    if found is None:
        raise PersonUnknown(who)
    return found


def change_person(connection: Connection, person_id: str, change: PersonChange, *, by: str) -> Person:
    """Change the name, role, limits or state of a person; who is disabled is signed out.

    Raises Conflict when it is the last administrator, or when an identity provider decides it.
    """
    admins = store.locked_admins(connection) if _may_unseat(change) else frozenset()
    person = _locked(connection, person_id)
    after = _changed(person, change)
    name_actor(connection, by)
    if after.role != person.role and person.origin == "oidc":
        raise Conflict(
            f"the role of {person.login} comes from the groups at the identity provider", remedy="change them there"
        )
    if admins == {person.id} and (after.role != "admin" or change.is_disabled):
        raise Conflict(f"{person.login} is the last administrator", remedy="give somebody else the role admin first")
    store.change(connection, person.id, _written(after))
    if change.is_disabled and not person.is_disabled:
        store.disable(connection, person.id, who=by)
        store.end_links(connection, person.id)
        sessions_store.end_sessions(connection, person.id, who=by)
    elif change.is_disabled is False:
        store.change(connection, person.id, {"disabled_at": None, "disabled_by": None})
    return find_person(connection, person.id)


def set_password(
    connection: Connection, person_id: str, password: str, *, by: str, cost: PasswordCost = STANDARD_COST
) -> Person:
    """Give a person another password; ends all sessions and links of the person. Raises InputInvalid, Conflict."""
    person = find_person(connection, person_id)
    check_local(person)
    check_password(password, login=person.login)
    return store_password(connection, person, hash_password(password, cost), by=by)


def store_password(connection: Connection, person: Person, password_hash: str, *, by: str) -> Person:
    """Store the hash of a checked password; ends all sessions and links of the person."""
    name_actor(connection, by)
    store.change(connection, person.id, {"password_hash": password_hash})
    store.end_links(connection, person.id)
    sessions_store.end_sessions(connection, person.id, who=by)
    return replace(person, has_password=True)


def change_own_settings(
    connection: Connection, person_id: str, *, locale: str, theme: str, has_shortcuts: bool
) -> Person:
    """Set how the console looks to a person."""
    values = {"locale": check_locale(locale), "theme": check_theme(theme), "has_shortcuts": has_shortcuts}
    return store.change(connection, find_person(connection, person_id).id, values)


def make_link(connection: Connection, person_id: str, *, by: str) -> NewLink:
    """Make the link behind which a person chooses a password, the first one or another; older ones end.

    Raises Conflict for somebody who is disabled or signs in at the identity provider.
    """
    person = _locked(connection, person_id)
    check_local(person)
    if person.is_disabled:
        raise Conflict(f"{person.login} is disabled", remedy="enable the person first")
    name_actor(connection, by)
    store.end_links(connection, person.id)
    return _new_link(connection, person.id, by=by)


def first_admin_link(connection: Connection, *, by: str) -> NewLink | None:
    """Make the link of the first administrator; None once there is anybody.

    Several may hold at once, as when two servers start; the first one redeemed leaves the others without effect.
    """
    return None if store.is_anybody(connection) else _new_link(connection, None, by=by)


def hash_token(token: str) -> bytes:
    """Hash a token of 256 random bits, as it is stored: what cannot be guessed needs no slow hash."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def check_local(person: Person) -> None:
    """Refuse what only makes sense with a password here; raises Conflict."""
    if person.origin != "local":
        raise Conflict(f"{person.login} signs in at the identity provider", remedy="change the password there")


def _locked(connection: Connection, person_id: str) -> Person:
    found = store.locked_person(connection, find_person(connection, person_id).id)
    assert found is not None  # people are never deleted
    return found[0]


def _may_unseat(change: PersonChange) -> bool:
    return bool(change.is_disabled) or change.role is not None


def _changed(person: Person, change: PersonChange) -> Person:
    """Work out what a person is after a change; limits of somebody who becomes administrator go."""
    role = person.role if change.role is None else change.role
    entity_types = person.entity_types if change.entity_types is None else change.entity_types
    sources = person.sources if change.sources is None else change.sources
    if change.role == "admin":
        entity_types, sources = change.entity_types or (), change.sources or ()
    standing = person.standing
    if change.role is not None or change.entity_types is not None or change.sources is not None:
        standing = check_standing(role, entity_types, sources)
    name = person.name if change.name is None else normal_name(change.name)
    return replace(person, name=name, role=standing.role, entity_types=standing.entity_types, sources=standing.sources)


def _written(person: Person) -> Mapping[str, Any]:
    return {
        "name": person.name,
        "role": person.role,
        "entity_types": list(person.entity_types),
        "sources": list(person.sources),
    }


def _new_link(connection: Connection, person_id: str | None, *, by: str) -> NewLink:
    token = secrets.token_urlsafe(32)
    expires_at = store.add_link(connection, hash_token(token), person_id=person_id, life=LINK_LIFE, who=by)
    return NewLink(token, expires_at)
