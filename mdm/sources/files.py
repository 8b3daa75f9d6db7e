"""Delivered files, whatever they are: CSV, TSV, Parquet, JSONL and XLSX, each as an iterator of rows in bounded memory.

A row is a mapping from column to text (or list, or object, where the format has them); an empty cell is "". Numbers
and dates become text, so that the same record says the same in every format; true and false stay what they are, for
they are no text. What is wrong with one row is a
value, a `FileFault`, given in its place; the rows around it are kept. What is wrong with the whole file raises
`FileUnreadable`, before the first row wherever that shows so early. A workbook is held in memory (bounded).
"""

from collections.abc import Callable, Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import Any, Final

from mdm.errors import FileUnreadable
from mdm.sources.files_csv import read_csv
from mdm.sources.files_faults import FileFault, OnFault, ignore
from mdm.sources.files_jsonl import read_jsonl
from mdm.sources.files_tables import read_parquet, read_xlsx

__all__ = ["FORMATS", "FileFault", "find_files", "format_of", "read_file"]

Row = tuple[int, dict[str, Any] | FileFault]

FORMATS: Final = {
    ".csv": "CSV",
    ".txt": "CSV",
    ".tsv": "TSV",
    ".tab": "TSV",
    ".jsonl": "JSONL",
    ".ndjson": "JSONL",
    ".json": "JSONL",
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".xlsx": "XLSX",
    ".xlsm": "XLSX",
}

# What the first bytes of a file prove it to be, whatever its name says.
_MAGIC: Final = (
    (b"PK\x03\x04", "a ZIP archive or Excel workbook"),
    (b"PAR1", "a Parquet file"),
    (b"\x1f\x8b", "gzip-compressed"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls) or one protected by a password"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "a SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"BZh", "bzip2-compressed"),
    (b"\xfd7zXZ", "xz-compressed"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed"),
)
_EXPECTED: Final = {"Parquet": "a Parquet file", "XLSX": "a ZIP archive or Excel workbook"}


def find_files(patterns: Sequence[str | Path]) -> tuple[Path, ...]:
    """Name the files that paths and glob patterns mean, sorted within a pattern and each once.

    A path that exists is taken as it stands, also with brackets in its name. What finds nothing is FileUnreadable.
    """
    found: dict[Path, None] = {}
    for pattern in map(str, patterns):
        paths = [Path(pattern)]
        if has_magic(pattern) and not paths[0].exists():
            paths = [Path(name) for name in sorted(glob(pattern, recursive=True)) if Path(name).is_file()]  # noqa: PTH207 -- absolute patterns too
            if not paths:
                raise FileUnreadable(pattern, "no file matches this pattern", remedy="check the folder and the pattern")
        found.update(dict.fromkeys(paths))
    return tuple(found)


def read_file(
    path: str | Path,
    *,
    sheet: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    on_note: OnFault = ignore,
) -> Iterator[Row]:
    """Read a delivered file row by row; a row with faults comes as FileFault values, each under the row's number.

    sheet      name of the sheet of a workbook; left out: the only one, or the first that is not empty
    delimiter  between the cells of a CSV file; left out: found from its first lines
    encoding   of a text file; left out: from its byte order mark, else UTF-8, or cp1252 where next to no line is that
    on_note    hears how the file as a whole was read where that is a guess
    returns    (row number, row or fault); the number is the line (text), the row of the sheet, or 1, 2, … (Parquet)
    """
    path = Path(path)
    format_name = format_of(path)
    readers: dict[str, Callable[[], Iterator[Row]]] = {
        "CSV": lambda: read_csv(path, delimiter=delimiter, encoding=encoding, on_note=on_note),
        "TSV": lambda: read_csv(path, delimiter=delimiter or "\t", encoding=encoding, on_note=on_note),
        "JSONL": lambda: read_jsonl(path, encoding=encoding, on_note=on_note),
        "Parquet": lambda: read_parquet(path),
        "XLSX": lambda: read_xlsx(path, sheet=sheet),
    }
    return readers[format_name]()


def format_of(path: Path) -> str:
    """Tell a file's format by its name and prove it by its first bytes; raises FileUnreadable."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    is_gzipped = suffixes[-1:] == [".gz"]
    suffix = (suffixes[:-1] if is_gzipped else suffixes)[-1:]
    format_name = FORMATS.get(suffix[0] if suffix else "")
    head = _head(path)
    if format_name is None or (is_gzipped and format_name in _EXPECTED):
        known = ", ".join(sorted(FORMATS))
        raise FileUnreadable(
            str(path), "its name does not tell a format", remedy=f"name it {known}; text formats also with .gz"
        )
    found = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    expected = "gzip-compressed" if is_gzipped else _EXPECTED.get(format_name)
    if found != expected:
        said = f"{format_name}, gzip-compressed" if is_gzipped else format_name
        is_protected = found is not None and "password" in found
        raise FileUnreadable(
            str(path),
            f"its name says {said}, but it is {found or f'not {expected}'}",
            remedy="save it as .xlsx without a password"
            if is_protected
            else "give it the name of what it is, or export it again",
        )
    return format_name


def _head(path: Path) -> bytes:
    if path.is_dir():
        raise FileUnreadable(str(path), "is a folder", remedy=f"name the files in it, for example {path}/*.csv")
    if path.exists() and not path.is_file():
        raise FileUnreadable(
            str(path), "is a pipe or device, and files are read twice", remedy="save it as a file first"
        )
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError:
        raise FileUnreadable(str(path), "there is no such file", remedy="check the path") from None
    except OSError as error:
        raise FileUnreadable(
            str(path), f"cannot be opened ({error.strerror})", remedy="check its permissions"
        ) from error
    if not head:
        raise FileUnreadable(str(path), "is empty", remedy="export it again")
    return head
