"""The whole system on an engine that tells overlap: a Sortformer of random weights. Skipped where NeMo is missing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from meetra.v1 import live_pb2 as pb

from tests.e2e.conftest import Rest, System, start_system
from tests.e2e.live_bot import connected, mixed, speech
from tests.e2e.test_live import answers
from tests.optional_packages import WITHOUT_NEMO
from tests.recordings import RATE_HZ, sample_pcm, wav

pytest.importorskip("nemo", reason=WITHOUT_NEMO)
pytestmark = pytest.mark.nemo
SECONDS = 25


@pytest.fixture(scope="module")
def overlapping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system whose one setting names a checkpoint."""
    from tests.inference.nemo.tiny_models import sortformer

    folder = tmp_path_factory.mktemp("overlap")
    sortformer().save_to(str(folder / "sortformer.nemo"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MEETRA_INFERENCE_DIARIZER", str(folder / "sortformer.nemo"))
        system = start_system(folder / "data")
    yield system
    assert system.stop() == 0


async def test_live_and_uploaded_meetings_tell_overlap_and_the_same(overlapping: System) -> None:
    rest: Rest = overlapping.login()
    async with connected(rest) as bot:
        ready = await bot.open(pb.LiveConfig(name="Live", tracks=[mixed()], insights_period_s=5))
        await bot.audio(speech(SECONDS))
        await bot.until(lambda: len(bot.of("turn")) > 3)
        finished = await bot.finish()
        speakers: dict[int, set[str]] = {}
        for turn in bot.of("turn"):
            speakers.setdefault(turn.segment_id, set()).add(turn.speaker_id)
        rolling = bot.of("insights")
    assert ready.engine.overlap
    assert any("sortformer.nemo" in name for name in ready.engine.models)
    assert all(len(told - {""}) == 1 for told in speakers.values()), "what frames tell is never revised"
    assert all(insights.HasField("interruptions") for insights in rolling)
    uploaded = rest.analysed(wav(sample_pcm()[: SECONDS * RATE_HZ]))
    assert answers(rest, finished.file_hash) == answers(rest, uploaded)
    report = rest.get("/single-feature-api/meeting/quality", file_hash=uploaded).json()
    assert 0 < report["flow"]["overlap_ratio"] <= 1, report["flow"]
