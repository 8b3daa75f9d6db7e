"""A place of files is the same in a folder and in a bucket: nothing counts until the manifest names it."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import orjson
import pytest

from mdm.connectors.snapshot import Place, open_place
from mdm.errors import Unavailable
from tests.integration.connectors.object_store import ObjectStore, object_store

LARGE = bytes(range(256)) * 4 * 12_000  # 12 MB: more than one part of an upload


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store() as running:
        yield running


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "folder":
        return open_place(str(tmp_path / "made"))
    return bucket(store, monkeypatch)


def bucket(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Place:
    store.objects.clear()
    store.refuses = False
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-this-test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-this-test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    host = f"127.0.0.1:{store.server_port}"
    return open_place(f"s3://lake/hub?region=eu-central-1&scheme=http&endpoint_override={host}")


def fill_with(content: bytes, rows: int) -> Callable[[IO[bytes]], int]:
    def fill(stream: IO[bytes]) -> int:
        stream.write(content)
        return rows

    return fill


def test_a_file_is_what_was_written_with_its_size_and_hash(place: Place) -> None:
    written = place.write("customer/000001/golden_record.parquet", fill_with(LARGE, 12))

    assert (written.rows, written.size_bytes) == (12, len(LARGE))
    assert written.sha256 == hashlib.sha256(LARGE).hexdigest()


def test_a_manifest_is_read_back_and_replaced_as_a_whole(place: Place) -> None:
    assert place.read_manifest("customer") is None

    place.write_manifest("customer", {"generation": 1})
    place.write_manifest("customer", {"generation": 2})

    assert place.read_manifest("customer") == {"generation": 2}


def test_files_are_removed_and_removing_them_again_is_fine(place: Place) -> None:
    place.write("customer/000001/crosswalk.csv", fill_with(b"x", 1))

    for _ in range(2):
        place.remove(iter(["customer/000001/crosswalk.csv"]))


def test_a_bucket_holds_the_objects_under_its_prefix(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    place = bucket(store, monkeypatch)

    place.write("customer/000001/golden_record.parquet", fill_with(LARGE, 12))
    place.write_manifest("customer", {"generation": 1})

    assert store.objects["lake/hub/customer/000001/golden_record.parquet"] == LARGE
    assert orjson.loads(store.objects["lake/hub/customer/manifest.json"]) == {"generation": 1}


def test_a_bucket_that_refuses_is_named_without_credentials(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = bucket(store, monkeypatch)
    store.refuses = True

    with pytest.raises(
        Unavailable, match=r"customer/manifest\.json in s3://lake/hub cannot be read or written"
    ) as said:
        place.write_manifest("customer", {"generation": 1})

    assert "of-this-test" not in str(said.value)
