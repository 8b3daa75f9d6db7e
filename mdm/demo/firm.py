"""Put the demo firm together: true entities, the systems that know them, spoiled records, order of delivery.

The same seed and scale give the same firm on every machine. Seeds of the parts are derived from their names, so that a
change to the contracts leaves the customers alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from random import Random
from typing import Any

import networkx as nx

from mdm.demo.companies import Company, true_companies
from mdm.demo.delivery import DELIVERY_SYSTEMS, sight_contracts, sight_projects, sight_resources
from mdm.demo.engagements import true_contracts, true_projects, true_resources
from mdm.demo.files import write_files
from mdm.demo.landscape import INSTANCES, Landscape, sight_customers
from mdm.demo.model import DemoFirm, DemoInstance, DemoRecord, TrueRelation
from mdm.demo.systems import LAYOUTS, fields_of
from mdm.demo.traps import Sighting, spoil

__all__ = ["DemoFirm", "DemoInstance", "DemoRecord", "TrueRelation", "build_firm", "sample", "write_files"]

# The order in which the first loads arrive: parents before children, but for the two systems that send children first.
_OBJECT_ORDER = (
    *("Account", "customer", "Contact", "worker", "employee", "users", "workspaces", "deals", "companies"),
    *("workspace_groups", "pse__Proj__c", "project", "job", "Contract", "projectcontract", "salesOrder"),
)
_INSTANCE_ORDER = tuple(instance.id for instance in reversed(INSTANCES))


def build_firm(*, seed: int = 7, scale: float = 1.0) -> DemoFirm:
    """Generate the firm; scale 1 gives about 4,000 records, 0.1 about 400."""
    companies, relations = true_companies(Random(f"{seed}/companies"), scale)
    company_by_id = {company.id: company for company in companies}
    landscape = Landscape(Random(f"{seed}/landscape"))
    sight_customers(landscape, companies, scale)

    resources = true_resources(Random(f"{seed}/resources"), scale)
    clients = [c for c in companies if any(landscape.scopes_of(system, c.id) for system in DELIVERY_SYSTEMS)]
    projects, project_relations = true_projects(clients, resources, Random(f"{seed}/projects"), scale)
    contracts, contract_relations = true_contracts(projects, Random(f"{seed}/contracts"), scale)
    sight_resources(landscape, resources)
    sight_projects(landscape, projects, company_by_id, scale)
    sight_contracts(landscape, contracts, scale)

    system_by_instance = {instance.id: instance.system for instance in INSTANCES}
    columns = {
        (instance, object_name): layout.columns.keys()
        for instance, system in system_by_instance.items()
        for (layout_system, object_name), layout in LAYOUTS.items()
        if layout_system == system
    }
    spoil(landscape.sightings, _sister_tax_ids(companies), columns, Random(f"{seed}/spoil"), scale)
    sightings = sorted(landscape.sightings, key=_delivery_order)
    _mark_early_children(sightings)
    records = tuple(_record(sighting, landscape, system_by_instance[sighting.instance]) for sighting in sightings)
    known = {record.truth for record in records}
    true_relations = chain(relations, project_relations, contract_relations)
    return DemoFirm(INSTANCES, records, tuple(r for r in true_relations if {r.first, r.second} <= known))


def sample(firm: DemoFirm, records_count: int, *, seed: int) -> DemoFirm:
    """Cut a smaller firm of at most that many records: whole clusters with their kin, clients and projects.

    One record in ten is a resource; the rest are groups of related customers with everything that is done for them. A
    sample therefore has fewer cross-group pairs than the firm, and all pairs within each group.
    """
    records_by_truth: defaultdict[str, list[DemoRecord]] = defaultdict(list)
    for record in firm.records:
        records_by_truth[record.truth].append(record)
    kin = nx.Graph()
    kin.add_nodes_from(records_by_truth)
    kin.add_edges_from((relation.first, relation.second) for relation in firm.relations)
    groups = sorted(sorted(group) for group in nx.connected_components(kin))
    Random(f"{seed}/sample").shuffle(groups)
    kept: set[str] = set()
    room = {"resource": records_count // 10, "client": records_count - records_count // 10}
    for group in groups:
        kind = "resource" if records_by_truth[group[0]][0].entity_type == "resource" else "client"
        size = sum(len(records_by_truth[truth]) for truth in group)
        if size <= room[kind]:
            room[kind] -= size
            kept.update(group)
    return replace(
        firm,
        records=tuple(record for record in firm.records if record.truth in kept),
        relations=tuple(relation for relation in firm.relations if {relation.first, relation.second} <= kept),
    )


def _sister_tax_ids(companies: Sequence[Company]) -> Mapping[str, str]:
    """Name for each member of a brand family the tax id of its holding."""
    tax_ids = {company.id: company.tax_id for company in companies}
    return {c.id: tax_ids[c.parent_id] for c in companies if c.parent_id and "same_brand_other_entity" in c.traps}


def _delivery_order(sighting: Sighting) -> tuple[int, int, str, str]:
    return (
        _INSTANCE_ORDER.index(sighting.instance),
        _OBJECT_ORDER.index(sighting.object),
        sighting.scope,
        sighting.native_id,
    )


def _mark_early_children(sightings: Iterable[Sighting]) -> None:
    """Mark projects and contracts of systems that send them before their clients."""
    delivered: set[tuple[str, str, str]] = set()
    for sighting in sightings:
        client = sighting.references.get("customer")
        if client and (sighting.instance, sighting.scope, client) not in delivered:
            sighting.traps.add("child_before_parent")
        delivered.add((sighting.instance, sighting.scope, sighting.truth))


def _record(sighting: Sighting, landscape: Landscape, system: str) -> DemoRecord:
    """Turn references into the system's own keys and dress the record in the system's columns."""
    named: dict[str, Any] = {}
    for attribute, truth in sighting.references.items():
        keys = landscape.keys.get((sighting.instance, sighting.scope, truth)) or landscape.keys.get(
            (sighting.instance, "", truth)
        )
        if keys and keys[0] != sighting.native_id:
            named[attribute] = keys[0]
    sighting.values |= named
    return DemoRecord(
        instance=sighting.instance,
        object=sighting.object,
        scope=sighting.scope,
        native_id=sighting.native_id,
        entity_type=sighting.entity_type,
        fields=fields_of(sighting, system),
        source_time=sighting.source_time,
        truth=sighting.truth,
        traps=frozenset(sighting.traps),
    )
