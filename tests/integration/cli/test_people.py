"""`mdm people`: the errands of whoever runs the hub."""

from tests.integration.cli.conftest import Mdm, document, lines


def test_somebody_is_added_with_a_link_that_is_shown_once(mdm: Mdm) -> None:
    added = mdm("people", "add", "Anna@Example.com", "--name", "Anna Berg", "-e", "customer", "-s", "crm-eu")

    assert added.exit_code == 0, added.stderr
    assert added.stdout.startswith("http://127.0.0.1:8000/sign-in/link/")
    assert added.stdout.count("\n") == 1
    assert "good once" in added.stderr
    (listed,) = lines(mdm("people", "list", "--json"))
    assert (listed["login"], listed["role"], listed["state"]) == ("anna@example.com", "steward", "invited")
    assert (listed["entity_types"], listed["sources"]) == (["customer"], ["crm-eu"])
    assert added.stdout.strip()[-43:] not in mdm("people", "list", "--json").stdout


def test_another_link_replaces_the_first(mdm: Mdm) -> None:
    first = document(mdm("people", "add", "anna", "--name", "Anna", "--json"))

    second = document(mdm("people", "link", "ANNA", "--json"))

    assert first["link"] != second["link"]
    assert mdm("check").exit_code == 0


def test_limits_are_replaced_and_taken_away(mdm: Mdm) -> None:
    mdm("people", "add", "anna", "--name", "Anna", "-e", "customer")

    limited = document(mdm("people", "change", "anna", "-e", "project", "-e", "contract", "--role", "lead", "--json"))
    freed = document(mdm("people", "change", "anna", "--everywhere", "--name", "Anna Berg", "--json"))

    assert (limited["role"], limited["entity_types"]) == ("lead", ["project", "contract"])
    assert (freed["role"], freed["entity_types"], freed["name"]) == ("lead", [], "Anna Berg")
    assert mdm("people", "change", "anna", "--everywhere", "-e", "project").exit_code == 2


def test_somebody_is_disabled_and_enabled(mdm: Mdm) -> None:
    mdm("people", "add", "anna", "--name", "Anna", "--role", "viewer")

    assert "disabled" in mdm("people", "disable", "anna").stdout
    assert "enable the person first" in mdm("people", "link", "anna").stderr
    assert "invited" in mdm("people", "enable", "anna").stdout
    assert "disabled" not in mdm("people", "list").stdout


def test_what_cannot_be_is_refused_with_what_to_do(mdm: Mdm) -> None:
    mdm("people", "add", "ada", "--name", "Ada", "--role", "admin")

    assert "last administrator" in mdm("people", "disable", "ada").stderr
    assert "taken" in mdm("people", "add", "ADA", "--name", "Ada").stderr
    assert "mdm people list" in mdm("people", "disable", "nobody").stderr
    assert "viewer, steward, lead" in mdm("people", "add", "b", "--name", "B", "--role", "boss").stderr
    assert "no people" not in mdm("people", "list").stdout
