"""Who acts in a transaction, for the audit log: the triggers ask it where a changed row does not say by whom."""

from sqlalchemy import Connection

from mdm.db.statement import text


def name_actor(connection: Connection, who: str) -> None:
    """Say who does what follows in this transaction."""
    connection.execute(text("SELECT set_config('mdm.who', :who, true)"), {"who": who})
