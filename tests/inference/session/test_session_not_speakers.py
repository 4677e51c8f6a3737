"""Music, machines, applause and telephones between the turns of a meeting are nobody's."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.sounds import made
from inference.engine import ModelEngine
from inference.session import Session, SessionConfig
from inference.stages.events import TurnEvent
from tests.recordings import sample_pcm

RATE_HZ = 16_000
SPEECH_S, SOUND_S = 8, 5
# So near to a sound's borders a turn may begin: the first word is noticed early, and frames have a length.
EDGE_S = 0.5
KINDS = ("music", "applause", "fan", "keyboard", "telephone bell", "dialling")


@pytest.fixture(scope="module")
async def turns(engine: ModelEngine) -> list[TurnEvent]:
    """Of a meeting with a sound, as loud as the speech, after every 8 s of it."""
    pcm = sample_pcm()
    level_dbfs = 20 * float(np.log10(np.sqrt(np.mean(np.square(pcm / 32768)))))
    session = Session(engine, SessionConfig(transcribe=False))
    try:
        for place, kind in enumerate(KINDS):
            await session.push(pcm[place * SPEECH_S * RATE_HZ : (place + 1) * SPEECH_S * RATE_HZ])
            sound = made(kind, SOUND_S, level_dbfs).samples
            await session.push(np.round(sound * 32768).clip(-32768, 32767).astype(np.int16))
        return [event for event in await session.finish() if isinstance(event, TurnEvent)]
    finally:
        await session.close()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "music"])
def test_nobody_begins_to_speak_while_it_sounds(turns: list[TurnEvent], kind: str) -> None:
    start_s = KINDS.index(kind) * (SPEECH_S + SOUND_S) + SPEECH_S
    end_s = start_s + SOUND_S
    assert not [turn for turn in turns if start_s + EDGE_S < turn.start_s < end_s - EDGE_S]


@pytest.mark.parametrize("kind", KINDS)
def test_no_more_than_half_of_it_is_told_as_somebodys(turns: list[TurnEvent], kind: str) -> None:
    start_s = KINDS.index(kind) * (SPEECH_S + SOUND_S) + SPEECH_S
    within = [min(turn.end_s, start_s + SOUND_S) - max(turn.start_s, start_s) for turn in turns]
    assert max(within) <= SOUND_S / 2


def test_who_speaks_around_it_is_heard(turns: list[TurnEvent]) -> None:
    for place in range(len(KINDS)):
        start_s = place * (SPEECH_S + SOUND_S)
        within = [min(turn.end_s, start_s + SPEECH_S) - max(turn.start_s, start_s) for turn in turns]
        assert sum(seconds for seconds in within if seconds > 0) > SPEECH_S / 2
