"""A declaration without its matching section, to measure what the semantic types give by themselves."""

import re
from pathlib import Path


def without_matching(declaration: Path, folder: Path) -> Path:
    """Write a copy of a declaration that ends before its matching section."""
    copy = folder / declaration.name
    text = declaration.read_text(encoding="utf-8")
    copy.write_text(re.split(r"(?m)^# Evidence|^matching:", text)[0], encoding="utf-8")
    return copy
