"""Two kinds of import contract that import-linter lacks: which libraries a module may use, and who may use a library.

In both, patterns take `*` for anything, dots included, and hold for modules that are not written yet.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

_STANDARD = sys.stdlib_module_names


class AllowedLibraries(Contract):
    """Modules that may import the standard library, the project's own packages and the libraries listed."""

    type_name = "allowed_libraries"

    modules = fields.ListField(subfield=fields.StringField())
    except_modules = fields.ListField(subfield=fields.StringField(), required=False)
    libraries = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find imports of a library that is not listed."""
        modules = cast("list[str]", self.modules)
        except_modules = cast("list[str] | None", self.except_modules) or []
        allowed = cast("list[str]", self.libraries)
        return _verdict(
            (importer, library, line)
            for importer, library, line in _library_imports(graph, self.session_options["root_packages"])
            if _matches(importer, modules) and not _matches(importer, except_modules) and library not in allowed
        )

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each breach with its line."""
        _print_breaches(check, "may not use")


class ReservedLibraries(Contract):
    """Libraries that only the modules listed may import."""

    type_name = "reserved_libraries"

    libraries = fields.ListField(subfield=fields.StringField())
    modules = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find imports of a reserved library from anywhere else."""
        modules = cast("list[str]", self.modules)
        reserved = cast("list[str]", self.libraries)
        return _verdict(
            (importer, library, line)
            for importer, library, line in _library_imports(graph, self.session_options["root_packages"])
            if library in reserved and not _matches(importer, modules)
        )

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each breach with its line."""
        _print_breaches(check, "is not among the users of")


def _library_imports(graph: ImportGraph, own: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Yield (importer, library, line) of each import that leaves the project and the standard library."""
    for library in sorted(graph.modules):
        if library.partition(".")[0] in {*own, *_STANDARD}:
            continue
        for importer in sorted(graph.find_modules_that_directly_import(library)):
            for detail in graph.get_import_details(importer=importer, imported=library):
                yield importer, library, detail["line_number"]


def _matches(module: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(module, pattern) for pattern in patterns)


def _verdict(breaches: Iterable[tuple[str, str, int]]) -> ContractCheck:
    found = list(breaches)
    return ContractCheck(kept=not found, metadata={"breaches": found})


def _print_breaches(check: ContractCheck, words: str) -> None:
    for importer, library, line in check.metadata["breaches"]:
        output.print_error(f"{importer} {words} {library} (l.{line})", bold=False)
