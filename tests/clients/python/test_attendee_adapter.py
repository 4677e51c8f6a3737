"""Which bots Attendee's adapter takes; what it makes of their audio is in tests/e2e/test_bot_adapters.py."""

from __future__ import annotations

import base64
import importlib.util

import pytest

from meetra_client import MeetraClient
from tests.recordings import ROOT


async def test_bots_whose_meetings_are_over_make_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("attendee", ROOT / "clients/python/examples/adapters/attendee.py")
    assert spec is not None
    assert spec.loader is not None
    attendee = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(attendee)
    monkeypatch.setattr(attendee, "MAX_BOTS", 2)
    adapter = attendee.Adapter("token", base64.b64encode(b"secret").decode())
    async with MeetraClient("http://127.0.0.1:1", token="none") as adapter._client:
        first, second = adapter._bot("first"), adapter._bot("second")
        assert adapter._bot("third") is None
        await first.tell("bot.state_change", {"new_state": "ended"})
        assert adapter._bot("third") is not None
        assert adapter._bot("second") is second
        assert adapter._bot("fourth") is None
