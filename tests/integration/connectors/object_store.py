"""A small object store that speaks as much S3 as a writer of files needs, over real HTTP on this machine.

Objects appear when a PUT or a multipart upload is complete, as in the real ones. Signatures are not checked.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase, BytesIO
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_NAMED = '<?xml version="1.0" encoding="UTF-8"?><{0}>{1}</{0}>'


class ObjectStore(ThreadingHTTPServer):
    """The server: objects by bucket/key, and the parts of uploads that are not complete."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.refuses = False


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Run a store for the length of a block."""
    store = ObjectStore()
    thread = Thread(target=store.serve_forever, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        store.shutdown()
        store.server_close()
        thread.join()


class _Talk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ObjectStore

    def do_PUT(self) -> None:
        body = self._body()
        key, asked = self._asked()
        if self.server.refuses:
            self._answer(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
        elif "uploadId" in asked:
            self.server.parts[asked["uploadId"][0]][int(asked["partNumber"][0])] = body
            self._answer(200, etag='"part"')
        else:
            self.server.objects[key] = body
            self._answer(200, etag='"whole"')

    def do_POST(self) -> None:
        self._body()
        key, asked = self._asked()
        if "uploads" in asked:
            upload = f"upload-{len(self.server.parts)}"
            self.server.parts[upload] = {}
            self._answer(
                200,
                _NAMED.format(
                    "InitiateMultipartUploadResult", f"<Key>{key}</Key><UploadId>{upload}</UploadId>"
                ).encode(),
            )
        elif "uploadId" in asked:
            parts = self.server.parts.pop(asked["uploadId"][0])
            self.server.objects[key] = b"".join(parts[number] for number in sorted(parts))
            self._answer(
                200, _NAMED.format("CompleteMultipartUploadResult", f"<Key>{key}</Key><ETag>whole</ETag>").encode()
            )
        else:
            self._answer(400)

    def do_HEAD(self) -> None:
        key, _ = self._asked()
        found = self.server.objects.get(key)
        if "/" not in key or found is not None:
            self._answer(200, length=len(found or b""), is_bodiless=True)
        else:
            self._answer(404, is_bodiless=True)

    def do_GET(self) -> None:
        key, asked = self._asked()
        if "list-type" in asked:
            bucket, prefix = key.partition("/")[0], asked.get("prefix", [""])[0]
            names = [name.partition("/")[2] for name in self.server.objects if name.startswith(f"{bucket}/{prefix}")]
            listed = "".join(f"<Contents><Key>{name}</Key><Size>1</Size></Contents>" for name in names)
            self._answer(200, _NAMED.format("ListBucketResult", f"<KeyCount>{len(names)}</KeyCount>{listed}").encode())
        elif key not in self.server.objects:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        elif found := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")):
            self._answer(206, self.server.objects[key][int(found[1]) : int(found[2]) + 1])
        else:
            self._answer(200, self.server.objects[key])

    def do_DELETE(self) -> None:
        key, _ = self._asked()
        self.server.objects.pop(key, None)
        self._answer(204)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _asked(self) -> tuple[str, dict[str, list[str]]]:
        parted = urlsplit(self.path)
        return unquote(parted.path).strip("/"), parse_qs(parted.query, keep_blank_values=True)

    def _body(self) -> bytes:
        """Read what was sent: chunked by HTTP, and within that once more by S3, with a checksum behind."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = _unchunked(self.rfile)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return _unchunked(BytesIO(body)) if "aws-chunked" in self.headers.get("Content-Encoding", "") else body

    def _answer(
        self, status: int, body: bytes = b"", *, etag: str = "", length: int | None = None, is_bodiless: bool = False
    ) -> None:
        self.send_response(status)
        if etag:
            self.send_header("ETag", etag)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if not is_bodiless:
            self.wfile.write(body)


def _unchunked(stream: BufferedIOBase) -> bytes:
    found = []
    while size := int(stream.readline().partition(b";")[0], 16):
        found.append(stream.read(size))
        stream.readline()
    while stream.readline().strip():
        pass
    return b"".join(found)
