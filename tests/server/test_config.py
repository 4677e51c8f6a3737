"""Settings of the server: arguments before the environment, the environment before a file, and bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from server.config import ApiSettings, MigrationSettings, ServerSettings

SHARED: dict[str, Any] = {"database_url": "postgresql://here", "audio_dir": "/audio"}
NEEDED: dict[str, Any] = {**SHARED, "token_keys": "/keys"}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine says stays out."""
    for name in (*ApiSettings.model_fields, *MigrationSettings.model_fields):
        monkeypatch.delenv(f"MEETRA_{name.upper()}", raising=False)
    monkeypatch.delenv("MEETRA_CONFIG", raising=False)


@pytest.mark.parametrize(("settings", "needed"), [(ApiSettings, NEEDED), (ServerSettings, SHARED)])
def test_what_is_needed_is_named_and_a_worker_needs_no_key_of_tokens(
    settings: type[ServerSettings], needed: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError) as raised:
        settings()
    assert {error["loc"][0] for error in raised.value.errors()} == set(needed)


def test_a_migration_needs_the_owner_s_database_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError) as raised:
        MigrationSettings()
    assert [error["loc"] for error in raised.value.errors()] == [("database_owner_url",)]
    monkeypatch.setenv("MEETRA_DATABASE_OWNER_URL", "postgresql://owner")
    settings = MigrationSettings()
    assert (settings.database_owner_url.get_secret_value(), settings.log_level) == ("postgresql://owner", "INFO")
    assert "postgresql://owner" not in repr(settings)


def test_arguments_come_before_the_environment_and_that_before_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "meetra.toml"
    file.write_text('lease_s = 2\npoll_s = 2\nmax_attempts = 2\nunknown = "x"\n')
    monkeypatch.setenv("MEETRA_CONFIG", str(file))
    monkeypatch.setenv("MEETRA_LEASE_S", "3")
    monkeypatch.setenv("MEETRA_POLL_S", "3")
    settings = ApiSettings(**NEEDED, lease_s=4)
    assert (settings.lease_s, settings.poll_s, settings.max_attempts) == (4, 3, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token_ttl_s", 0),
        ("max_upload_bytes", 0),
        ("max_duration_s", 0),
        ("max_decoded_bytes", 0),
        ("disk_reserve_bytes", -1),
        ("decoders_at_once", 0),
        ("quota_upload_bytes_per_day", 0),
        ("quota_minutes_per_day", 0),
        ("quota_stored_bytes", 2**62 + 1),
        ("quota_uploads_at_once", 0),
        ("worker_concurrency", 0),
        ("worker_concurrency", 65),
        ("lease_s", 0.5),
        ("max_attempts", 0),
        ("live_max_meetings", 0),
        ("live_meetings_per_organization", 0),
        ("live_tracks_per_organization", 0),
        ("live_track_idle_s", 0),
        ("live_max_duration_s", 18 * 3600 + 1),
        ("live_grace_s", 0),
        # Without an object store.
        ("live_acknowledge", "remote"),
        ("live_acknowledge", "nowhere"),
        ("live_segment_s", 61),
        ("summary_timeout_s", -1),
        ("oidc_audience", "without an issuer"),
        ("oidc_jwks_url", "https://login.example/keys"),
        ("oidc_organization", "Demo"),
        ("oidc_new_user_role", "member"),
        ("oidc_new_user_role", "owner"),
        ("oidc_email_claim", ""),
        ("log_level", "LOUD"),
    ],
)
def test_a_value_out_of_bounds_stops_the_start_and_is_named(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as raised:
        ApiSettings(**{**NEEDED, name: value})
    assert [error["loc"] for error in raised.value.errors()] == [(name,)]


ISSUER = {"oidc_issuer": "https://login.example", "oidc_audience": "meetra"}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"oidc_audience": ""}, "oidc_audience"),
        ({"oidc_issuer": "http://login.example"}, "oidc_issuer"),
        ({"oidc_issuer": "login.example"}, "oidc_issuer"),
        ({"oidc_jwks_url": "http://login.example/keys"}, "oidc_jwks_url"),
        ({"oidc_jwks_url": "file:///etc/passwd"}, "oidc_jwks_url"),
        ({"oidc_new_user_role": "member"}, "oidc_new_user_role"),
        ({"oidc_new_user_role": "owner", "oidc_organization": "Demo"}, "oidc_new_user_role"),
    ],
    ids=["no audience", "plain", "no URL", "keys in plain", "a file", "no organization", "owners"],
)
def test_an_issuer_that_is_not_safe_stops_the_start_and_is_named(changed: dict[str, str], named: str) -> None:
    with pytest.raises(ValidationError) as raised:
        ApiSettings(**{**NEEDED, **ISSUER, **changed})
    assert [error["loc"] for error in raised.value.errors()] == [(named,)]


def test_an_issuer_may_be_of_a_private_network_and_make_users_where_that_is_said() -> None:
    private = {"oidc_issuer": "http://10.0.0.1/realm", "oidc_private_network": True}
    made = {"oidc_organization": "Demo", "oidc_new_user_role": "member"}
    settings = ApiSettings(**{**NEEDED, **ISSUER, **private, **made})
    assert (settings.oidc_issuer, settings.oidc_new_user_role) == ("http://10.0.0.1/realm", "member")


def test_secrets_are_not_printed() -> None:
    settings = ApiSettings(**{**NEEDED, "summary_key": SecretStr("the key")})
    for shown in (repr(settings), str(settings)):
        assert "the key" not in shown
        assert "postgresql://here" not in shown


def test_every_setting_says_what_it_is() -> None:
    silent = {name for name, field in ApiSettings.model_fields.items() if not field.description}
    assert not silent
