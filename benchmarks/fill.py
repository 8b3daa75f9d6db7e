"""Fill a hub with many golden customers of two records each, quickly and honestly.

Every row is written by the hub's own functions: judge, ingest, standardise, blocking keys, compare, decide, apply with
its survivorship and messages. Two things of the real path are left out, since the generated customers make their answer
known: candidates are not searched (each customer's two records are the only pair that matches) and what is touched is
not searched for in the graph (each pair is a golden record of its own). `settles` proves on a sample that the real path
finds exactly the same.
"""

import os
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from itertools import product
from multiprocessing import get_context

from sqlalchemy import Connection, text

from matching.keys import blocking_keys
from mdm import clock
from mdm.db.transaction import run
from mdm.hub import Hub, Work, carry, open_hub
from mdm.identity import store as identity_store
from mdm.identity.model import Cause
from mdm.identity.plan import Situation, plan_identity
from mdm.ids import GoldenId, RecordId, new_golden_id
from mdm.pipeline import apply, reevaluate
from mdm.resolution import store as resolution_store
from mdm.resolution.model import Blocked
from mdm.resolution.service import compare, decide, standardise
from mdm.settings import Settings
from mdm.sources import store as sources_store
from mdm.sources.model import Accepted, Delivery, SourceInstance, SourceKey
from mdm.sources.service import ingest, judge, register

SOURCES = (("salesforce-us", "Account"), ("netsuite-us", "customer"))
WHO = "bench"
ENTITY = "customer"
CHUNK = 400  # golden records of one transaction
EVENT = 20  # golden records of one event: 40 records, as a delivered chunk has
SYLLABLES = [one + other for one, other in product("bdfgklmnprstvz", "aeiou")]
WORDS = len(SYLLABLES) ** 3
_worker: dict[str, Hub] = {}


def fill(hub: Hub, url: str, count: int) -> list[GoldenId]:
    """Make `count` golden records with as many processes as there are processors; return their ids."""
    for rank, (source, _) in enumerate(SOURCES, start=1):
        known = SourceInstance(source, source.partition("-")[0], source, rank)
        run(hub.engine, lambda connection, known=known: register(connection, known, who=WHO))
    chunks = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), _open, (hub.settings, url)) as pool:
        made = [golden_id for some in pool.map(_fill_chunk, chunks) for golden_id in some]
    settled(hub)
    return made


def settled(hub: Hub) -> None:
    """Vacuum and analyse, as autovacuum does within a minute, beside whatever is measured then."""
    with hub.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM (ANALYZE)"))


def _open(settings: Settings, url: str) -> None:
    """Open the hub of a worker process, for as long as that lives."""
    _worker["hub"] = ExitStack().enter_context(open_hub(settings, url))


def _fill_chunk(numbers: range) -> list[GoldenId]:
    hub = _worker["hub"]
    accepted = list(_accepted(hub, numbers))
    return carry(hub, lambda work: _store(work, accepted), who=WHO)


def settles(hub: Hub, sample: int, *, seed: int) -> None:
    """Match some records anew along the real path and require that nobody moves and no edge changes."""
    with hub.engine.connect() as connection:
        ids = connection.execute(text("SELECT id FROM source_record ORDER BY id")).scalars().all()
    chosen = [RecordId(id_) for id_ in random.Random(seed).sample(ids, min(sample, len(ids)))]
    before = run(hub.engine, _edges)
    for start in range(0, len(chosen), 20):
        plans = carry(hub, lambda work, start=start: _again(work, chosen[start : start + 20]), who=WHO)
        assert not any(plan.changes_identity for plan in plans), plans
    assert run(hub.engine, _edges) == before, "the real path finds other edges than the ones filled in"


def _again(work: Work, ids: Sequence[RecordId]) -> tuple[object, ...]:
    reevaluate(work, work.declared[ENTITY], ids, cause=Cause("deferred"))
    return tuple(work.carried_out)


def _edges(connection: Connection) -> tuple[int, float]:
    row = connection.execute(text("SELECT count(*), coalesce(sum(bits), 0) FROM edge")).one()
    return row[0], round(row[1], 6)


def _accepted(hub: Hub, numbers: range) -> Iterator[Accepted]:
    """Judge the two deliveries of each customer, in a row."""
    entity_type, known = hub.entity_type(ENTITY), {source: "" for source, _ in SOURCES}
    for number in numbers:
        for source, kind in SOURCES:
            delivery = Delivery(SourceKey(source, kind, "", str(number)), ENTITY, customer_fields(source, number))
            judged = judge(entity_type, delivery, known_instances=known, column_map={})
            assert isinstance(judged, Accepted), judged
            yield judged


def customer_fields(source: str, number: int) -> dict[str, str]:
    """Say who customer `number` is: no two share a name, a domain or a phone."""
    # Multiples of two numbers prime to WORDS: neighbours get words that have nothing in common.
    first, second = _word(number * 104_729 % WORDS), _word(number * 224_737 % WORDS)
    domain = f"{first}{second}".lower()
    phone = f"+1 {200 + number // 100_000 % 700} {200 + number // 10_000 % 10:03d} {number % 10_000:04d}"
    if source.startswith("salesforce"):
        return {
            "Name": f"{first} {second}, Inc.",
            "Website": f"https://www.{domain}.example",
            "Phone": phone,
            "BillingCountry": "United States",
            "Industry": "Technology",
        }
    return {
        "companyName": f"{first} {second} Inc",
        "url": f"{domain}.example",
        "phone": phone,
        "country": "US",
        "currency": "USD",
        "terms": "Net 30",
    }


def _word(number: int) -> str:
    hundreds, units = divmod(number, len(SYLLABLES))
    return "".join(SYLLABLES[part] for part in (*divmod(hundreds, len(SYLLABLES)), units)).title()


def _store(work: Work, accepted: Sequence[Accepted]) -> list[GoldenId]:
    """Take pairs of deliveries along the path, without the searches."""
    connection, entity_type = work.connection, work.declared[ENTITY]
    arrivals = ingest(connection, accepted, at=clock.recording_instant, who=work.who)
    ids = [arrival.record_id for arrival in arrivals]
    records = sources_store.select_records(connection, ids)
    found = blocking_keys(standardise(entity_type, records), entity_type.model)
    keys = zip(found.records.tolist(), found.keys.tolist(), strict=True)
    resolution_store.insert_keys(connection, ENTITY, sorted({(records[position].id, key) for position, key in keys}))
    twins = [(ids[start], ids[start + 1]) for start in range(0, len(ids), 2)]
    pairs = tuple((min(pair), max(pair)) for pair in twins)
    decide(connection, entity_type, records, compare(connection, entity_type, Blocked(pairs, frozenset())))
    members = identity_store.select_members(connection, ids)
    minted: list[GoldenId] = []
    for start in range(0, len(twins), EVENT):
        groups = [frozenset(pair) for pair in twins[start : start + EVENT]]
        situation = Situation(ENTITY, {id_: members[id_] for group in groups for id_ in group}, {})
        plan = plan_identity(situation, groups, mint=lambda: new_golden_id(entity_type.id_prefix))
        apply(work, entity_type, plan, cause=Cause("ingest"))
        minted += plan.minted
    return minted
