"""Targets for tests: a declaration written as YAML, applied on a hub, and the relay that tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from textwrap import dedent

from mdm.connectors.model import Change, Failure, Page, Receipt, RemoteRecord
from mdm.db.transaction import run
from mdm.delivery.model import Declaration
from mdm.delivery.relay import Relay, relay_to_records
from mdm.delivery.targets import apply_declaration, end_backfill, read_target
from mdm.hub import Hub
from tests.hubs import register_instances

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


@dataclass
class Shelf:
    """Records in memory, each change answered as a well-behaved system does."""

    records: dict[str, dict[str, object]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    made: dict[str, str] = field(default_factory=dict)
    failing: list[Failure] = field(default_factory=list)

    def write(self, changes: Sequence[Change]) -> Sequence[Receipt | Failure]:
        return [self._write(change) for change in changes]

    def _write(self, change: Change) -> Receipt | Failure:
        self.changes.append(change)
        if self.failing:
            return self.failing.pop(0)
        native_id = change.native_id or self.made.setdefault(change.request_id, self._free_id())
        record = self.records.setdefault(native_id, {})
        record.update(change.fields)
        if change.kind in {"deactivate", "merge"}:
            record["gone"] = change.into or "inactive"
        return Receipt(change.request_id, native_id, str(len(self.changes)))

    def _free_id(self) -> str:
        return next(one for number in count(len(self.made) + 1) if (one := f"n{number}") not in self.taken_ids())

    def taken_ids(self) -> set[str]:
        """Give the ids of records that were there before."""
        return set(self.records)

    def read(self, object_: str, native_ids: Sequence[str], *, scope: str = "") -> Mapping[str, RemoteRecord]:
        return {}

    def changed(self, object_: str, *, after: str, limit: int) -> Page:
        return Page([RemoteRecord(object_, "", "", {}, "", datetime.now(UTC))], after, is_last=True)

    def close(self) -> None:
        return


def ready(hub: Hub, tmp_path: Path, shelf: Shelf, declaration: str = ERP) -> Relay:
    register_instances(hub, "crm-us", "psa-us", "erp-us")
    return relay_to_records(hub, declare(hub, tmp_path, declaration), shelf)
