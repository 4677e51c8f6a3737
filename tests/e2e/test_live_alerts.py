"""Alerts of live meetings with the real engine: every kind of rule, through the death of the API, once each."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from grpc import aio
from meetra.v1 import live_pb2 as pb
from meetra.v1 import rules_pb2

from tests.e2e.conftest import Rest, System
from tests.e2e.live_bot import Bot, connected, mixed, participant, speech
from tests.e2e.live_checker import LiveChecker
from tests.recordings import RATE_HZ, solo

PATH = "/api/organization/live-rules"
FINAL, WITHDRAWN = rules_pb2.LIVE_ALERT_STATE_FINAL, rules_pb2.LIVE_ALERT_STATE_WITHDRAWN
RULES = [
    rules_pb2.LiveRule(id="long", monologue=rules_pb2.MonologueRule(longer_than_s=6)),
    rules_pb2.LiveRule(id="absent", not_heard=rules_pb2.NotHeardRule(longer_than_s=15)),
    rules_pb2.LiveRule(id="money", phrase=rules_pb2.PhraseRule(phrases=["The Budget", "unicorn", "the bud"])),
    rules_pb2.LiveRule(id="mood", sentiment=rules_pb2.SentimentRule(below=100, window_s=30)),
    rules_pb2.LiveRule(id="share", speaking_share=rules_pb2.SpeakingShareRule(above_percent=30, window_s=30)),
    rules_pb2.LiveRule(id="pause", silence=rules_pb2.SilenceRule(longer_than_s=10)),
]
# Rules and speakers of which something is told.
WANTED = {
    *(("long", "Ada"), ("long", "Bela"), ("absent", "Carla"), ("absent", "Ada"), ("money", "Ada")),
    *(("mood", ""), ("share", "Ada"), ("pause", ""), ("server", "Bela")),
}
SECONDS = 42


def padded(name: str, before_s: float, seconds: float) -> bytes:
    """A voice of the sample meeting between silences."""
    said = solo(name)[: int(seconds * RATE_HZ)]
    pcm = np.zeros(SECONDS * RATE_HZ, "<i2")
    start = int(before_s * RATE_HZ)
    pcm[start : start + len(said)] = said
    return pcm.tobytes()


class Meeting:
    """A meeting over one connection after another, checked as it goes on."""

    def __init__(self) -> None:
        self.check = LiveChecker()
        self._heard = 0
        self._bot: Bot | None = None

    async def until(self, bot: Bot, fulfilled: Callable[[LiveChecker], bool]) -> None:
        """Reads until something holds of what was told."""
        await bot.until(lambda: fulfilled(self.heard(bot)))

    def heard(self, bot: Bot) -> LiveChecker:
        """The checker, after everything that this connection has received."""
        if bot is not self._bot:
            self._bot, self._heard = bot, 0
        for response in bot.received[self._heard :]:
            # Of connections the checker knows nothing.
            if response.HasField("event"):
                self.check.event(response.event)
        self._heard = len(bot.received)
        return self.check

    @property
    def told(self) -> Counter[tuple[str, str]]:
        """How often each rule told of each speaker."""
        return Counter((a.rule_id, a.alias) for a in self.check.alerts.values() if a.state != WITHDRAWN)


@pytest.fixture
def of_the_organization(rest: Rest) -> Any:
    """Rules of the organization, for this test."""
    rules = [
        {"id": "server", "phrase": {"phrases": ["new server"], "said_by": "BELA"}},
        {"id": "adas-server", "phrase": {"phrases": ["new server"], "said_by": "Ada"}},
        {"id": "long", "silence": {"longer_than_s": 5}},
    ]
    answer = rest.http.put(PATH, json={"rules": rules})
    assert answer.status_code == 200, answer.text
    yield rules
    assert rest.http.put(PATH, json={"rules": []}).json() == {"rules": []}


@pytest.mark.usefixtures("of_the_organization")
async def test_every_kind_is_told_once_through_the_death_of_the_api(rest: Rest, system: System) -> None:
    audio = {"a": padded("rms", 0, 12), "b": padded("kal16", 14, 10)}
    # Carla is there, and says nothing.
    tracks = [participant("a", "Ada"), participant("b", "Bela"), participant("c", "Carla")]
    meeting = Meeting()
    half = 2 * 22 * RATE_HZ
    async with connected(rest) as bot:
        ready = await bot.open(pb.LiveConfig(tracks=tracks, rules=RULES))
        assert list(ready.rule_ids) == [*(rule.id for rule in RULES), "server", "adas-server"]
        for track, pcm in audio.items():
            await bot.audio(pcm[:half], 0, track)
        await meeting.until(bot, lambda _: {("long", "Ada"), ("money", "Ada")} <= set(meeting.told))
        await bot.until(lambda: all(bot.committed(track) == half // 2 for track in audio))
        system.kill("api")
        with pytest.raises(aio.AioRpcError):
            await bot.rest()
        meeting.heard(bot)
    seen = meeting.check.last_seq
    while True:
        async with connected(rest) as bot:
            try:
                await bot.open(pb.LiveConfig(session_id=ready.session_id, after_event_seq=seen, take_over=True))
            except aio.AioRpcError:
                await asyncio.sleep(0.5)
                continue
            for track, pcm in audio.items():
                position = bot.committed(track)
                await bot.audio(pcm[2 * position :], position, track)
            await meeting.until(bot, lambda _: set(meeting.told) >= WANTED)
            finished = await bot.finish()
            check = meeting.heard(bot)
            break
    assert finished.status == "ready"
    assert check.broken == []
    assert set(meeting.told) - WANTED <= {("share", "Bela"), ("absent", "Bela")}
    assert set(meeting.told.values()) == {1}, check.alerts
    by_rule = {(a.rule_id, a.alias): a for a in check.alerts.values()}
    assert {a.state for a in by_rule.values()} <= {FINAL, WITHDRAWN}
    budget = by_rule["money", "Ada"]
    assert (budget.phrase, budget.track_id, budget.kind) == ("The Budget", "a", rules_pb2.LIVE_RULE_KIND_PHRASE)
    assert "budget" in " ".join(word.text for word in check.turns[budget.segment_id].words).lower()
    assert 4_000 < budget.start_ms < budget.end_ms < 10_000
    absent = by_rule["absent", "Carla"]
    assert (absent.track_id, absent.start_ms, absent.value > 15) == ("c", 0, True)
    pause = by_rule["pause", ""]
    assert (pause.speaker_id, pause.value > 10, 22_000 < pause.start_ms < 27_000) == ("", True, True)
    assert by_rule["long", "Bela"].value > 6


async def test_phrases_of_a_room_are_settled_before_the_end(rest: Rest) -> None:
    rule = rules_pb2.PhraseRule(phrases=["the first question", "as well", "not said"])
    meeting = Meeting()
    async with connected(rest) as bot:
        await bot.open(pb.LiveConfig(tracks=[mixed()], rules=[rules_pb2.LiveRule(id="said", phrase=rule)]))
        await bot.audio(speech(31.2))
        finished = await bot.finish()
        check = meeting.heard(bot)
    assert (finished.status, check.broken) == ("ready", [])
    final = sorted(a.phrase for a in check.alerts.values() if a.state == FINAL)
    assert final == ["as well", "the first question"]


def test_rules_of_an_organization_over_rest(
    rest: Rest, stranger: Rest, of_the_organization: list[dict[str, Any]]
) -> None:
    rules = rest.get(PATH).json()["rules"]
    assert rules == of_the_organization
    assert stranger.get(PATH).json() == {"rules": []}
    assert Rest(rest.gateway, "").get(PATH).status_code == 401
    for wrong, said in (
        ([{"id": "a", "phrase": {"phrases": [".*"]}}], "rules[0].phrase.phrases[0]: has no words"),
        ([{"id": "a"}], "rules[0]: must have one of monologue,"),
        ([{"id": "a", "silence": {"longer_than_s": 10}}] * 2, "rules[1].id: a is already used by another rule"),
    ):
        refused = rest.http.put(PATH, json={"rules": wrong})
        assert (refused.status_code, said in refused.json()["message"]) == (400, True), refused.text
    assert rest.get(PATH).json()["rules"] == rules
    changes = rest.get("/api/organization/audit", action="change").json()["events"]
    methods = [(event["method"], event["status"]) for event in changes]
    assert ("OrganizationService/SetLiveRules", "OK") in methods
