"""The settings of inference on Ray, from the environment: ``MEETRA_RAY_<NAME>``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from monitoring import checked_listen

MAX_REPLICAS = 256
MAX_PORT = 65_535


def parse_ports(setting: str) -> range:
    """Return the ports of a range such as ``50100-50199``; any free one where it is empty. Raises ValueError."""
    if not setting:
        return range(0, 1)
    if (match := re.fullmatch(r"(\d{1,5})-(\d{1,5})", setting)) is None:
        raise ValueError("give a range of ports such as 50100-50199")
    first, last = map(int, match.groups())
    if not 0 < first <= last <= MAX_PORT:
        raise ValueError(f"give ports from 1 to {MAX_PORT}, the lower one first")
    return range(first, last + 1)


def _checked_ports(setting: str) -> str:
    parse_ports(setting)
    return setting


class RaySettings(BaseSettings):
    """Each setting is read from ``MEETRA_RAY_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="MEETRA_RAY_", extra="ignore")

    listen: str = Field("127.0.0.1:50060", description="host:port that the directory listens on")
    min_replicas: int = Field(1, ge=1, le=MAX_REPLICAS, description="least number of inference servers")
    max_replicas: int = Field(1, ge=1, le=MAX_REPLICAS, description="most of them")
    cpus: float = Field(2, ge=0, le=1024, description="cores that Ray reserves for each")
    gpus: float = Field(0, ge=0, le=64, description="GPUs that Ray reserves for each, a fraction shares one")
    ports: Annotated[str, AfterValidator(_checked_ports)] = Field(
        "", description="ports that they listen on, such as 50100-50199; empty: any that is free"
    )
    metrics_listen: Annotated[str, AfterValidator(checked_listen)] = Field(
        "",
        description="host:port at which Prometheus is told where the servers' metrics are; empty: they serve none",
    )
    metrics_ports: Annotated[str, AfterValidator(_checked_ports)] = Field(
        "", description="ports at which they serve their metrics, such as 50200-50299; empty: any that is free"
    )
    grow_share: float = Field(
        0.6, gt=0, le=1, description="open sessions as a share of the limit of all, above which one more is started"
    )
    grow_wait_s: float = Field(
        5, gt=0, le=3600, description="mean time that work waits for a model, above which one more is started, seconds"
    )
    shrink_share: float = Field(
        0.4, ge=0, lt=1, description="share that the sessions may take of the rest for one to be ended"
    )
    shrink_after_s: float = Field(300, ge=0, description="for how long that must have been so, seconds")
    stall_s: float = Field(60, gt=0, le=3600, description="time without progress after which one is replaced, seconds")
    start_s: float = Field(
        900, gt=0, le=86_400, description="time after which one that still loads its models is replaced, seconds"
    )
    tls_name: str = Field(
        "", max_length=253, description="name in the certificates of the directory and of all of them"
    )
    ca: Path | None = Field(None, description="authority in PEM that signs those certificates")
    client_certificate: Path | None = Field(None, description="certificate in PEM with which they are asked")
    client_key: Path | None = Field(None, description="its key in PEM, without a passphrase")

    @model_validator(mode="after")
    def _check_bounds(self) -> RaySettings:
        if self.max_replicas < self.min_replicas:
            raise ValueError("MEETRA_RAY_MAX_REPLICAS is less than MEETRA_RAY_MIN_REPLICAS")
        if self.shrink_share >= self.grow_share:
            raise ValueError("MEETRA_RAY_SHRINK_SHARE must be less than MEETRA_RAY_GROW_SHARE")
        if self.ca is not None and not self.tls_name:
            raise ValueError("MEETRA_RAY_TLS_NAME is not set: give the name in the certificates of the servers")
        return self
