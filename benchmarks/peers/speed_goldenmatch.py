"""How fast GoldenMatch merges by hand, on its default store; it has no unmerge, and keeps no versions of values."""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import goldenmatch
import pyarrow as pa
from goldenmatch.config.schemas import GoldenMatchConfig
from goldenmatch.identity import IdentityStore, find_by_record, manual_merge
from speed import pairs, serve, some, timed


def load(folder: Path, size: int) -> IdentityStore:
    """Deliver `size` companies of two records each through `dedupe_df` with the identity graph on."""
    config = GoldenMatchConfig(
        matchkeys=[{"name": "tax", "type": "exact", "fields": [{"field": "tax"}]}],
        blocking={"strategy": "static", "keys": [{"fields": ["tax"]}]},
        golden_rules={"default_strategy": "most_complete"},
        identity={"enabled": True, "path": str(folder / "graph.db"), "dataset": "firms", "source_pk_column": "pk"},
    )
    rows = [
        {"pk": f"{source}-{number}", "name": f"Firm {number}", "tax": f"T{number}", "phone": f"{number:08d}"}
        for number in range(size)
        for source in ("crm", "erp")
    ]
    goldenmatch.dedupe_df(pa.Table.from_pylist(rows), config=config)
    return IdentityStore(path=str(folder / "graph.db"))


def main() -> None:
    """Load, then merge as asked."""
    os.environ["GOLDEN_DIAGNOSTICS"] = "0"
    size, seed = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="peer-") as folder, load(Path(folder), size) as store:
        left = pairs(range(size), seed)

        def act(kind: str, count: int) -> Sequence[float]:
            assert kind == "merge", f"there is no {kind}"
            chosen = [tuple(_entity(store, number) for number in pair) for pair in some(left, count)]
            return timed(lambda pair=pair: manual_merge(store, *pair, reason="bench") for pair in chosen)

        assert _entity(store, 0) != _entity(store, 1), "two firms are two entities"
        serve(act)


def _entity(store: IdentityStore, number: int) -> str:
    found = find_by_record(store, f"dataframe:crm-{number}")
    assert found is not None, number
    assert len(found.records) == 2, "a firm has two records"
    return found.node.entity_id


if __name__ == "__main__":
    main()
