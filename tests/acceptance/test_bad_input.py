"""Hostile and broken input against a real server and the real command line, on one database.

Each line of bad input gets an error that names the place and what to do; nothing is half-written, no answer is a 500.
"""

import gzip
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from mdm.cli.exits import ExitCode
from mdm.db.engine import open_engine
from mdm.hub import Hub
from tests.databases import cloned_database
from tests.hubs import assert_sound, hub_on, register_instances, row_marks

pytestmark = pytest.mark.db

MDM = (sys.executable, "-c", "from mdm.cli.main import app; app()")
START_S_MAX = 60.0
BODY_BYTES = 200_000_000
BLOCK = b" " * 100_000
GOOD = {"name": "Nordlicht Beratung GmbH", "country": "DE", "city": "Kiel"}


@dataclass(frozen=True, slots=True)
class Served:
    """A running server, a key for everything, the hub behind it, the environment of a command beside it."""

    address: str
    header: dict[str, str]
    hub: Hub
    environment: dict[str, str]

    def send(self, body: bytes, path: str = "/v1/source-records") -> httpx.Response:
        return httpx.post(
            f"{self.address}{path}",
            headers=self.header | {"Content-Type": "application/json"},
            content=body,
            timeout=60,
        )

    def deliver(self, *records: Any) -> httpx.Response:
        return self.send(json.dumps({"records": records}).encode())

    def mdm(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [*MDM, *map(str, arguments)]
        return subprocess.run(command, env=self.environment, check=False, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def served(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("bad-input")
    with cloned_database(template_url) as url:
        engine = open_engine(url, 4)
        hub = hub_on(engine)
        register_instances(hub, "crm-one", "erp-one")
        environment = {**os.environ, "MDM_HOME": str(folder / "home"), "MDM_DATABASE_URL": url, "COLUMNS": "200"}
        said = folder / "said.txt"
        with said.open("w", encoding="utf-8") as file:
            server = subprocess.Popen(
                [*MDM, "serve", "--port", "0", "--no-worker"], env=environment, stderr=file, text=True
            )
        try:
            address, token = _address_and_token(said, server)
            yield Served(address, {"Authorization": f"Bearer {token}"}, hub, environment)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(START_S_MAX)
            engine.dispose()


def _address_and_token(said: Path, server: subprocess.Popen[str]) -> tuple[str, str]:
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline and server.poll() is None:
        text = said.read_text(encoding="utf-8")
        if token := re.search(r"mdm_[\w-]+", text):
            address = re.findall(r"http://[\d.]+:\d+", text)[0]
            try:
                httpx.get(f"{address}/healthz")
                return address, token[0]
            except httpx.TransportError:
                pass
        time.sleep(0.05)
    pytest.fail(f"did not start: {said.read_text(encoding='utf-8')}")


@pytest.fixture
def untouched(served: Served) -> Iterator[Served]:
    """Give the server, and prove afterwards that no row of any table changed and every invariant holds."""
    before = _rows(served.hub)
    yield served
    assert _rows(served.hub) == before
    assert_sound(served.hub)


def _rows(hub: Hub) -> dict[str, Any]:
    # A key's last use is noted once a minute.
    return {table: rows for table, rows in row_marks(hub).items() if table != "api_key"}


def record(**changes: Any) -> dict[str, Any]:
    return {
        "entity_type": "customer",
        "source": "crm-one",
        "object": "account",
        "source_key": "1",
        "fields": GOOD,
    } | changes


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    document: dict[str, Any] = answer.json()
    assert (answer.status_code, document["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["remedy"]
    return document


FIELDS = (
    b'{"records": [{"entity_type": "customer", "source": "crm-one", "object": "a", "source_key": "1", "fields": %b}]}'
)


@pytest.mark.parametrize(
    ("fields", "status", "code", "place"),
    [
        (b'{"name": "\xff\xfe"}', 400, "json_malformed", ""),
        (b'{"name": NaN}', 400, "json_malformed", ""),
        (b'{"name": -Infinity}', 400, "json_malformed", ""),
        (b'{"n": %b}' % (b"[" * 100_000), 422, "json_too_deep", ""),
        (b'{"n": %b1%b}' % (b"[" * 100_000, b"]" * 100_000), 422, "json_too_deep", ""),
        (b'{"name": "x"', 400, "json_malformed", ""),
    ],
)
def test_a_body_that_is_no_clean_json_is_refused_at_its_place(
    untouched: Served, fields: bytes, status: int, code: str, place: str
) -> None:
    document = refused(untouched.send(FIELDS % fields), status, code)

    assert str(document["errors"][0]["place"]).startswith(place)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "request_invalid"),
        (b"[]", "request_invalid"),
        (b"7", "request_invalid"),
        (b'{"records": {}}', "request_invalid"),
        (b'{"records": []}', "request_invalid"),
        (b'{"records": [], "colour": "red"}', "request_invalid"),
    ],
)
def test_a_body_of_another_shape_is_refused(untouched: Served, body: bytes, code: str) -> None:
    refused(untouched.send(body), 422, code)


def test_binary_and_other_media_types_are_refused(untouched: Served) -> None:
    refused(untouched.send(b"\x89PNG\r\n\x1a\n" + bytes(range(256))), 400, "json_malformed")
    zipped = httpx.post(
        f"{untouched.address}/v1/source-records",
        headers=untouched.header | {"Content-Type": "application/gzip"},
        content=gzip.compress(b"{}"),
    )
    refused(zipped, 415, "media_type_unsupported")


def test_a_body_that_says_it_is_200_mb_is_refused_before_a_byte_of_it_is_sent(untouched: Served) -> None:
    with _posting(untouched, "content-length: 209715200") as connection:
        answer = http.client.HTTPResponse(connection, method="POST")
        answer.begin()

        _assert_too_large(answer)


def test_a_200_mb_body_of_chunks_is_refused_early_while_it_streams(untouched: Served) -> None:
    piece = b"%x\r\n%b\r\n" % (len(BLOCK), BLOCK)
    sent = 0

    with _posting(untouched, "transfer-encoding: chunked") as connection:
        while sent < BODY_BYTES and not select.select([connection], [], [], 0)[0]:
            connection.sendall(piece)
            sent += len(BLOCK)
        answer = http.client.HTTPResponse(connection, method="POST")
        answer.begin()

        _assert_too_large(answer)
    assert sent < 30_000_000  # the bound is 8 MB; the rest is what sockets buffer


@pytest.mark.parametrize("length", [{"content-length": str(BODY_BYTES)}, {}], ids=["declared", "chunked"])
def test_a_client_that_sends_200_mb_before_it_reads_gets_the_refusal(untouched: Served, length: dict[str, str]) -> None:
    """Most libraries send the whole body first; a connection that is closed meanwhile would tell them nothing."""
    connection = http.client.HTTPConnection(untouched.address.removeprefix("http://"), timeout=60)
    headers = untouched.header | {"content-type": "application/json"} | length

    with closing(connection):
        connection.request("POST", "/v1/source-records", body=repeat(BLOCK, BODY_BYTES // len(BLOCK)), headers=headers)

        _assert_too_large(connection.getresponse())


@contextmanager
def _posting(served: Served, length: str) -> Iterator[socket.socket]:
    """Begin a request whose body is still to come."""
    host, port = served.address.removeprefix("http://").split(":")
    head = (
        f"POST /v1/source-records HTTP/1.1\r\nhost: test\r\nauthorization: {served.header['Authorization']}\r\n"
        f"content-type: application/json\r\n{length}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode())
        yield connection


def _assert_too_large(answer: http.client.HTTPResponse) -> None:
    document = json.loads(answer.read())
    assert (answer.status, document["code"]) == (413, "too_large"), document
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["remedy"]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"entity_type": "vendr"}, "entity_type"),
        ({"source": "hubspot-us"}, "source"),
        ({"source": 7}, "source"),
        ({"source_key": "x" * 256}, "source_key"),
        ({"source_key": ""}, "source_key"),
        ({"object": None}, "object"),
        ({"fields": "name"}, "fields"),
        ({"source_time": "yesterday"}, "source_time"),
        ({"source_time": "infinity"}, "source_time"),
        ({"source_time": "9999-12-31T23:59:59-12:00"}, "source_time"),
        ({"source_time": 1e12}, "source_time"),
        ({"fields": {"city": "Kiel"}}, "name"),
        ({"fields": {"name": "Acme\0"}}, "fields.name"),
        ({"fields": {"na\0me": "Acme"}}, "fields.na"),
        ({"fields": {"name": "Acme\ud800"}}, "fields.name"),
        ({"fields": {"name": True}}, "name"),
        ({"fields": {"turnover": 10**30}}, "fields.turnover"),
        ({"fields": {"turnover": 10**4_000}}, "fields.turnover"),
        ({"fields": {"deep": json.loads("[" * 40 + "]" * 40)}}, "fields.deep"),
    ],
)
def test_a_bad_record_of_a_batch_names_its_place_and_the_good_ones_are_kept(
    served: Served, changes: dict[str, Any], place: str
) -> None:
    key = f"{place}-{len(str(changes))}"
    bad = record(source_key=f"bad-{key}") | changes

    answer = served.deliver(record(source_key=f"before-{key}"), bad, record(source_key=f"after-{key}"))

    results = answer.json()["results"]
    assert answer.status_code == 200, answer.text
    assert [result["status"] for result in results] == ["created", "rejected", "created"]
    assert any(place in fault["place"] and fault["remedy"] for fault in results[1]["errors"]), results[1]
    assert_sound(served.hub)


def test_a_half_good_batch_waits_with_all_reasons_and_nothing_else(served: Served) -> None:
    bad = record(source="erp-one", source_key="two-faults", fields={"city": "Kiel", "payment_terms": "whenever"})

    answer = served.deliver(bad, record(source="erp-one", source_key="good"))

    rejected, created = answer.json()["results"]
    waiting = httpx.get(f"{served.address}/v1/exceptions?source=erp-one", headers=served.header).json()["rows"]
    (queued,) = [
        row for row in waiting if row["source_key"] == "erp-one/account:two-faults" and row["kind"] == "rejected"
    ]
    assert created["status"] == "created"
    assert [fault["code"] for fault in queued["reasons"]] == [fault["code"] for fault in rejected["errors"]]
    assert len(queued["reasons"]) >= 2
    look_up = httpx.get(f"{served.address}/v1/crosswalk?source=erp-one&source_key=two-faults", headers=served.header)
    refused(look_up, 404, "source_record_unknown")
    assert_sound(served.hub)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("empty.csv", b"", "empty.csv"),
        ("binary.csv", bytes(range(256)) * 40, "binary.csv"),
        ("picture.xlsx", b"\x89PNG\r\n\x1a\n" + bytes(2_000), "picture.xlsx"),
        ("cut.parquet", b"PAR1" + bytes(100), "cut.parquet"),
        ("cut.csv.gz", gzip.compress(b"Id,Name\n1,Acme\n" * 999, mtime=0)[:-20], "cut.csv.gz"),
        ("document.json", b'{"records": []}', "document.json"),
        ("nameless.csv", b"Id,City\n1,Kiel\n", "name"),
        ("keyless.csv", b"Name,City\nAcme,Kiel\n", "id"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_named_and_nothing_is_written(
    served: Served, tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    (tmp_path / name).write_bytes(content)
    before = {table: rows for table, rows in _rows(served.hub).items() if table != "delivery_exception"}

    ended = served.mdm("load", tmp_path / name, "--source", "crm-one", "--entity", "customer", "--strict")

    after = {table: rows for table, rows in _rows(served.hub).items() if table != "delivery_exception"}
    assert ended.returncode in {ExitCode.REFUSED, ExitCode.FOUND}, ended.stderr
    assert problem in ended.stderr + ended.stdout
    assert "Traceback" not in ended.stderr
    assert after == before
    assert_sound(served.hub)


def test_a_line_that_cannot_be_read_costs_no_other_line(served: Served, tmp_path: Path) -> None:
    good = [f'{{"id": "line-{number}", "name": "Lotus {number} GmbH"}}' for number in range(3)]
    bad = [
        '{"name": "without an id"}',
        '{"id": ["list"], "name": "x"}',
        '{"id": {"a": 1}, "name": "x"}',
        '{"id": true, "name": "x"}',
        '{"id": "half", "name": "\\ud800"}',
        '{"id": "long", "name": "%s"}' % ("x" * (9 << 20)),
    ]
    lines = [bad[0], good[0], *bad[1:], good[1], '{"id": "flag", "name": true}', good[2]]
    (tmp_path / "lines.jsonl").write_text("\n".join(lines), encoding="utf-8")

    ended = served.mdm("load", tmp_path / "lines.jsonl", "--source", "crm-one", "--entity", "customer", "--json")

    report = json.loads(ended.stdout)
    assert ended.returncode == 0, ended.stderr
    assert report["statuses"] == {"created": 3, "rejected": 1}
    assert {"field": "legal_name", "code": "not_a_text", "count": 1} in report["reasons"]
    assert [fault["row"] for fault in report["faults"]] == [1, 3, 4, 5, 6, 7]
    assert all(fault["remedy"] for fault in report["faults"])
    assert_sound(served.hub)


def test_a_file_that_cannot_be_read_hides_nothing_of_the_files_before_it(served: Served, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Id,Name\nfirst-1,Acme Nord\nfirst-2,Acme Sued\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("Name,City\nAcme,Kiel\n", encoding="utf-8")
    (tmp_path / "c.csv").write_text("Id,Name\nlast-1,Acme West\n", encoding="utf-8")

    ended = served.mdm("load", tmp_path / "*.csv", "--source", "crm-one", "--entity", "customer", "--json")

    assert ended.returncode == ExitCode.REFUSED
    assert "b.csv: no column holds the record's id" in ended.stderr
    report = json.loads(ended.stdout)
    assert (report["records"], report["files_not_read"]) == (2, [str(tmp_path / "c.csv")])


def test_an_unknown_source_and_an_unknown_type_are_refused_with_the_known_ones(
    untouched: Served, tmp_path: Path
) -> None:
    (tmp_path / "good.csv").write_text("Id,Name\n1,Acme\n", encoding="utf-8")

    source = untouched.mdm("load", tmp_path / "good.csv", "--source", "crm-two", "--entity", "customer")
    entity = untouched.mdm("load", tmp_path / "good.csv", "--source", "crm-one", "--entity", "vendr")

    assert source.returncode != 0
    assert "crm-one" in source.stderr
    assert entity.returncode != 0
    assert "customer" in entity.stderr


BOMB = "\n".join([f"a0: &a0 {['x'] * 9}", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))])


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("name: vendor\nattributes: [\n", "vendor.yaml:"),
        (BOMB, "vendor.yaml:1"),
        ("name: !!python/object/apply:os.system ['true']\n", "vendor.yaml:1"),
        ("name: vendor\nname: vendor\n", "vendor.yaml:2"),
        ("name: vendor\ncolour: red\n", "vendor.yaml:2"),
        ("", "vendor.yaml"),
        ("\x00\x01\x02", "vendor.yaml"),
        ("# " + "x" * 10_000_000, "vendor.yaml"),
    ],
    ids=["broken", "alias bomb", "tag", "duplicate key", "unknown key", "empty", "binary", "10 MB"],
)
def test_a_broken_declaration_is_refused_at_its_line(
    untouched: Served, tmp_path: Path, declared: str, said: str
) -> None:
    (tmp_path / "vendor.yaml").write_text(declared, encoding="utf-8")
    environment = untouched.environment | {"MDM_ENTITIES": str(tmp_path)}
    begun = time.monotonic()

    ended = subprocess.run([*MDM, "check"], env=environment, check=False, capture_output=True, text=True, timeout=60)

    assert ended.returncode == ExitCode.REFUSED, ended.stdout + ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    "path",
    [
        "/v1/golden-records/%00",
        "/v1/golden-records/%ff",
        "/v1/golden-records/" + "x" * 5_000,
        "/v1/golden-records?q=%00",
        "/v1/golden-records?q=%ff%fe",
        "/v1/golden-records?q=" + "x" * 501,
        "/v1/golden-records?after=%F0%9F%92%A9",
        "/v1/golden-records?limit=-1",
        "/v1/golden-records?limit=1e9",
        "/v1/crosswalk?source=a&source_key=%00",
        "/v1/crosswalk?source=%F0%9F%92%A9&source_key=1",
        "/v1/golden-records/cus_1?as_of=infinity",
        "/v1/golden-records/cus_1?as_of=9999999-01-01",
        "/v1/golden-records/cus_1/history?after=" + "A" * 2_001,
        "/v1/reviews/%00",
        "/v1/exceptions/%F0%9F%92%A9",
        "/v1/changes?after=999999999999999999999.1",
        "/v1/changes?limit=0",
        "//etc/passwd",
    ],
)
def test_a_hostile_address_is_refused_and_never_a_500(untouched: Served, path: str) -> None:
    answer = httpx.get(f"{untouched.address}{path}", headers=untouched.header)

    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["remedy"]
