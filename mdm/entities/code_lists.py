"""Code lists: the codes an attribute may take, and the words each source uses for them.

A list is a YAML file (see declaration.CodeListDeclaration) or a CSV with the columns code, title, synonyms (parted
by ;). A source's own words win over the general ones, and what is no code and no synonym stays unknown: the hub
never guesses a code.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from matching.standardise import FORMS
from mdm.entities.declaration import CodeDeclaration, CodeListDeclaration
from mdm.entities.document import Document, Fault, parse_document, read_text
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


def read_code_lists(folders: Iterable[Path]) -> tuple[dict[str, CodeList], list[Fault]]:
    """Read `code_lists` of every folder; a later folder adds to a list of the same name and has the last word."""
    lists: dict[str, CodeList] = {}
    faults: list[Fault] = []
    for folder in folders:
        for path in sorted((folder / "code_lists").glob("*")):
            if path.suffix not in {".yaml", ".yml", ".csv"}:
                continue
            text, found = read_text(path)
            if text is not None and path.suffix == ".csv":
                document, found = _csv_document(path, text)
            elif text is not None:
                document, found = parse_document(text, str(path))
            else:
                document = None
            faults += found
            if document is not None:
                faults += _add(document, lists)
    return lists, faults


def _csv_document(path: Path, text: str) -> tuple[Document | None, tuple[Fault, ...]]:
    """Read a CSV as the same document that a YAML file would give."""
    reader = csv.DictReader(io.StringIO(text))
    if not {"code", "title"} <= set(reader.fieldnames or ()):
        remedy = "begin with the line code,title,synonyms"
        return None, (Fault(str(path), 1, "", "has no columns code and title", remedy),)
    codes: dict[str, dict[str, object]] = {}
    lines: dict[tuple[str | int, ...], int] = {(): 1}
    faults = []
    for row in reader:
        code = (row["code"] or "").strip()
        if code in codes:
            faults.append(
                Fault(
                    str(path), reader.line_num, "", f"the code {code} stands here a second time", "keep one of the two"
                )
            )
            continue
        lines["codes", code] = reader.line_num
        synonyms = [word.strip() for word in (row.get("synonyms") or "").split(";") if word.strip()]
        codes[code] = {"title": (row["title"] or "").strip(), "synonyms": synonyms}
    content = {"code_list": path.stem, "title": path.stem.replace("_", " ").capitalize(), "codes": codes}
    return Document(str(path), content, lines), tuple(faults)


def _add(document: Document, lists: dict[str, CodeList]) -> list[Fault]:
    declaration, faults = check_shape(document, CodeListDeclaration)
    if declaration is None:
        return faults
    before = lists.get(declaration.code_list) or CodeList(declaration.code_list, declaration.title, {})
    codes = {**before.codes, **{code: part.title for code, part in declaration.codes.items()}}
    synonyms, faults = _synonyms(document, declaration.codes)
    form = declaration.form or before.form
    if form is not None and form not in FORMS:
        remedy = suggest(form, FORMS, otherwise="name a form that exists")
        return [*faults, document.fault(("form",), f"there is no form {form}", remedy)]
    by_source = {source: dict(words) for source, words in before.by_source.items()}
    for source, words in declaration.by_source.items():
        for word, code in words.items():
            if code is not None and code not in codes and _read(form, code) != code:
                remedy = suggest(code, codes, otherwise="declare the code")
                faults.append(document.fault(("by_source", source, word), f"there is no code {code}", remedy))
            by_source.setdefault(source, {})[fold(word)] = code or ""
    known = {**before.synonyms, **synonyms}
    lists[declaration.code_list] = CodeList(before.name, declaration.title, codes, known, by_source, form)
    return faults


def _synonyms(document: Document, codes: Mapping[str, CodeDeclaration]) -> tuple[dict[str, str], list[Fault]]:
    """Look codes, titles and synonyms up alike; a synonym that means two codes is a fault."""
    exact = {fold(part.title): code for code, part in codes.items()} | {fold(code): code for code in codes}
    synonyms, faults = dict(exact), []
    for code, part in codes.items():
        for word in part.synonyms:
            other = synonyms.setdefault(fold(word), code)
            if other != code:
                problem = f"{word!r} means {other} already"
                faults.append(document.fault(("codes", code, "synonyms"), problem, "keep it at one of the two"))
    return synonyms, faults
