"""Code lists: the codes an attribute may take, and the words each source uses for them.

A list is a YAML file (see declaration.CodeListDeclaration) or a CSV with the columns code, title, synonyms (parted
by ;). A source's own words win over the general ones, and what is no code and no synonym stays unknown: the hub
never guesses a code.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from matching.standardise import FORMS
from mdm.entities.declaration import CodeDeclaration, CodeListDeclaration
from mdm.entities.document import Document, Fault, read_document, read_text
from mdm.entities.legible import is_unread, legible
from mdm.entities.model import CodeList, Origin
from mdm.entities.shape import check_shape, suggest


def fold(word: str) -> str:
    """Bring a word to the form it is looked up by: lower-case letters and digits only, so that "Net 30" is "NET-30"."""
    normal = unicodedata.normalize("NFKC", word).casefold()
    return "".join(letter for letter in normal if letter.isalnum()) or normal.strip()


def translate(code_list: CodeList, word: str, origin: Origin) -> str | None:
    """Find the code that a source means by a word: None if it is none, "" if the word says nothing.

    The source named that is closest to the record's own wins, then the words that hold for all, then the form.
    """
    folded = fold(word)
    for source in origin.closest(code_list.by_source):
        if folded in code_list.by_source[source]:
            return code_list.by_source[source][folded]
    if word in code_list.codes:
        return word
    return code_list.synonyms.get(folded) or _read(code_list.form, word)


def _read(form: str | None, word: str) -> str | None:
    """Let a compare form read a word."""
    found = FORMS[form]([word], [""])[0] if form else ()
    return found[0].upper() if found else None


@dataclass(frozen=True, slots=True)
class Listed:
    """What files of code lists say.

    lists   by name; of one with faults what is legible
    names   of all lists, also of those that could not be read; None where a name is not known either
    """

    lists: dict[str, CodeList]
    names: frozenset[str] | None
    faults: list[Fault]


def read_code_lists(folders: Iterable[Path]) -> Listed:
    """Read `code_lists` of every folder; a later folder adds to a list of the same name and has the last word."""
    lists: dict[str, CodeList] = {}
    names, faults = set[str | None](), list[Fault]()
    for folder in folders:
        for path in sorted((folder / "code_lists").glob("*")):
            if path.suffix not in {".yaml", ".yml", ".csv"}:
                continue
            document, found = _csv_document(path) if path.suffix == ".csv" else read_document(path)
            faults += found
            if document is None:
                names.add(path.stem if path.suffix == ".csv" else None)
                continue
            part = legible(CodeListDeclaration, document.content)
            names.add(part.code_list)
            before = lists.get(part.code_list) or CodeList(part.code_list, part.title, {})
            faults += [*check_shape(document, CodeListDeclaration)[1], *_crosscheck(document, part, before)]
            lists[part.code_list] = _add(part, before)
    known = frozenset(name for name in names if name is not None)
    return Listed(lists, known if None not in names else None, faults)


def _csv_document(path: Path) -> tuple[Document | None, tuple[Fault, ...]]:
    """Read a CSV as the same document that a YAML file would give."""
    text, unread = read_text(path)
    if text is None:
        return None, unread
    reader = csv.DictReader(io.StringIO(text, newline=None))
    try:
        columns, rows = reader.fieldnames, [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        remedy = "write one code a line, as code,title,synonyms"
        return None, (Fault(str(path), reader.line_num + 1, "", f"is not CSV ({error})", remedy),)
    if not {"code", "title"} <= set(columns or ()):
        remedy = "begin with the line code,title,synonyms"
        return None, (Fault(str(path), 1, "", "has no columns code and title", remedy),)
    codes: dict[str, dict[str, object]] = {}
    lines: dict[tuple[str | int, ...], int] = {(): 1}
    faults = []
    for number, row in rows:
        code = (row["code"] or "").strip()
        if code in codes:
            faults.append(
                Fault(str(path), number, "", f"the code {code} stands here a second time", "keep one of the two")
            )
            continue
        lines["codes", code] = number
        synonyms = [word.strip() for word in (row.get("synonyms") or "").split(";") if word.strip()]
        codes[code] = {"title": (row["title"] or "").strip(), "synonyms": synonyms}
    content = {"code_list": path.stem, "title": path.stem.replace("_", " ").capitalize(), "codes": codes}
    return Document(str(path), content, lines), tuple(faults)


def _crosscheck(document: Document, part: CodeListDeclaration, before: CodeList) -> Iterator[Fault]:
    """Tell of words with two meanings, and of names that are used and not declared."""
    for owner, synonym, other in _synonyms(part.codes)[1]:
        problem = f"{synonym!r} means {other} already"
        yield document.fault(("codes", owner, "synonyms"), problem, "keep it at one of the two")
    form = part.form or before.form
    is_form_known = not is_unread(part, "form") and (form is None or form in FORMS)
    if not is_form_known and part.form is not None:
        remedy = suggest(part.form, FORMS, otherwise="name a form that exists")
        yield document.fault(("form",), f"there is no form {part.form}", remedy)
    if is_unread(part, "codes"):
        return  # which codes there are is not known
    codes = before.codes.keys() | part.codes.keys()
    # Of a form that is not known yet, a code is wrong that none of them reads.
    forms = [form] if is_form_known else FORMS
    for source, words in part.by_source.items():
        for word, code in (words or {}).items():
            if code is not None and code not in codes and all(_read(each, code) != code for each in forms):
                remedy = suggest(code, codes, otherwise="declare the code")
                yield document.fault(("by_source", source, word), f"there is no code {code}", remedy)


def _add(part: CodeListDeclaration, before: CodeList) -> CodeList:
    """Lay a list over what the folders before said of it."""
    by_source = {source: dict(words) for source, words in before.by_source.items()}
    for source, words in part.by_source.items():
        folded = {fold(word): code or "" for word, code in (words or {}).items()}
        by_source[source] = by_source.get(source, {}) | folded
    codes = {**before.codes, **{code: entry.title for code, entry in part.codes.items()}}
    known = {**before.synonyms, **_synonyms(part.codes)[0]}
    return CodeList(before.name, part.title, codes, known, by_source, part.form or before.form)


def _synonyms(codes: Mapping[str, CodeDeclaration]) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """Look codes, titles and synonyms up alike; and give code, word and other code of each that means two."""
    exact = {fold(part.title): code for code, part in codes.items() if part.title}
    words = [(code, word) for code, part in codes.items() for word in filter(None, part.synonyms)]
    synonyms = exact | {fold(code): code for code in codes}
    for code, word in words:
        synonyms.setdefault(fold(word), code)
    return synonyms, [(code, word, synonyms[fold(word)]) for code, word in words if synonyms[fold(word)] != code]
