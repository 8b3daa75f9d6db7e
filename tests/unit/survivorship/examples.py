"""Entity types and contributions made in one line, for tests of survivorship."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from matching.model import MatchModel
from mdm.entities.model import Attribute, EntityType, Origin, Strategy, SurvivorshipRule
from mdm.survivorship.model import Contribution, Override

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def rule(strategy: str, *sources: str, fallback: tuple[str, ...] = (), **options: Any) -> SurvivorshipRule:
    return SurvivorshipRule(cast("Strategy", strategy), sources, cast("tuple[Strategy, ...]", fallback), options)


def attribute(
    name: str,
    survivorship: SurvivorshipRule | None = None,
    *,
    is_list: bool = False,
    element_key: str | None = None,
    group: str | None = None,
) -> Attribute:
    return Attribute(
        name=name,
        title=name,
        semantic_type="text",
        is_list=is_list,
        element_key=element_key,
        code_list=None,
        reference=None,
        columns=(name,),
        group=group,
        survivorship=survivorship or rule("most_recent"),
        weight=1.0,
    )


def entity_type(*attributes: Attribute) -> EntityType:
    groups: dict[str, tuple[str, ...]] = {}
    for declared in attributes:
        if declared.group is not None:
            groups[declared.group] = (*groups.get(declared.group, ()), declared.name)
    return EntityType(
        name="client",
        title="Client",
        id_prefix="cli",
        policy="hold",
        merge_bits=None,
        within=None,
        attributes={declared.name: declared for declared in attributes},
        groups=groups,
        validations=(),
        model=MatchModel("client", (), (), ()),
        version="1",
    )


def record(key: str, values: Mapping[str, Any], *, day: float | None = 0, rank: int = 100, **more: Any) -> Contribution:
    """Make what record `instance:native` says on a day of 2026, day 0 being New Year."""
    instance, native_id = key.split(":")
    return Contribution(
        record_key=f"{instance}/Account:{native_id}",
        record_id=f"rec_{key}",
        origin=Origin(instance),
        source_rank=rank,
        source_time=None if day is None else on(day),
        values=values,
        **more,
    )


def on(day: float) -> datetime:
    return NEW_YEAR + timedelta(days=day)


def override(attribute_name: str, value: Any, term: str = "for_ever", *, day: float = 0, **more: Any) -> Override:
    settings: dict[str, Any] = {"record_key": "crm/Account:1", "author": "ada", "reason": "told by phone", **more}
    return Override(attribute=attribute_name, value=value, term=cast("Any", term), recorded_at=on(day), **settings)
