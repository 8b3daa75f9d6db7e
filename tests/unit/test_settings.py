"""Settings: defaults, the environment, and what a faulty variable is told."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import pytest
from pydantic import ValidationError

from mdm.errors import SettingsInvalid
from mdm.settings import Settings, load_settings, variables


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables():
        monkeypatch.delenv(name, raising=False)


def test_nothing_needs_to_be_set() -> None:
    settings = load_settings()

    assert settings.home == Path(".mdm")
    assert settings.database_url is None
    assert settings.entities == ()
    assert (settings.chunk_records, settings.locks_max, settings.json_depth_max) == (40, 500, 32)


def test_variables_are_read_in_their_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDM_HOME", "/srv/hub")
    monkeypatch.setenv("MDM_HTTP_PORT", "8080")
    monkeypatch.setenv("MDM_ENTITIES", "/srv/one:/srv/two")

    settings = load_settings()

    assert settings.home == Path("/srv/hub")
    assert settings.http_port == 8080
    assert settings.entities == (Path("/srv/one"), Path("/srv/two"))


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDM_DATABASE_URL", "")
    monkeypatch.setenv("MDM_POOL_SIZE", "")

    settings = load_settings()

    assert settings.database_url is None
    assert settings.pool_size == 10


def test_an_unknown_variable_names_the_nearest_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDM_DATABSE_URL", "postgresql://hub")

    with pytest.raises(SettingsInvalid) as refused:
        load_settings()

    assert refused.value.message == "MDM_DATABSE_URL is no setting; the nearest one is MDM_DATABASE_URL"
    assert refused.value.field == "MDM_DATABSE_URL"
    assert "postgresql" not in str(refused.value)


def test_every_unknown_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDM_PORT", "1")
    monkeypatch.setenv("MDM_LOGLEVEL", "debug")

    with pytest.raises(SettingsInvalid, match=r"MDM_LOGLEVEL is no setting.*MDM_LOG_LEVEL; MDM_PORT is no setting"):
        load_settings()


def test_variables_of_the_test_suite_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDM_TEST_POSTGRES_BIN", "/usr/bin")
    monkeypatch.setenv("MDM_LABELLED_DATA", "/srv/sets")

    assert load_settings() == Settings()


def test_a_faulty_value_is_named_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDM_POOL_SIZE", "secret-by-mistake")
    monkeypatch.setenv("MDM_JSON_DEPTH_MAX", "1")

    with pytest.raises(SettingsInvalid) as refused:
        load_settings()

    assert "MDM_POOL_SIZE: Input should be a valid integer" in refused.value.message
    assert "MDM_JSON_DEPTH_MAX: Input should be greater than or equal to 2" in refused.value.message
    assert "secret-by-mistake" not in str(refused.value)


def test_settings_cannot_be_changed() -> None:
    settings = Settings()

    with pytest.raises(ValidationError):
        settings.pool_size = 3  # type: ignore[misc]  # the point of the test


def test_the_database_url_is_not_printed() -> None:
    settings = Settings(database_url="postgresql://hub:secret@host/name")

    assert "secret" not in repr(settings)


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_an_openid_provider_is_read_with_the_roles_of_its_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDM_OIDC_ISSUER", "https://login.example.com/realms/firm")
    monkeypatch.setenv("MDM_OIDC_CLIENT_ID", "mdm")
    monkeypatch.setenv("MDM_OIDC_CLIENT_SECRET", "hidden-secret")
    monkeypatch.setenv("MDM_OIDC_ROLES", '{"mdm-stewards": "steward"}')

    settings = load_settings()

    assert settings.oidc_roles == {"mdm-stewards": "steward"}
    assert "hidden-secret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("MDM_OIDC_ISSUER", "http://login.example.com", "MDM_OIDC_ISSUER"),
        ("MDM_OIDC_ISSUER", "login.example.com", "MDM_OIDC_ISSUER"),
        ("MDM_OIDC_ROLES", "{mdm-stewards: steward}", "MDM_OIDC_ROLES"),
        ("MDM_OIDC_ROLES", '{"mdm-stewards": "owner"}', "MDM_OIDC_ROLES"),
        ("MDM_OIDC_ROLES", "{}", "MDM_OIDC_ROLES"),
        ("MDM_OIDC_CLIENT_ID", "", "MDM_OIDC_ROLES"),
        ("MDM_OIDC_SCOPES", "profile email", "MDM_OIDC_SCOPES"),
        ("MDM_PUBLIC_URL", "mdm.example.com", "MDM_PUBLIC_URL"),
        ("MDM_PUBLIC_URL", "https://mdm.example.com/", "MDM_PUBLIC_URL"),
    ],
)
def test_a_provider_that_cannot_be_used_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, named: str
) -> None:
    monkeypatch.setenv("MDM_OIDC_ISSUER", "https://login.example.com")
    monkeypatch.setenv("MDM_OIDC_CLIENT_ID", "mdm")
    monkeypatch.setenv("MDM_OIDC_ROLES", '{"mdm-stewards": "steward"}')
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsInvalid) as refused:
        load_settings()

    assert refused.value.field == named


@pytest.mark.parametrize("value", ["ingest.nope=kill", "ingest.stored", "ingest.stored=kill:" + "9" * 5_000])
def test_a_failpoint_that_cannot_be_armed_stops_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MDM_FAILPOINTS", value)

    with pytest.raises(SettingsInvalid, match=r"^MDM_FAILPOINTS: failpoint .* write NAME=kill") as refused:
        load_settings()

    assert refused.value.field == "MDM_FAILPOINTS"


def test_networks_that_are_not_public_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDM_OUTGOING_NETWORKS", "10.0.0.0/8, fd00::/8")

    assert load_settings().outgoing_networks == (IPv4Network("10.0.0.0/8"), IPv6Network("fd00::/8"))


@pytest.mark.parametrize("value", ["0.0.0.0/0", "::/0", "10.0.0.1/8", "10.0.0.0/8;fd00::/8", "erp.example.com"])
def test_networks_that_would_let_the_hub_call_everything_or_nothing_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("MDM_OUTGOING_NETWORKS", value)

    with pytest.raises(SettingsInvalid) as refused:
        load_settings()

    assert refused.value.field == "MDM_OUTGOING_NETWORKS"
