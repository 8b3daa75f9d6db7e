"""A place for files that readers trust: a folder or a bucket, where nothing counts until a manifest names it.

Files are written once under names of their own and never changed; the manifest, written last, says which of them make
up the present state, with their size and hash. A reader that follows it never sees a file that is half written, and a
writer that was killed leaves behind what nobody reads.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedWriter, RawIOBase
from pathlib import Path
from typing import IO, Any, Final

import orjson
from pyarrow import ArrowException, NativeFile
from pyarrow.fs import FileSystem, FileType, LocalFileSystem, SubTreeFileSystem

from mdm.errors import InputInvalid, Unavailable

MANIFEST: Final = "manifest.json"
_BUFFER_BYTES: Final = 1 << 20  # chosen: what the format's writer hands over in small pieces is stored in larger ones


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file as the manifest names it; its path is relative to the manifest's folder."""

    path: str
    rows: int
    size_bytes: int
    sha256: str


class Place:
    """A folder of this machine or of an S3-compatible store, and the files in it."""

    def __init__(self, where: str, filesystem: FileSystem) -> None:
        """Take a file system whose root is the place."""
        self.where = where
        self._filesystem = filesystem

    def write(self, path: str, fill: Callable[[IO[bytes]], int]) -> WrittenFile:
        """Write a file by what `fill` writes into a stream, which returns the number of rows; raises Unavailable."""
        with self._translated(path):
            self._make_folder(path)
            with self._filesystem.open_output_stream(path) as stream:
                hashing = _Hashing(stream)
                with BufferedWriter(hashing, _BUFFER_BYTES) as buffered:
                    rows = fill(buffered)
            self._keep(path)
            return WrittenFile(path, rows, hashing.size_bytes, hashing.digest.hexdigest())

    def read_manifest(self, folder: str) -> Mapping[str, Any] | None:
        """Read the manifest of a folder, None where there is none; raises InputInvalid for a file that is none."""
        path = f"{folder}/{MANIFEST}"
        with self._translated(path):
            if self._filesystem.get_file_info(path).type == FileType.NotFound:
                return None
            with self._filesystem.open_input_stream(path) as stream:
                content = stream.read()
        try:
            found = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise InputInvalid(
                f"{path} in {self.where} is no manifest", remedy="name another place, or move the file away"
            ) from error
        return dict(found)

    def write_manifest(self, folder: str, manifest: Mapping[str, Any]) -> None:
        """Let readers see a new state; at any moment they find either the manifest before or this one whole."""
        path = f"{folder}/{MANIFEST}"
        content = orjson.dumps(manifest, option=orjson.OPT_INDENT_2)
        with self._translated(path):
            if not self._is_local:
                # A store shows an object when it is whole.
                with self._filesystem.open_output_stream(path) as stream:
                    stream.write(content)
                return
            self._make_folder(path)
            part = f"{folder}/.part-{MANIFEST}"
            with self._filesystem.open_output_stream(part) as stream:
                stream.write(content)
            self._keep(part)
            self._filesystem.move(part, path)
            self._keep(folder)

    def remove(self, paths: Iterator[str]) -> None:
        """Remove files that no manifest names any more; one that is gone already is fine."""
        for path in paths:
            with self._translated(path):
                if self._filesystem.get_file_info(path).type == FileType.File:
                    self._filesystem.delete_file(path)

    @property
    def _is_local(self) -> bool:
        filesystem = self._filesystem
        return isinstance(getattr(filesystem, "base_fs", filesystem), LocalFileSystem)

    def _make_folder(self, path: str) -> None:
        """Make the folder of a file; a bucket has none."""
        if self._is_local:
            self._filesystem.create_dir(path.rpartition("/")[0], recursive=True)

    def _keep(self, path: str) -> None:
        """Let a local file or folder outlive a power cut before anything names it."""
        if not self._is_local:
            return
        opened = os.open(Path(getattr(self._filesystem, "base_path", "/")) / path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)

    @contextmanager
    def _translated(self, path: str) -> Iterator[None]:
        try:
            yield
        except (OSError, ArrowException) as error:
            raise Unavailable(
                f"{path} in {self.where} cannot be read or written: {' '.join(str(error).split())[:300]}",
                remedy="mend permissions, credentials or free space, or name another place",
            ) from error


def open_place(where: str) -> Place:
    """Open a folder, or s3://bucket/prefix?region=…&endpoint_override=host:port; raises InputInvalid.

    Credentials of a store come from where its tools look for them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a
    profile, the machine's own role.
    """
    if "://" not in where:
        folder = Path(where).absolute()
        return Place(str(folder), SubTreeFileSystem(str(folder), LocalFileSystem()))
    try:
        filesystem, path = FileSystem.from_uri(where)
    except (OSError, ArrowException) as error:
        raise InputInvalid(
            f"{where.partition('?')[0]} is no place for files: {' '.join(str(error).split())[:200]}",
            remedy="name a folder, or s3://bucket/prefix?region=eu-central-1",
            field="to",
        ) from error
    return Place(where.partition("?")[0], SubTreeFileSystem(path, filesystem))


class _Hashing(RawIOBase):
    """A stream that passes on what is written and knows its size and hash."""

    def __init__(self, stream: NativeFile) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()
        self.size_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, written: Any) -> int:
        size = memoryview(written).nbytes
        self._stream.write(written)
        self.digest.update(written)
        self.size_bytes += size
        return size
