"""SQL of the views for reports that are made at run time."""

from sqlalchemy import Connection

from mdm.db.statement import text


def select_views(connection: Connection) -> dict[str, str]:
    """Give the comment of every view for reports by its name."""
    rows = connection.execute(
        text(
            "SELECT relname, coalesce(obj_description(oid, 'pg_class'), '') AS comment FROM pg_class"
            " WHERE relnamespace = 'mdm_views'::regnamespace AND relkind = 'v'"
        )
    )
    return {row.relname: row.comment for row in rows}


def select_built_upon(connection: Connection, name: str) -> tuple[str, ...]:
    """Name the views that read a view for reports."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT CAST(CAST(w.ev_class AS regclass) AS text) AS name FROM pg_depend d"
            " JOIN pg_rewrite w ON w.oid = d.objid JOIN pg_class c ON c.oid = d.refobjid"
            " WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass"
            " AND c.relnamespace = 'mdm_views'::regnamespace AND c.relname = :name AND w.ev_class <> c.oid ORDER BY 1"
        ),
        {"name": name},
    )
    return tuple(row.name for row in rows)


def replace_view(connection: Connection, quoted_name: str, statement: str, comment: str) -> None:
    """Make a view for reports anew; name and comment come quoted. Rights that were given on it alone are lost."""
    for each in (
        f"DROP VIEW IF EXISTS mdm_views.{quoted_name}",
        statement,
        f"COMMENT ON VIEW mdm_views.{quoted_name} IS {comment}",
    ):
        connection.exec_driver_sql(each)
