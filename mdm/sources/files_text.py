"""Text files as lines: unzipped, decoded and bounded, with the encoding found from all of their bytes.

A first pass reads the whole file once, in pieces. It finds the encoding, and it stops a file that grows without bound,
whose header or only line has no end or that is no text at all, so that nothing of such a file is ever taken in. Any
other line beyond the bound costs that line alone.
"""

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, Final, cast

from mdm.errors import FileUnreadable
from mdm.sources.files_faults import FileFault, fault

EXPANDED_BYTES_MAX: Final = 64 << 30  # chosen: 64 GiB, two hundred million rows
RATIO_MAX: Final = 200  # chosen: real exports shrink 3 to 30 times, gzip reaches 1,032 on zeros
RATIO_FREE_BYTES: Final = 128 << 20  # chosen: below 128 MiB a ratio does no harm
LINE_BYTES_MAX: Final = 8 << 20  # chosen: the bound of a batch request body

_PIECE_BYTES: Final = 1 << 20
_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\r\f\x1a\x1b")) + b"\x7f"
_CONTROLS_SHARE_MAX: Final = 0.05  # chosen: text has none, random bytes 11 %
_ESCAPED: Final = re.compile("[\udc80-\udcff]")  # a byte that is no UTF-8, as it is decoded
_HALF: Final = re.compile("\udced[\udca0-\udcbf][\udc80-\udcbf]")
_BROKEN_LINE: Final = re.compile("[\udc80-\udcff][^\r\n]*")
_NON_ASCII_LINE: Final = re.compile("[^\x00-\x7f][^\r\n]*")
_BROKEN_LINES_MIN: Final = 2  # chosen: a capital and a typographic quote of Windows are UTF-8 by chance, in few lines


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file that may be read: its encoding, and what its bytes hold that needs a look at each row.

    lines_guessed  how many lines made the encoding a guess; 0 where it is known
    """

    path: Path
    encoding: str
    lines_guessed: int
    has_nul: bool
    has_broken_bytes: bool
    has_apostrophe: bool
    has_long_lines: bool
    quotes_count: int

    @property
    def is_gzipped(self) -> bool:
        """Tell whether the bytes are compressed."""
        return self.path.suffix.lower() == ".gz"

    @property
    def is_suspect(self) -> bool:
        """Tell whether some row may hold a character that no database takes."""
        return self.has_nul or self.has_broken_bytes

    @property
    def is_plain(self) -> bool:
        """Tell whether no row needs a look at its characters, its quotes or its length."""
        return not (self.is_suspect or self.has_long_lines or self.quotes_count % 2)

    @contextmanager
    def open(self) -> Iterator[IO[str]]:
        """Open the decoded text; line ends stay as they are, and bytes that cannot be read become lone surrogates."""
        with _open_bytes(self.path) as stream:
            errors = "strict" if self.encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
            try:
                yield TextIOWrapper(cast("Any", stream), encoding=self.encoding, errors=errors, newline="")
            except UnicodeError as error:
                reason = f"is not {self.encoding} ({error})"
                raise FileUnreadable(str(self.path), reason, remedy="export it again as UTF-8") from error


def inspect_text(path: Path, encoding: str | None = None, *, has_header: bool = True) -> TextFile:
    """Read all bytes of a text file once and say how to read it; raises FileUnreadable."""
    survey = _Survey(path, None if encoding is None else _known(path, encoding), has_header=has_header)
    with _open_bytes(path) as stream:
        while piece := _read(path, stream):
            survey.add(piece)
    return survey.finish()


def bounded_lines(stream: IO[str]) -> Iterator[str | None]:
    """Give the lines of a text; None stands for one beyond the bound, of which no more than that is ever held."""
    size = LINE_BYTES_MAX + 2  # the line end does not count, and may have two characters
    is_cut = False
    while line := stream.readline(size):
        if is_cut and line == "\n":
            is_cut = False  # the second half of the line end before it
            continue
        is_too_long = len(line) > LINE_BYTES_MAX and len(line.rstrip("\r\n")) > LINE_BYTES_MAX
        if not is_too_long:
            yield line
            continue
        while line and not line.endswith(("\n", "\r")):
            line = stream.readline(size)
        is_cut = line.endswith("\r")
        yield None


def line_fault(path: Path, number: int) -> FileFault:
    """Say that a line is beyond the bound."""
    reason = f"is longer than {LINE_BYTES_MAX:,} bytes"
    return fault(path, number, "", "line_too_long", reason, "write one record a line, and shorten what it holds")


class _Survey:
    """What is known of a text file's bytes after the pieces seen so far."""

    def __init__(self, path: Path, encoding: str | None, *, has_header: bool) -> None:
        self._path = path
        self._has_header = has_header
        self._is_named = encoding is not None
        self._encoding = encoding or ""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._stored = path.stat().st_size
        self._bytes = self._line_bytes = self._line = 0
        self._sound_lines = self._broken_lines = 0
        self._has_broken_bytes = False
        self._quotes = 0
        self._has_nul = self._has_apostrophe = self._has_text = self._has_long_lines = False

    def add(self, piece: bytes) -> None:
        """Look at the next piece."""
        if not self._bytes:
            self._begin(piece)
        self._bytes += len(piece)
        self._check_growth()
        self._check_lines(piece)
        self._has_nul |= b"\0" in piece
        self._has_apostrophe |= b"'" in piece
        self._has_text = self._has_text or bool(piece.strip(b" \t\r\n\0\xff\xfe\xef\xbb\xbf"))
        self._quotes += piece.count(b'"')
        if self._decoder is not None and (not piece.isascii() or self._decoder.getstate()[0]):
            self._count(self._decoder.decode(piece))

    def finish(self) -> TextFile:
        """Decide the encoding once all bytes were seen."""
        if not self._has_text:
            raise FileUnreadable(str(self._path), "is empty", remedy="export it again")
        if self._has_long_lines and self._line + bool(self._line_bytes) == 1:
            raise self._without_lines()
        if self._decoder is not None:
            self._count(self._decoder.decode(b"", final=True))
        # Where sound lines are not few beside the broken ones, these are broken and not the file: whoever takes it for
        # that of Windows would spoil the sound ones. A byte order mark leaves nothing to guess.
        is_guess = not self._is_named and self._encoding == "utf-8"
        is_windows = is_guess and self._broken_lines > _BROKEN_LINES_MIN * self._sound_lines
        return TextFile(
            path=self._path,
            encoding="cp1252" if is_windows else self._encoding,
            lines_guessed=self._broken_lines if is_windows else 0,
            has_nul=self._has_nul,  # of a wide encoding half the bytes are: its rows are all looked at
            has_broken_bytes=self._has_broken_bytes,
            has_apostrophe=self._has_apostrophe,
            has_long_lines=self._has_long_lines,
            quotes_count=self._quotes,
        )

    def _begin(self, piece: bytes) -> None:
        if self._encoding == "utf-8" and piece.startswith(codecs.BOM_UTF8):
            self._encoding = "utf-8-sig"
        if not self._encoding:
            self._encoding = next((name for bom, name in _BOMS if piece.startswith(bom)), "") or _guess_wide(piece)
        if self._encoding in ("utf-8", "utf-8-sig"):
            self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        if not self._encoding.startswith(("utf-16", "utf-32")):
            self._check_text(piece[: 1 << 16])

    def _check_text(self, head: bytes) -> None:
        controls = len(head) - len(head.translate(None, _CONTROLS))
        is_odd = b"\0" in head or not _is_utf8(head)
        if is_odd and controls > max(4, _CONTROLS_SHARE_MAX * len(head)):
            remedy = "export it as CSV, JSONL, Parquet or XLSX"
            raise FileUnreadable(str(self._path), "is binary, not text", remedy=remedy)

    def _check_growth(self) -> None:
        is_bomb = self._bytes > RATIO_FREE_BYTES and self._bytes > RATIO_MAX * self._stored
        if is_bomb or self._bytes > EXPANDED_BYTES_MAX:
            reason = f"{self._stored:,} bytes expand to more than {self._bytes:,}, as no real export does"
            raise FileUnreadable(str(self._path), reason, remedy="unpack it yourself, look at it and cut it into parts")

    def _check_lines(self, piece: bytes) -> None:
        separator = b"\n" if b"\n" in piece else b"\r"
        ends = piece.count(separator)
        # Within a piece no line reaches the bound by itself: only the one that it goes on with can.
        self._line_bytes += piece.find(separator) if ends else len(piece)
        self._has_long_lines |= self._line_bytes > LINE_BYTES_MAX
        if self._has_header and self._has_long_lines and not self._line:
            raise self._without_lines()
        if ends:
            self._line_bytes = len(piece) - piece.rfind(separator) - 1
        self._line += ends

    def _without_lines(self) -> FileUnreadable:
        reason = f"line 1 is longer than {LINE_BYTES_MAX:,} bytes"
        remedy = "check that it is a text file with one record a line"
        return FileUnreadable(str(self._path), reason, remedy=remedy)

    def _count(self, text: str) -> None:
        if not _ESCAPED.search(text):
            self._sound_lines += min(text.count("\n") + 1, len(text) - len(text.encode("ascii", "ignore")))
            return
        self._has_broken_bytes = True
        text = _HALF.sub("\ufffd", text)  # half a character is broken, and a sign of UTF-8 all the same
        broken = len(_BROKEN_LINE.findall(text))
        self._broken_lines += broken
        self._sound_lines += len(_NON_ASCII_LINE.findall(text)) - broken


def _guess_wide(piece: bytes) -> str:
    """Tell UTF-16 without a byte order mark, by the zeros of its ASCII characters, from UTF-8."""
    head = piece[:4096]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) // 5 and not even:
        return "utf-16-le"
    if even > len(head) // 5 and not odd:
        return "utf-16-be"
    return "utf-8"


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _open_bytes(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix.lower() == ".gz" else path.open("rb")


def _read(path: Path, stream: IO[bytes]) -> bytes:
    try:
        return stream.read(_PIECE_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise FileUnreadable(str(path), f"cannot be unpacked ({error})", remedy="copy or export it again") from error


def _known(path: Path, encoding: str) -> str:
    try:
        "".encode(encoding)  # refuses codecs that are no encoding of text
        return codecs.lookup(encoding).name
    except LookupError:
        reason = f"there is no encoding {encoding[:40]!r}"
        raise FileUnreadable(str(path), reason, remedy="name one like utf-8, utf-16, cp1252 or iso-8859-15") from None
