"""List golden records without a question, the newest first, as far as the limits of whoever looks allow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mdm.access.limits import Limits
from mdm.db.transaction import reading
from mdm.hub import Hub
from mdm.identity.model import GoldenState
from mdm.sources.model import SourceKey
from mdm.stewardship.found import Hit
from mdm.survivorship import search_store
from mdm.survivorship import store as survivorship_store
from mdm.survivorship.model import GoldenVersion


@dataclass(frozen=True, slots=True)
class Asked:
    """Which golden records to list; None means any.

    source  with a record of this source instance
    before  the id of the last one that was seen; "" for the first page
    """

    entity_type: str | None = None
    source: str | None = None
    state: GoldenState = "active"
    before: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of golden records; `next` is where the following one begins, "" where there is none."""

    hits: tuple[Hit, ...]
    next: str


def browse(hub: Hub, asked: Asked, *, limits: Limits, limit: int = 50) -> Listed:
    """List golden records, the newest first; one without a record that may be seen is left out.

    Who sees some sources only is shown what those say, as by `find`, and no golden record that holds nothing any more.
    """
    narrowed = limits.to_type(asked.entity_type)
    types = [name for name in narrowed.entity_types if name in hub.declared]
    if asked.state != "active":
        types = [name for name in types if name in narrowed.whole_types]
    if not types:
        return Listed((), "")
    with reading(hub.engine) as connection:
        newest = search_store.Newest(types, asked.state, asked.source, asked.before)
        ids = search_store.select_newest_ids(connection, newest, limit=limit + 1, sources=narrowed.few_sources)
        versions = survivorship_store.select_versions(connection, ids[:limit])
        members = search_store.select_searchable(connection, ids[:limit])
    hits = tuple(_hit(hub, versions[golden_id], members.get(golden_id, ()), narrowed) for golden_id in ids[:limit])
    return Listed(hits, ids[limit - 1] if len(ids) > limit else "")


def _hit(hub: Hub, version: GoldenVersion, members: Sequence[tuple[Any, ...]], limits: Limits) -> Hit:
    seen = [SourceKey(*row[:4]) for row in members if limits.shows(version.entity_type, row[0])]
    shown: Mapping[str, Any] = version.values
    if version.entity_type in limits.few_sources:
        # The golden name may be another source's; the caller reads what their own records say.
        shown = next((row[4] for row in members if limits.shows(version.entity_type, row[0])), {})
    return Hit(
        golden_id=version.golden_id,
        entity_type=version.entity_type,
        name=hub.declared[version.entity_type].name_of(shown),
        state=version.state,
        rank=0.0,
        reasons=(),
        sources=tuple(sorted({key.instance for key in seen})),
        forwarded_from=None,
    )
