"""The short form of ``benchmarks.fuzz``: random messages for every RPC, random recordings for the decoder."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import grpc
import pytest

from benchmarks.fuzzed_calls import CallFuzzer, methods
from benchmarks.fuzzed_media import damage, recordings
from benchmarks.fuzzed_messages import MessageFuzzer
from server.audio import UnusableRecording, decode, probe
from tests.e2e.conftest import Rest, System
from tests.recordings import RATE_HZ, sample_pcm

ROUNDS, RECORDINGS = 5, 12


@pytest.fixture(scope="module")
def fuzzed(system: System) -> Rest:
    """A user of an organization of its own: what gets through may change its settings."""
    password = system.add_user("fuzzed@example.org", "--organization", "Fuzzed")
    return system.login("fuzzed@example.org", password)


def test_random_messages_are_answered_or_refused_as_documented(fuzzed: Rest) -> None:
    with grpc.insecure_channel(urlsplit(fuzzed.gateway).netloc) as channel:
        fuzzer = CallFuzzer(channel, fuzzed.token, seed=1, known={"track_id": ["mix"], "first_sample": [0]})
        for _ in range(ROUNDS):
            for method in methods():
                fuzzer.call(method)
            fuzzer.converse()
    assert fuzzer.answers.codes.total() == ROUNDS * (len(methods()) + 1)
    assert not fuzzer.answers.faults, fuzzer.answers.faults


async def test_damaged_recordings_are_decoded_or_refused(tmp_path: Path) -> None:
    fuzzer, originals = MessageFuzzer(seed=1), recordings(sample_pcm()[: 2 * RATE_HZ])
    assert len(originals) > 12

    async def ignore(_: float) -> None:
        return

    for number in range(RECORDINGS):
        folder = tmp_path / str(number)
        folder.mkdir()
        damage(fuzzer, originals, folder / "original")
        await probe(folder / "original")
        try:
            decoded = await decode(folder / "original", folder / "audio.pcm", 60, ignore)
        except UnusableRecording:
            continue
        assert all(track.path.stat().st_size == 2 * track.samples for track in decoded.tracks)
