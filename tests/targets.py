"""Targets for tests: a declaration written as YAML, applied on a hub, and the relay that tells it."""

from pathlib import Path
from textwrap import dedent

from mdm.db.transaction import run
from mdm.delivery.model import Declaration
from mdm.delivery.targets import apply_declaration, end_backfill, read_target
from mdm.hub import Hub

ERP = """
    target: erp
    title: ERP
    kind: records
    connection: {connector: record_api, url: 'http://127.0.0.1:1'}
    instance: erp-us
    records:
      widget_hold:
        object: Widget
        creates: true
        fields:
          name: {field: title}
          note: {field: remark, owner: fill}
          batch: {owner: target}
      gizmo:
        object: Gizmo
        creates: true
        fields:
          name: {}
          widget: {field: widget_id}
"""


def declare(hub: Hub, folder: Path, text: str = ERP, *, is_matched: bool = True) -> Declaration:
    """Apply a declaration; a target of records is taken for matched unless told otherwise."""
    file = folder / "target.yaml"
    file.write_text(dedent(text))
    declaration, content = read_target(hub, file)
    run(hub.engine, lambda connection: apply_declaration(connection, declaration, content, who="test"))
    if is_matched and declaration.kind == "records":
        run(hub.engine, lambda connection: end_backfill(connection, declaration.id, who="test"))
    return declaration
