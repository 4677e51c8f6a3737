"""The server's settings, from the environment and an optional TOML file."""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from monitoring import checked_listen
from server.inference_addresses import parse_addresses
from server.outbound_url import checked_url
from server.quotas import UNLIMITED, Quotas
from server.store_url import check_store_url

GIB = 1024**3


def _checked_endpoint(url: str) -> str:
    """Return the base URL of an endpoint; empty: none. Raises ValueError."""
    if not url:
        return url
    # ValueError: brackets or a port that are none.
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("give a URL such as https://models.example/v1")
    if parts.username is not None or parts.password is not None:
        raise ValueError("leave user and password out of the URL; MEETRA_SUMMARY_KEY is sent as the key")
    if parts.query or parts.fragment or not url.isascii() or any(c.isspace() or not c.isprintable() for c in url):
        raise ValueError("end the URL with its path, such as /v1, in ASCII and without spaces")
    return url


def _checked_networks(networks: str) -> str:
    """Return networks separated by commas. Raises ValueError."""
    for network in filter(None, (part.strip() for part in networks.split(","))):
        try:
            ip_network(network)
        except ValueError:
            raise ValueError(f"{network!r} is no network; give some such as 10.1.0.0/16,fd00::/8") from None
    return networks


def _checked_addresses(addresses: str) -> str:
    """Return addresses of inference servers. Raises ValueError."""
    parse_addresses(addresses)
    return addresses


class LogSettings(BaseSettings):
    """What all have. Settings are read from ``MEETRA_<NAME>``, else from the TOML file that ``MEETRA_CONFIG`` names."""

    model_config = SettingsConfigDict(env_prefix="MEETRA_", extra="ignore")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: Literal["text", "json"] = Field(
        "text", description="lines of logs: text for people, or json, an object each, for programs"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, file."""
        sources = [init_settings, env_settings]
        if path := os.environ.get("MEETRA_CONFIG"):
            sources.append(TomlConfigSettingsSource(settings_cls, toml_file=path))
        return tuple(sources)


class MigrationSettings(LogSettings):
    """Settings of ``python -m server migrate``."""

    database_owner_url: SecretStr = Field(
        description="URL of PostgreSQL as the owner of the tables, postgresql://user:password@host:port/name"
    )


class QuotaSettings(LogSettings):
    """What an organization may use, unless it has quotas of its own."""

    quota_upload_bytes_per_day: int = Field(
        100 * GIB, ge=1, le=UNLIMITED, description="bytes that an organization may upload on a day (UTC)"
    )
    quota_minutes_per_day: int = Field(
        6000, ge=1, le=UNLIMITED, description="minutes of audio that an organization may have analysed on a day (UTC)"
    )
    quota_stored_bytes: int = Field(
        500 * GIB, ge=1, le=UNLIMITED, description="bytes of recordings that an organization may store"
    )
    quota_uploads_at_once: int = Field(
        16, ge=1, le=UNLIMITED, description="uploads that an organization may have running at once in an API process"
    )

    @property
    def quotas(self) -> Quotas:
        """The quotas of an organization that has none of its own."""
        return Quotas(
            self.quota_upload_bytes_per_day,
            self.quota_minutes_per_day,
            self.quota_stored_bytes,
            self.quota_uploads_at_once,
        )


class StoreSettings(LogSettings):
    """Where recordings are kept."""

    audio_store: Annotated[str, AfterValidator(check_store_url)] = Field(
        "",
        description="URL of an object store that keeps the recordings, such as s3://bucket/folder, gs://bucket/folder"
        " or az://container/folder; empty: the audio log keeps them",
    )
    audio_store_patience_s: float = Field(
        30.0, ge=1, le=300, description="time for which a request to the object store is repeated, seconds"
    )


class ServerSettings(QuotaSettings, StoreSettings):
    """Settings of the API and the worker."""

    database_url: SecretStr = Field(
        description="URL of PostgreSQL as a role bound by row-level security, postgresql://user:password@host:port/name"
    )
    audio_dir: Path = Field(description="directory of the audio log")
    api_listen: str = Field("127.0.0.1:50051", description="listen address of the gRPC API")
    api_socket_listen: str = Field("127.0.0.1:50052", description="listen address of the API's WebSockets")
    api_http_listen: str = Field("127.0.0.1:50053", description="listen address of the API's plain HTTP")
    metrics_listen: Annotated[str, AfterValidator(checked_listen)] = Field(
        "", description="listen address of this process's metrics, host:port or unix:PATH; empty: nowhere"
    )
    worker_listen: str = Field("", description="address of the worker's gRPC health; empty: none")
    inference_address: Annotated[str, AfterValidator(_checked_addresses)] = Field(
        "127.0.0.1:50061",
        description="address of the inference server; several separated by commas, a name with several addresses, or"
        " directory://host:port, a directory of them",
    )
    inference_stall_s: float = Field(
        60.0,
        ge=1,
        description="time without progress after which one of several inference servers is left out, seconds",
    )
    inference_ca: Path | None = Field(
        None,
        description="authority in PEM that signs the inference server's certificate; with the next two, TLS is used",
    )
    inference_client_certificate: Path | None = Field(None, description="certificate in PEM shown to that server")
    inference_client_key: Path | None = Field(None, description="key of that certificate, without a passphrase")
    max_upload_bytes: int = Field(4 * GIB, gt=0, description="maximum size of a recording, bytes")
    max_duration_s: float = Field(4 * 3600.0, gt=0, description="maximum duration of a recording, seconds")
    max_decoded_bytes: int = Field(
        4 * GIB, gt=0, description="maximum size of all tracks of a recording together once decoded, bytes"
    )
    disk_reserve_bytes: int = Field(
        GIB, ge=0, description="free disk below which no upload is accepted and no recording decoded, bytes"
    )
    memory_reserve_bytes: int = Field(
        256 * 1024**2,
        ge=0,
        description="free memory below which no upload is accepted, no live meeting opened and no analysis begun beside"
        " others, bytes",
    )
    decoders_at_once: int = Field(
        default_factory=lambda: max(2, min(4, os.cpu_count() or 1)),
        ge=1,
        le=64,
        description="maximum number of child processes that look into uploads, or decode, per process",
    )
    worker_concurrency: int = Field(
        2,
        ge=1,
        le=64,
        description="maximum number of concurrent analyses per worker; of several, one is left to other organizations",
    )
    lease_s: float = Field(
        15.0, ge=1, description="duration of a worker's lease on a job, seconds; the worker renews it"
    )
    poll_s: float = Field(1.0, gt=0, description="interval at which an idle worker polls for jobs, seconds")
    max_attempts: int = Field(3, ge=1, description="maximum number of analysis attempts per meeting")
    audit_days: int = Field(365, ge=30, le=36_500, description="days for which events of the audit log are kept")
    audit_rows_per_day: int = Field(
        50_000,
        ge=1,
        description="events of an action that an organization's audit log takes singly on a day (UTC)",
    )
    retention_every_s: float = Field(
        600.0, gt=0, description="interval at which a worker looks for what retention deletes, seconds"
    )
    open_calls_per_user: int = Field(
        256, ge=1, description="streams, and as many single calls, that a user may have open at once"
    )
    open_calls_per_organization: int = Field(512, ge=1, description="the same of all users of an organization together")
    live_acknowledge: Literal["local", "remote"] = Field(
        "local",
        validate_default=True,
        description="when audio of live meetings is acknowledged: local, once it is on this machine's disk, or remote,"
        " once the object store has it",
    )
    live_segment_s: float = Field(
        0.0,
        ge=0,
        le=60,
        description="how old live audio may become before it is sent to the object store, seconds; 0: 5, or 0.5 where"
        " that acknowledges it",
    )
    live_max_meetings: int = Field(256, ge=1, description="maximum number of running live meetings per process")
    live_meetings_per_organization: int = Field(
        64, ge=1, description="maximum number of an organization's running live meetings"
    )
    live_tracks_per_organization: int = Field(
        512, ge=1, description="maximum number of tracks of an organization's running live meetings together"
    )
    live_track_idle_s: float = Field(
        300.0,
        gt=0,
        description="time without audio after which a track's engine session is finished, until audio comes, seconds",
    )
    live_track_pause_s: float = Field(
        15.0,
        ge=1,
        description="time without audio, while others go on, after which a participant's track is taken as paused: what"
        " it said is final, and holds nobody back; seconds",
    )
    # Positions have 32 bits, at up to 64,000 per second.
    live_max_duration_s: float = Field(
        12 * 3600.0, gt=0, le=18 * 3600, description="maximum duration of a live meeting, seconds"
    )
    live_grace_s: float = Field(
        120.0, gt=0, description="time without a client after which a live meeting is finished, seconds"
    )
    summary_url: Annotated[str, AfterValidator(_checked_endpoint)] = Field(
        "",
        description="base URL of an OpenAI-compatible endpoint for summaries, up to /v1; empty: extractive summaries",
    )
    summary_model: str = Field("", description="model name for that endpoint")
    summary_key: SecretStr = Field(SecretStr(""), description="API key for that endpoint")
    summary_timeout_s: float = Field(120.0, gt=0, description="timeout of a summary request, seconds")
    webhook_keys: Path | None = Field(
        None, description="file of the keys that encrypt the secrets of webhooks; without it there are no webhooks"
    )
    webhook_networks: Annotated[str, AfterValidator(_checked_networks)] = Field(
        "",
        description="private networks that webhooks may go to, also over plain HTTP, such as 10.1.0.0/16,127.0.0.1/32;"
        " empty: none",
    )
    webhook_timeout_s: float = Field(
        15.0, gt=0, le=60, description="time in which a webhook's receiver must answer, seconds"
    )
    webhook_retry_s: float = Field(
        5.0,
        gt=0,
        le=600,
        description="time until a failed delivery is tried again, doubled each time up to 2 h, seconds",
    )
    webhook_give_up_s: float = Field(
        24 * 3600.0, gt=0, description="time after which a delivery has failed for good, seconds"
    )
    webhook_log_days: int = Field(30, ge=1, le=3650, description="days for which deliveries to webhooks are kept")

    @field_validator("live_acknowledge")
    @classmethod
    def _check_store(cls, policy: str, info: ValidationInfo) -> str:
        if policy == "remote" and info.data.get("audio_store") == "":
            raise ValueError("name the object store that acknowledges live audio in MEETRA_AUDIO_STORE")
        return policy


class TokenSettings(LogSettings):
    """What concerns tokens beyond the process that signs them."""

    token_ttl_s: int = Field(12 * 3600, gt=0, description="lifetime of a token, seconds")
    # First: what is allowed of the URLs depends on it.
    oidc_private_network: bool = Field(
        False, description="whether the external issuer may be at a private address, and speak plain HTTP"
    )
    oidc_issuer: str = Field(
        "", description="URL of an OpenID Connect issuer whose tokens count beside ours, as its tokens name it"
    )
    oidc_audience: str = Field(
        "", validate_default=True, max_length=1000, description="what its tokens must name as their audience"
    )
    oidc_jwks_url: str = Field("", description="URL of its keys; empty: its discovery document says where they are")
    oidc_email_claim: str = Field(
        "email",
        min_length=1,
        max_length=200,
        description="claim of its tokens that names the user's email address, and that users cannot set themselves",
    )
    oidc_organization: str = Field(
        "", description="name of the only organization whose users its tokens may name; empty: any"
    )
    oidc_new_user_role: Literal["", "member", "reader", "bot"] = Field(
        "", description="role of unknown users, who are made in that organization; empty: they are refused"
    )

    @field_validator("oidc_issuer", "oidc_jwks_url")
    @classmethod
    def _check_url(cls, url: str, info: ValidationInfo) -> str:
        plain_http = bool(info.data.get("oidc_private_network"))
        return checked_url(url, plain_http=plain_http, allowed_by="MEETRA_OIDC_PRIVATE_NETWORK=true") if url else url

    @field_validator("oidc_audience", "oidc_jwks_url", "oidc_organization", "oidc_new_user_role")
    @classmethod
    def _check_together(cls, value: str, info: ValidationInfo) -> str:
        issuer = info.data.get("oidc_issuer")
        if value and issuer == "":
            raise ValueError("is of no use without MEETRA_OIDC_ISSUER")
        if info.field_name == "oidc_audience" and issuer and not value:
            raise ValueError("name the audience: tokens of the issuer for somebody else must not count here")
        if info.field_name == "oidc_new_user_role" and value and not info.data.get("oidc_organization"):
            raise ValueError("name the organization of new users in MEETRA_OIDC_ORGANIZATION")
        return value


class ApiSettings(ServerSettings, TokenSettings):
    """Settings of the API alone: the worker has no use for the keys of tokens."""

    token_keys: Path = Field(description="folder of the keys that sign tokens; made by `meetra tokens rotate`")


def invalid_settings(error: ValidationError, prefix: str) -> str:
    """Return a line that names each invalid setting, as the environment has it, and what is wrong with it."""
    problems = (f"{prefix}{str(found['loc'][0]).upper()}: {found['msg']}" for found in error.errors())
    return "settings: " + "; ".join(problems)
