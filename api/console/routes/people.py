"""Who signs in: people, their roles and limits, their links and sessions. For administrators."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api.console.page import PageRoute
from api.console.render import page, redirect
from api.console.views.standing import ROLE_HINTS, chosen, state_of
from api.console.visit import TheVisit, Visit
from mdm import clock
from mdm.access import people, sessions
from mdm.access.people_model import ROLES, NewLink, Person, PersonChange, check_standing
from mdm.db.transaction import reading, run
from mdm.errors import Conflict, HubError, InputInvalid
from mdm.sources.service import instances

ATTEMPTS_SHOWN: Final = 30

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/people")
def everybody(visit: TheVisit) -> Response:
    """List everybody who may sign in, and the last sign-ins."""
    return _list(visit)


@router.post("/people")
def add(visit: TheVisit, request: Request) -> Response:
    """Add a person, and show the link behind which the password is chosen: once, on this page alone."""
    form = visit.form

    def work(connection: Connection) -> tuple[Person, NewLink]:
        standing = check_standing(form.one("role"), *_limits(visit, connection))
        person = people.add_person(
            connection, form.one("login"), name=form.one("name"), standing=standing, by=visit.who
        )
        return person, people.make_link(connection, person.id, by=visit.who)

    try:
        person, made = run(visit.hub.engine, work)
    except (InputInvalid, Conflict) as error:
        return _list(visit, refused=_told(error), status=422)
    return _one(visit, person, link=_address(visit, request, made), made=made)


@router.get("/people/{person_id}")
def one(visit: TheVisit, person_id: str) -> Response:
    """Show a person with role, limits and sign-ins."""
    return _one(visit, _found(visit, person_id))


@router.post("/people/{person_id}")
def change(visit: TheVisit, person_id: str) -> Response:
    """Change name, role and limits, or let somebody in or keep out, as the pressed button says."""
    form, person = visit.form, _found(visit, person_id)
    action = form.one("action", "change")

    def work(connection: Connection) -> Person:
        if action in {"disable", "enable"}:
            asked = PersonChange(is_disabled=action == "disable")
        else:
            entity_types, sources = _limits(visit, connection)
            role = None if person.origin == "oidc" else form.one("role")
            asked = PersonChange(form.one("name"), role, entity_types, sources)
        return people.change_person(connection, person.id, asked, by=visit.who)

    try:
        run(visit.hub.engine, work)
    except (InputInvalid, Conflict) as error:
        return _one(visit, person, refused=_told(error), status=422)
    return redirect(visit, f"/people/{person.id}")


@router.post("/people/{person_id}/link")
def new_link(visit: TheVisit, person_id: str, request: Request) -> Response:
    """Make another link for a person, shown once; older ones end."""
    person = _found(visit, person_id)
    try:
        made = run(visit.hub.engine, lambda connection: people.make_link(connection, person.id, by=visit.who))
    except Conflict as error:
        return _one(visit, person, refused=_told(error), status=422)
    return _one(visit, person, link=_address(visit, request, made), made=made)


@router.post("/people/{person_id}/sign-out")
def sign_out(visit: TheVisit, person_id: str) -> Response:
    """End every session of a person."""
    person = _found(visit, person_id)
    sessions.sign_out_everywhere(visit.hub.engine, person.id, by=visit.who)
    return redirect(visit, f"/people/{person.id}")


def _found(visit: Visit, person_id: str) -> Person:
    with reading(visit.hub.engine) as connection:
        return people.find_person(connection, person_id)


def _list(visit: Visit, *, refused: str = "", status: int = 200) -> Response:
    with reading(visit.hub.engine) as connection:
        everyone = people.list_people(connection)
        attempts = sessions.list_attempts(connection, limit=ATTEMPTS_SHOWN)
        known = instances(connection)
    return page(
        visit,
        "people.html",
        status=status,
        people=everyone,
        attempts=attempts,
        by_id={each.id: each for each in everyone},
        sources=known,
        refused=refused,
        form=visit.form,
        **_words_for_forms(visit),
    )


def _one(
    visit: Visit, person: Person, *, link: str = "", made: NewLink | None = None, refused: str = "", status: int = 200
) -> Response:
    with reading(visit.hub.engine) as connection:
        attempts = sessions.list_attempts(connection, person_id=person.id, limit=ATTEMPTS_SHOWN)
        known = instances(connection)
    return page(
        visit,
        "person.html",
        status=status,
        # What is shown once is kept nowhere, neither by the browser nor on the way.
        headers={"cache-control": "no-store"},
        person=person,
        attempts=attempts,
        by_id={person.id: person},
        sources=known,
        link=link,
        made=made,
        refused=refused,
        **_words_for_forms(visit),
    )


def _words_for_forms(visit: Visit) -> dict[str, Any]:
    return {
        "roles": ROLES,
        "role_hints": ROLE_HINTS,
        "types": tuple(visit.hub.declared),
        "state_of": state_of,
        "now": clock.now(),
    }


def _limits(visit: Visit, connection: Connection) -> tuple[tuple[str, ...], tuple[str, ...]]:
    known = [each.id for each in instances(connection)]
    entity_types = chosen(visit.form.many("entity_types"), visit.hub.declared)
    return entity_types, chosen(visit.form.many("sources"), known)


def _address(visit: Visit, request: Request, made: NewLink) -> str:
    """Write the link as people reach this console: as the settings say, else as the administrator does."""
    public = visit.hub.settings.public_url
    return (public or f"{request.url.scheme}://{request.url.netloc}") + made.path


def _told(error: HubError) -> str:
    return f"{error.message}. {error.remedy or ''}"
