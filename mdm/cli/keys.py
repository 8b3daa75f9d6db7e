"""`mdm keys`: API keys of the systems and people that use the HTTP interface."""

from typing import Annotated

import typer

from mdm.cli.options import AsJson

app = typer.Typer()


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Who will use it, as billing-sync.")],
    scope: Annotated[
        list[str], typer.Option(help="verb[:entity][@source] with read, write, steward, lead or admin; repeat it.")
    ],
    rate: Annotated[
        list[str] | None,
        typer.Option(
            help="How much it may ask in place of the settings: read, write, bulk_read or bulk_write, how many in how"
            " many seconds, as read=6000/60; repeat it."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print its token, which is shown this once."""
    from mdm.access.rates_model import print_own_rates
    from mdm.access.service import create_key
    from mdm.cli.output import print_json, print_text, tell
    from mdm.cli.session import session, who
    from mdm.db.transaction import run

    with session() as hub:
        made = run(
            hub.engine, lambda connection: create_key(connection, name=name, scopes=scope, by=who(), rates=rate or ())
        )
    if as_json:
        scopes, rates = list(map(str, made.key.scopes)), print_own_rates(made.key.rates)
        print_json({"id": made.key.id, "name": name, "scopes": scopes, "rates": rates, "token": made.token})
        return
    tell(f"{made.key.id}: the token is shown only now; send it as Authorization: Bearer …")
    print_text(made.token)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List every key, live or not, without its secret."""
    from mdm.access.rates_model import print_own_rates
    from mdm.access.service import list_keys
    from mdm.cli.output import print_lines, print_table
    from mdm.cli.session import session
    from mdm.db.transaction import run

    with session() as hub:
        found = run(hub.engine, list_keys)
    if as_json:
        print_lines(
            {
                "id": key.id,
                "name": key.name,
                "scopes": list(map(str, key.scopes)),
                "rates": print_own_rates(key.rates),
                "recorded_at": key.recorded_at,
                "expires_at": key.expires_at,
                "revoked_at": key.revoked_at,
                "last_used_at": key.last_used_at,
            }
            for key in found
        )
        return
    rows = (
        (key.id, key.name, " ".join(map(str, key.scopes)), "revoked" if key.revoked_at else "live", key.last_used_at)
        for key in found
    )
    print_table(["id", "name", "scopes", "state", "last used"], rows)


@app.command("revoke")
def revoke(key: Annotated[str, typer.Argument(help="Id of the key.", metavar="ID")], as_json: AsJson = False) -> None:
    """End a key for ever; it stops working within a second."""
    from mdm.access.service import revoke_key
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.db.transaction import run

    with session() as hub:
        revoked = run(hub.engine, lambda connection: revoke_key(connection, key, by=who()))
    if as_json:
        print_json({"id": revoked.id, "revoked_at": revoked.revoked_at})
    else:
        print_text(f"{revoked.id} ({revoked.name}) is revoked")
