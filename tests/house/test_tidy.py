"""The rules of the house hold for every file, and each rule finds the breach it was made for."""

import ast
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from tests.house import rules

REPOSITORY = Path(__file__).parents[2]
TEXT_SUFFIXES = {".cfg", ".css", ".csv", ".html", ".ini", ".js", ".json", ".mako", ".md", ".py", ".sql", ".toml"} | {
    *("", ".in", ".sh", ".txt", ".yaml", ".yml")
}
# These two hold planted breaches.
PLANTING = {PurePosixPath("tests/house/test_tidy.py"), PurePosixPath("tests/house/rules.py")}


def ignored_patterns() -> frozenset[str]:
    lines = (REPOSITORY / ".gitignore").read_text(encoding="utf-8").split()
    return frozenset(line.strip("/") for line in lines if not line.startswith("#"))


def texts_of_the_repository() -> Iterator[tuple[PurePosixPath, str]]:
    """Yield every text file that would be committed, by its path in the repository."""
    for entry in sorted(REPOSITORY.iterdir()):
        if entry.name not in rules.TOP_LEVEL or entry.name == ".git":
            continue
        for file in sorted(entry.rglob("*")) if entry.is_dir() else [entry]:
            path = PurePosixPath(file.relative_to(REPOSITORY))
            if file.is_file() and file.suffix in TEXT_SUFFIXES and "__pycache__" not in path.parts:
                yield path, file.read_text(encoding="utf-8")


def is_readable(path: PurePosixPath, text: str) -> bool:
    try:
        ast.parse(text if path.suffix == ".py" else "")
    except SyntaxError:
        return False
    return True


REPOSITORY_TEXTS = dict(texts_of_the_repository())
READABLE_TEXTS = {path: text for path, text in REPOSITORY_TEXTS.items() if is_readable(path, text)}


def test_python_can_read_every_file() -> None:
    assert sorted(REPOSITORY_TEXTS.keys() - READABLE_TEXTS.keys()) == []


@pytest.mark.parametrize("rule", rules.FILE_RULES, ids=lambda rule: rule.__name__)
def test_the_repository_keeps(rule: rules.Rule) -> None:
    breaches = [breach for path, text in READABLE_TEXTS.items() if path not in PLANTING for breach in rule(path, text)]

    assert not breaches, f"{rule.__doc__}\n" + "\n".join(breaches)


def test_the_top_level_holds_only_what_was_agreed() -> None:
    ignored = ignored_patterns()

    breaches = [each for entry in REPOSITORY.iterdir() for each in rules.top_level_is_settled(entry.name, ignored)]

    assert not breaches, "\n".join(breaches)


def test_every_unit_test_lives_where_its_subject_lives() -> None:
    paths = frozenset(REPOSITORY_TEXTS)

    breaches = [each for path in paths for each in rules.unit_test_has_its_subject(path, paths)]

    assert not breaches, "\n".join(sorted(breaches))


def test_files_longer_than_the_aim_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    long = {path: text.count("\n") for path, text in REPOSITORY_TEXTS.items() if path.suffix == ".py"}

    with capsys.disabled():
        for path, lines in sorted(long.items()):
            if lines > rules.FILE_LINES_AIM:
                print(f"\n{path} has {lines} lines; aim at {rules.FILE_LINES_AIM}", end="")  # noqa: T201 -- a warning

    assert all(lines <= rules.FILE_LINES_MAX for lines in long.values())


def lines_of(count: int, line: str = "    pass\n") -> str:
    return line * count


# Each row: the rule, where the breach is planted, the breach, and the same thing done right.
PLANTED = [
    (rules.file_is_short, "mdm/long.py", lines_of(501, "x = 1\n"), lines_of(500, "x = 1\n")),
    (rules.functions_fit_a_screen, "mdm/a.py", "def f():\n" + lines_of(70), "def f():\n" + lines_of(69)),
    (
        rules.functions_take_few_parameters,
        "mdm/a.py",
        "class A:\n    def f(self, a, b, c, *, d, e, f, g): ...\n",
        "class A:\n    def f(self, a, b, c, *, d, e, f): ...\n",
    ),
    (rules.functions_take_few_parameters, "mdm/a.py", "def f(a, b, c, d, e, *f, **g): ...", "def f(a, *b, **c): ..."),
    (rules.environment_is_read_in_settings, "mdm/a.py", "import os\nos.environ['X']", "import os\nos.getpid()"),
    (rules.environment_is_read_in_settings, "api/a.py", "import os\nos.getenv('X')", "from os import getpid"),
    (rules.environment_is_read_in_settings, "mdm/a.py", "from os import environ", "environ = 3"),
    (rules.one_place_commits, "mdm/identity/store.py", "connection.commit()", "connection.execute(commit)"),
    (rules.imports_stand_at_the_top, "mdm/a.py", "def f():\n    import json\n", "import json\ndef f(): ...\n"),
    (
        rules.imports_stand_at_the_top,
        "matching/a.py",
        "def f():\n    from mdm import ids\n",
        "def f():\n    import pyspark.sql\n",
    ),
    (rules.private_names_stay_private, "api/a.py", "from mdm.ids import _sortable", "from mdm.ids import GoldenId"),
    (rules.names_say_something, "mdm/utils.py", "", ""),
    (rules.names_say_something, "mdm/common/a.py", "", ""),
    (rules.names_say_something, "mdm/a.py", "class MatchManager: ...", "class MatchModel: ..."),
    (rules.names_say_something, "mdm/a.py", "def process(): ...", "def process_group(): ..."),
    (rules.names_say_something, "mdm/a.py", "def f(data): ...", "def f(metadata): ..."),
    (rules.names_say_something, "mdm/a.py", "for item in items: ...", "for member in members: ..."),
    (rules.names_say_something, "mdm/a.py", "tmp_folder = 1", "temperature = 1"),
    (rules.names_say_something, "mdm/a.py", "class StoreImpl: ...", "class Simple: ..."),
    (rules.module_opens_with_a_docstring, "mdm/a.py", "x = 1\n", '"""Why."""\nx = 1\n'),
    (rules.module_opens_with_a_docstring, "tests/test_a.py", "# why\nx = 1\n", ""),
    (rules.skips_give_a_reason, "tests/test_a.py", "pytest.skip()", "pytest.skip('no browser')"),
    (rules.skips_give_a_reason, "tests/test_a.py", "@pytest.mark.skip\ndef f(): ...", "def skip(): ..."),
    (
        rules.skips_give_a_reason,
        "tests/test_a.py",
        "pytest.mark.skipif(True)",
        "pytest.mark.skipif(True, reason='no browser')",
    ),
    (rules.pipeline_fits_one_screen, "mdm/pipeline.py", lines_of(121, "x\n"), lines_of(120, "x\n")),
    (rules.todos_have_an_issue, "mdm/a.py", "x = 1  # TODO mend\n", "x = 1  # TODO(#12) mend\n"),
    (rules.todos_have_an_issue, "mdm/a.py", "# FIXME\n", "x = 'TODO'\n"),
    (
        rules.exceptions_from_rules_give_a_reason,
        "mdm/a.py",
        "x = 1  # noqa: S311\n",
        "x = 1  # noqa: S311, DTZ001 -- no answer depends on it\n",
    ),
    (rules.exceptions_from_rules_give_a_reason, "tests/a.py", "x = 1  # noqa\n", "x = '# noqa'\n"),
    (rules.time_comes_from_the_clock, "mdm/a.py", "datetime.now(UTC)", "clock.now()"),
    (rules.time_comes_from_the_clock, "api/a.py", "date.today()", "datetime.fromisoformat(x)"),
    (rules.no_address_of_one_machine, "docs/a.md", "see /home/ada/hub", "see the home page"),
    (rules.no_address_of_one_machine, "README.md", "from ../elsewhere/file", "from docs/../README.md"),
    (rules.no_address_of_one_machine, "requirements/run.txt", "https://pypi.example/x", "a==1"),
    (rules.requirements_are_pins_with_hashes, "requirements/run.txt", "--extra-index-url https://x", "# a remark"),
    (rules.requirements_are_pins_with_hashes, "requirements/run.txt", "numpy>=2", "numpy==2.4.6 \\"),
    (rules.requirements_are_pins_with_hashes, "requirements/run.txt", "a @ file:///b/a.whl", "    --hash=sha256:00"),
    (rules.requirements_are_pins_with_hashes, "requirements/run.txt", "numpy==2.4.6", "a-b==1.0.post1 \\"),
    (rules.requirements_are_pins_with_hashes, "requirements/run.txt", "    # via -c /srv/a.txt", "    # via pandas"),
]


@pytest.mark.parametrize(("rule", "place", "breach", "right"), PLANTED)
def test_a_planted_breach_is_found_and_the_right_way_is_not(
    rule: rules.Rule, place: str, breach: str, right: str
) -> None:
    path = PurePosixPath(place)

    assert list(rule(path, breach))
    if breach != right:
        assert not list(rule(path, right))


def test_every_rule_has_a_planted_breach() -> None:
    assert {rule for rule, *_ in PLANTED} == set(rules.FILE_RULES)


def test_an_entry_nobody_agreed_on_is_found_at_the_top_level() -> None:
    ignored = frozenset({"*.egg-info", ".venv"})

    assert list(rules.top_level_is_settled("scripts", ignored))
    assert not list(rules.top_level_is_settled("mdm_hub.egg-info", ignored))
    assert not list(rules.top_level_is_settled("mdm", ignored))


def test_a_unit_test_without_its_subject_is_found() -> None:
    paths = frozenset({PurePosixPath("mdm/sources/store.py"), PurePosixPath("matching/standardise/__init__.py")})

    assert list(rules.unit_test_has_its_subject(PurePosixPath("tests/unit/sources/test_stores.py"), paths))
    assert not list(rules.unit_test_has_its_subject(PurePosixPath("tests/unit/sources/test_store.py"), paths))
    assert not list(rules.unit_test_has_its_subject(PurePosixPath("tests/unit/matching/test_standardise.py"), paths))


@pytest.mark.parametrize(
    ("rule", "place", "text"),
    [
        (rules.functions_take_few_parameters, "mdm/cli/load.py", "def load(a, b, c, d, e, f, g): ..."),
        (rules.functions_fit_a_screen, "migrations/versions/a.py", "def upgrade():\n" + lines_of(70)),
        (rules.imports_stand_at_the_top, "mdm/cli/load.py", "def load():\n    import json\n"),
        (rules.environment_is_read_in_settings, "mdm/settings.py", "import os\nos.environ"),
        (rules.one_place_commits, "mdm/db/transaction.py", "connection.commit()"),
        (rules.time_comes_from_the_clock, "mdm/clock.py", "datetime.now(UTC)"),
        (rules.names_say_something, "tests/test_a.py", "def f(tmp_path): ..."),
    ],
)
def test_the_one_place_that_may_is_left_alone(rule: rules.Rule, place: str, text: str) -> None:
    assert not list(rule(PurePosixPath(place), text))
