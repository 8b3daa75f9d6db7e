"""`mdm people`: who signs in to the console, with which role, and the one-time links to choose passwords."""

from typing import TYPE_CHECKING, Annotated

import typer

from mdm.cli.options import AsJson

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mdm.access.people_model import NewLink, Person, PersonChange
    from mdm.hub import Hub

app = typer.Typer()

Who = Annotated[str, typer.Argument(help="Login, or id.", metavar="LOGIN")]
Limits = Annotated[list[str] | None, typer.Option("--entity", "-e", help="Only this entity type; repeat it.")]
SourceLimits = Annotated[list[str] | None, typer.Option("--source", "-s", help="Only this source; repeat it.")]


@app.command("add")
def add(
    login: Annotated[str, typer.Argument(help="E-mail address or user name; it stands under who.")],
    name: Annotated[str, typer.Option(help="Name, as colleagues know it.")],
    role: Annotated[str, typer.Option(help="viewer, steward, lead, integrator or admin.")] = "steward",
    entity: Limits = None,
    source: SourceLimits = None,
    as_json: AsJson = False,
) -> None:
    """Add a person and print the link, good once within 24 hours, behind which the password is chosen."""
    from mdm.access.people import add_person, make_link
    from mdm.access.people_model import check_standing
    from mdm.cli.session import session, who
    from mdm.db.transaction import run

    standing = check_standing(role, entity or (), source or ())
    with session() as hub:

        def work(connection: "Connection") -> "tuple[Person, NewLink]":
            person = add_person(connection, login, name=name, standing=standing, by=who())
            return person, make_link(connection, person.id, by=who())

        _print_link(hub, *run(hub.engine, work), as_json=as_json)


@app.command("link")
def link(login: Who, as_json: AsJson = False) -> None:
    """Print a link behind which a person chooses another password; older links of the person end."""
    from mdm.access.people import find_person, make_link
    from mdm.cli.session import session, who
    from mdm.db.transaction import run

    with session() as hub:

        def work(connection: "Connection") -> "tuple[Person, NewLink]":
            person = find_person(connection, login)
            return person, make_link(connection, person.id, by=who())

        _print_link(hub, *run(hub.engine, work), as_json=as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List everybody, also those who are disabled."""
    from mdm.access.people import list_people
    from mdm.cli.output import print_lines, print_list
    from mdm.cli.session import session
    from mdm.db.transaction import run

    with session() as hub:
        found = run(hub.engine, list_people)
    if as_json:
        print_lines(map(_document, found))
        return
    rows = [
        (each.login, each.name, each.role, _limits(each), each.origin, _state(each), each.signed_in_at)
        for each in found
    ]
    print_list(["login", "name", "role", "limited to", "origin", "state", "signed in"], rows, of="people")


@app.command("change")
def change(
    login: Who,
    *,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    role: Annotated[str | None, typer.Option(help="viewer, steward, lead, integrator or admin.")] = None,
    entity: Limits = None,
    source: SourceLimits = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="Take all limits away.")] = False,
    as_json: AsJson = False,
) -> None:
    """Change name, role or limits of a person, within a second everywhere; limits given replace the old ones."""
    from mdm.access.people_model import PersonChange

    if everywhere and (entity or source):
        raise typer.BadParameter("give limits, or take them away", param_hint="--everywhere")
    limits: tuple[str, ...] | None = () if everywhere else None
    _change(
        login,
        PersonChange(
            name=name,
            role=role,
            entity_types=tuple(entity) if entity else limits,
            sources=tuple(source) if source else limits,
        ),
        as_json=as_json,
    )


@app.command("disable")
def disable(login: Who, as_json: AsJson = False) -> None:
    """Keep a person out: sessions and links end within a second. What the person decided stays."""
    from mdm.access.people_model import PersonChange

    _change(login, PersonChange(is_disabled=True), as_json=as_json)


@app.command("enable")
def enable(login: Who, as_json: AsJson = False) -> None:
    """Let a disabled person sign in again, with the password as it was."""
    from mdm.access.people_model import PersonChange

    _change(login, PersonChange(is_disabled=False), as_json=as_json)


def _change(login: str, asked: "PersonChange", *, as_json: bool) -> None:
    from mdm.access.people import change_person, find_person
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.db.transaction import run

    with session() as hub:
        person = run(hub.engine, lambda c: change_person(c, find_person(c, login).id, asked, by=who()))
    if as_json:
        print_json(_document(person))
    else:
        print_text(
            f"{person.login} ({person.name}): {person.role}, {_limits(person) or 'everywhere'}, {_state(person)}"
        )


def _print_link(hub: "Hub", person: "Person", made: "NewLink", *, as_json: bool) -> None:
    from mdm.cli.output import print_json, print_text, tell
    from mdm.cli.serve import public_address

    address = public_address(hub.settings) + made.path
    if as_json:
        print_json(_document(person) | {"link": address, "expires_at": made.expires_at})
        return
    tell(f"{person.login}: the link is shown only now, and good once until {made.expires_at:%Y-%m-%d %H:%M} UTC.")
    print_text(address)


def _document(person: "Person") -> dict[str, object]:
    return {
        "id": person.id,
        "login": person.login,
        "name": person.name,
        "role": person.role,
        "entity_types": list(person.entity_types),
        "sources": list(person.sources),
        "origin": person.origin,
        "state": _state(person),
        "signed_in_at": person.signed_in_at,
    }


def _limits(person: "Person") -> str:
    return " ".join((*person.entity_types, *(f"@{source}" for source in person.sources)))


def _state(person: "Person") -> str:
    if person.is_disabled:
        return "disabled"
    return "active" if person.has_password or person.origin == "oidc" else "invited"
