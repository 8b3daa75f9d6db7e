"""Fill a hub with a million golden customers to search among, quickly, by rows of the shape that the hub writes.

What is searched (words, names, terms) is gathered by the hub's own function from the values of each record. All other
rows are copied in without their triggers, so the hub is good for reading only. Names follow what firms call themselves:
a word of their own, often rare, mostly one or two words that thousands share, a legal form; one in twenty firms has a
former name, which one of its two records still bears.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from random import Random
from typing import Any

import orjson
import psycopg

from mdm.entities.service import entity_types
from mdm.survivorship.search_terms import search_row

CHUNK = 10_000
INSTANCES = ("salesforce-us", "netsuite-us", "d365-emea", "certinia-uk")
OBJECTS = ("Account", "customer", "customer", "Account")
SYLLABLES = [one + two for one in "bdfgklmnprstvz" for two in ("a", "e", "i", "o", "u", "an", "er", "in", "or", "el")]
TRADES = (
    *("consulting", "services", "solutions", "group", "systems", "technology", "engineering", "industries", "partners"),
    *("international", "logistics", "energy", "capital", "foods", "media", "health", "software", "design", "trading"),
    *("construction", "maschinenbau", "pharma", "holding", "networks", "digital", "security", "insurance", "motors"),
    *("properties", "electric", "chemicals", "textiles", "packaging", "marine", "aviation"),
)
FORMS = (("Inc", "US"), ("LLC", "US"), ("Ltd", "GB"), ("PLC", "GB"), ("GmbH", "DE"), ("AG", "DE"), ("SAS", "FR"))
CITIES = ("Boston", "Chicago", "London", "Leeds", "München", "Köln", "Lyon", "Austin", "Hamburg", "Paris")
CALLING = {"US": "+1 ", "GB": "+44 ", "DE": "+49 ", "FR": "+33 "}
AT = "2026-01-05 09:00:00+00"
_INDEXES = ("ix_golden_search_words", "ix_golden_search_terms", "ix_golden_search_unread")


def own_word(random: Random) -> str:
    """Make the word that a firm is known by; short ones come again and again, as such words do."""
    return "".join(random.choice(SYLLABLES) for _ in range(random.choice((2, 3, 3, 4)))).title()


def company(number: int) -> dict[str, Any]:
    """Say who golden customer `number` is: the values of its golden record."""
    random = Random(number)
    form, country = FORMS[number % len(FORMS)]
    words = [own_word(random), *random.sample(TRADES, random.choice((0, 1, 1, 2)))]
    if random.random() < 0.25:
        words.insert(1, own_word(random))
    name = " ".join(word.title() for word in words)
    domain = f"{words[0].lower()}{number % 977}.com"
    values: dict[str, Any] = {
        "legal_name": f"{name} {form}",
        "country": country,
        "city": CITIES[number % len(CITIES)],
        "street": f"{number % 300} {own_word(random)} Street",
        "tax_ids": [f"{country}{100_000_000 + number * 613 % 900_000_000}"],
        "phones": [f"{CALLING[country]}{200 + number % 700} {number // 700 % 1000:03d} {number % 10_000:04d}"],
        "website": f"https://www.{domain}",
        "emails": [f"office@{domain}"],
    }
    if number % 20 == 0:
        values["former_names"] = [f"{own_word(random)} {TRADES[number % len(TRADES)].title()} {form}"]
    return values


def golden_id(number: int) -> str:
    """Give golden customer `number` an id of the hub's shape."""
    digits = "0123456789abcdefghjkmnpqrstvwxyz"
    tail, rest = "", number * 7_919_777
    for _ in range(12):
        rest, digit = divmod(rest, 32)
        tail = digits[digit] + tail
    return f"cus_01kct0000000{tail:0>13}"[:30]


def fill_search(url: str, count: int) -> None:
    """Copy in `count` golden customers of one or two records each."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET statement_timeout = 0")
        indexes = [
            row[0]
            for row in connection.execute(
                "SELECT indexdef FROM pg_indexes WHERE indexname = ANY(%s)", (list(_INDEXES),)
            ).fetchall()
        ]
        for name in _INDEXES:
            connection.execute(f"DROP INDEX IF EXISTS {name}")
        connection.execute(
            "INSERT INTO source_instance (id, system, title, rank, duplicate_free, who)"
            " SELECT i, split_part(i, '-', 1), i, 1, false, 'bench' FROM unnest(%s::text[]) AS i",
            (list(INSTANCES),),
        )
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO identity_event (id, entity_type, cause, plan, recorded_at, who)"
            " VALUES ('evt_bench', 'customer', 'ingest', '{}', %s, 'bench')",
            (AT,),
        )
    chunks = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        list(pool.map(_copy_chunk, [url] * len(chunks), chunks))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET statement_timeout = 0")
        for statement in indexes:
            connection.execute(statement)
        connection.execute("VACUUM ANALYZE")


def _copy_chunk(url: str, numbers: range) -> None:
    entity_type = entity_types(())["customer"]
    tables: dict[str, list[list[Any]]] = {}
    for number in numbers:
        for table, row in _rows(entity_type, number):
            tables.setdefault(table, []).append(row)
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        for table, rows in tables.items():
            _copy(connection, table, rows)


def _rows(entity_type: Any, number: int) -> Iterator[tuple[str, list[Any]]]:
    id_, values = golden_id(number), company(number)
    written = orjson.dumps(values).decode()
    yield _GOLDEN, [id_, "customer", "active", 1, AT, "bench"]
    yield _VERSION, [id_, 1, "active", written, "{}", 1.0, "[]", "\\x00", "r", "evt_bench", AT, "bench"]
    members = []
    for place in range(1 + number % 2):
        instance = (number + place) % len(INSTANCES)
        native_id = f"{'001' if instance == 0 else 'C' if instance == 2 else ''}{number * 3 + place:07d}"
        record_id = f"rec_{number}_{place}"
        key = (INSTANCES[instance], OBJECTS[instance], "", native_id)
        yield _RECORD, [record_id, "customer", *key, "active", 1, "\\x00", id_, id_, AT, "bench"]
        yield _RECORD_VERSION, [record_id, 1, "active", "{}", written, "{}", "[]", "\\x00", AT, "bench"]
        members.append((*key, values, {}))
    row = search_row(entity_type, id_, values, members)
    # Tables are filled by COPY, which reads a tsvector as it is written: quoted, blanks between.
    terms = " ".join("'" + term.replace("\\", "\\\\").replace("'", "''") + "'" for term in row.terms)
    yield _SEARCH, [id_, "customer", row.words, list(row.names), terms]


_GOLDEN = "golden_record (id, entity_type, state, version, recorded_at, who)"
_VERSION = (
    "golden_version (golden_id, version, state, values, lineage, completeness, held, checksum, rules_version, event_id,"
    " recorded_from, who)"
)
_RECORD = (
    "source_record (id, entity_type, instance_id, object, scope, native_id, state, version, content_hash, golden_id,"
    " origin_golden_id, recorded_at, who)"
)
_RECORD_VERSION = (
    "source_record_version (record_id, version, state, fields, values, undeclared, warnings, content_hash, recorded_at,"
    " who)"
)
_SEARCH = "golden_search (golden_id, entity_type, words, names, terms)"


def _copy(connection: psycopg.Connection[Any], table: str, rows: list[list[Any]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
