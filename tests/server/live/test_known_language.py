"""A language that the recogniser does not know is refused where the engine can be asked."""

from __future__ import annotations

import pytest

from server.engine import InferenceClient
from server.errors import BadRequest
from server.live.known_language import require_known_language
from tests.server.live.scripted_engine import scripted_engine


async def test_a_language_that_the_engine_does_not_know_is_refused_with_those_it_does() -> None:
    async with scripted_engine() as (engine, address):
        engine.languages = ["de", "en"]
        client = InferenceClient(address)
        await client.wait_for_capabilities(300)
        with pytest.raises(BadRequest, match=r"config\.language: the recogniser does not know Irish \(ga\)") as raised:
            await require_known_language(client, "ga")
        assert raised.value.parameter == "config.language"
        assert "give one of de, en, or none" in raised.value.fix
        for known in ("de", ""):
            await require_known_language(client, known)
        # The engine is another one now, and is asked.
        engine.languages = ["ga"]
        await require_known_language(client, "ga")
        await client.close()


async def test_without_an_engine_any_language_is_accepted() -> None:
    async with scripted_engine() as (engine, address):
        engine.languages = ["en"]
        never, gone = InferenceClient(address), InferenceClient(address)
        await gone.wait_for_capabilities(300)
    for client in (never, gone):
        await require_known_language(client, "ga")
        await client.close()
