"""Settings of the environment, as commands read them."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from server.config import invalid_settings

S = TypeVar("S", bound=BaseSettings)


class BadSettings(Exception):
    """The environment holds invalid settings; the message names them."""


def checked(settings: type[S]) -> S:
    """Return these settings of the environment. Raises BadSettings."""
    try:
        return settings()
    except ValidationError as error:
        raise BadSettings(invalid_settings(error, settings.model_config["env_prefix"])) from None
