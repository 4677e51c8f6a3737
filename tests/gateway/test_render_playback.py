"""The sound of meetings through real Envoy: playable, in ranges, by a link, silent where redacted."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from meetra_client import MeetraClient
from server.audio import Encoding
from server.audio.audio_log import AudioLog
from server.live import LiveConfig
from server.storage.pool import Database
from tests.gateway.conftest import House
from tests.gateway.running_gateway import PATIENCE_S
from tests.gateway.test_render_export import analysed
from tests.gateway.test_render_export_parts import redacted_upload
from tests.recordings import excerpt
from tests.server.export.test_meeting_audio import RANGES, track
from tests.server.storage.rows import make_user, ready_meeting

pytestmark = pytest.mark.system

AUDIO, LINK = "/single-feature-api/meeting/audio", "/single-feature-api/meeting/audio-link"
PEAKS = "/single-feature-api/meeting/peaks"
SECONDS = 20


@pytest.fixture
async def http(house: House) -> AsyncIterator[httpx.AsyncClient]:
    headers = dict(await house.user("Org"))
    async with httpx.AsyncClient(base_url=f"http://{house.address}", headers=headers, timeout=PATIENCE_S) as client:
        yield client


def two_tracks() -> LiveConfig:
    """Of a meeting that a second participant joined after a second."""
    first = replace(track(Encoding.PCM_S16LE), track_id="first")
    second = replace(first, track_id="second", start_us=1_000_000)
    return LiveConfig("Call", None, (first, second), None, "", 60)


def loudest_hertz(samples: NDArray[np.float64]) -> set[int]:
    """The tones that are heard, to the nearest 20 Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    found = np.fft.rfftfreq(len(samples), 1 / 16_000)[spectrum > spectrum.max() / 3]
    return {round(hertz / 20) * 20 for hertz in found}


async def prepared(http: httpx.AsyncClient, file_hash: str) -> dict[str, Any]:
    """The link to a meeting's sound, once it is made."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await http.post(LINK, json={"file-hash": file_hash})
            assert answer.status_code == 200, answer.text
            said: dict[str, Any] = answer.json()
            if said["ready"]:
                return said


def heard(sound: bytes) -> tuple[str, NDArray[np.float64]]:
    """Codec and samples at 16 kHz of a file, as a player of FFmpeg's reads it."""
    with av.open(io.BytesIO(sound), "r") as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler("s16", "mono", 16_000)
        frames = [part for frame in container.decode(stream) for part in resampler.resample(frame)]
        samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
        return stream.codec_context.name, samples.astype(np.float64) / 32768


async def test_a_recording_plays_by_a_link_and_in_ranges(
    http: httpx.AsyncClient, owner: Database, database: Database, tmp_path: Path
) -> None:
    file_hash = await analysed(owner, database, tmp_path, excerpt(SECONDS))
    said = await prepared(http, file_hash)
    assert (said["media_type"], abs(int(said["duration_ms"]) - SECONDS * 1000) < 100) == ("audio/webm", True)
    async with httpx.AsyncClient(base_url=http.base_url, timeout=PATIENCE_S) as player:
        whole = await player.get(said["url"])
        assert (whole.status_code, whole.headers["content-type"]) == (200, "audio/webm")
        assert whole.headers["cache-control"] == "no-store"
        assert len(whole.content) == int(said["size_bytes"])
        part = await player.get(said["url"], headers={"range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, whole.content[100:200])
        assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
        end = await player.get(said["url"], headers={"range": "bytes=-50"})
        assert end.content == whole.content[-50:]
        assert (await player.get(said["url"], headers={"range": "bytes=99999999-"})).status_code == 416
        head = await player.head(said["url"])
        assert (head.status_code, head.headers["accept-ranges"], head.content) == (200, "bytes", b"")
        # The link opens this, and nothing else.
        assert (await player.get(said["url"] + "&variant=original")).status_code == 403
        other = said["url"].replace(file_hash, "0" * 64)
        assert (await player.get(other)).status_code == 403
        token = said["url"].partition("access_token=")[2]
        bearer = {"authorization": f"Bearer {token}"}
        for path in (PEAKS, "/single-feature-api/meeting/status"):
            shown = await player.get(path, params={"file-hash": file_hash}, headers=bearer)
            assert shown.status_code in (401, 403)
        again = await player.post(LINK, json={"file-hash": file_hash}, headers=bearer)
        assert again.status_code in (401, 403)
    codec, samples = heard(whole.content)
    assert codec.endswith("opus")
    recorded = heard(excerpt(SECONDS))[1]
    # Delays and losses of the codec aside, it is the same sound.
    loud = [np.abs(sound[: 16_000 * 19].reshape(19, -1)).mean(axis=1) for sound in (samples, recorded)]
    assert np.corrcoef(*loud)[0, 1] > 0.95
    peaks = (await http.get(PEAKS, params={"file-hash": file_hash})).json()
    assert (peaks["period_ms"], len(peaks["peaks"])) == (50, int(said["duration_ms"]) // 50)
    assert 100 < max(peaks["peaks"]) <= 255


async def test_the_original_is_what_was_uploaded(
    http: httpx.AsyncClient, owner: Database, database: Database, tmp_path: Path
) -> None:
    recording = excerpt(5)
    file_hash = await analysed(owner, database, tmp_path, recording)
    original = await http.get(AUDIO, params={"file-hash": file_hash, "variant": "original"})
    assert (original.status_code, original.content) == (200, recording)
    async with MeetraClient(str(http.base_url), token=http.headers["authorization"].removeprefix("Bearer ")) as client:
        assert b"".join([piece async for piece in client.meeting_audio(file_hash, "original")]) == recording
        sound = b"".join([piece async for piece in client.meeting_audio(file_hash)])
    assert sound == (await http.get(AUDIO, params={"file-hash": file_hash})).content
    assert original.headers["content-type"] == "audio/wav"
    assert original.headers["content-disposition"] == f'attachment; filename="meeting-{file_hash[:12]}.wav"'
    await owner.run(lambda c: c.execute("UPDATE meetings SET media_type = 'text/html'"))
    hostile = await http.get(AUDIO, params={"file-hash": file_hash, "variant": "original"})
    assert hostile.headers["content-type"] == "application/octet-stream"
    assert "sandbox" in hostile.headers["content-security-policy"]
    for variant in ("redacted", "loud"):
        refused = await http.get(AUDIO, params={"file-hash": file_hash, "variant": variant})
        assert (refused.status_code, refused.headers["x-meetra-reason"]) == (400, "BAD_REQUEST")


async def test_redacted_sound_is_silent_there_and_the_original_stays_here(
    http: httpx.AsyncClient, owner: Database, database: Database, tmp_path: Path
) -> None:
    user = await make_user(owner, "Org", "a@example.org")
    file_hash = await redacted_upload(database, user, tmp_path, "phone")
    sound = await http.get(AUDIO, params={"file-hash": file_hash, "variant": "redacted"})
    assert sound.status_code == 200, sound.text
    _, samples = heard(sound.content)
    from_ms, to_ms = (int(moment) for moment in RANGES[0])
    inside = samples[from_ms * 16 + 800 : to_ms * 16 - 800]
    outside = samples[: max(1600, from_ms * 16 - 1600)]
    # The tone lies on a step, which the codec lets go of slowly: what changes from sample to sample is the tone.
    assert np.abs(np.diff(inside)).max() < 0.002 < 0.008 < np.abs(np.diff(outside)).max()
    original = await http.get(AUDIO, params={"file-hash": file_hash, "variant": "original"})
    assert (original.status_code, original.headers["x-meetra-reason"]) == (400, "BAD_REQUEST")
    # Before it is known what is redacted, nothing is handed out.
    waits = await redacted_upload(database, user, tmp_path, "phone,name", ready=False)
    for variant in ("normalised", "redacted", "original"):
        answer = await http.get(AUDIO, params={"file-hash": waits, "variant": variant})
        assert answer.status_code in (400, 409)


async def test_the_sound_goes_with_its_meeting_and_is_nobody_else_s(
    http: httpx.AsyncClient, house: House, owner: Database, database: Database, tmp_path: Path
) -> None:
    file_hash = await analysed(owner, database, tmp_path, excerpt(5))
    said = await prepared(http, file_hash)
    other = {**dict(await house.user("Elsewhere", "b@example.org")), "range": "bytes=0-"}
    for path in (AUDIO, PEAKS):
        assert (await http.get(path, params={"file-hash": file_hash}, headers=other)).status_code == 404
    assert (await http.post(LINK, json={"file-hash": file_hash}, headers=other)).status_code == 404
    async with httpx.AsyncClient(base_url=http.base_url, timeout=PATIENCE_S) as stranger:
        assert (await stranger.get(AUDIO, params={"file-hash": file_hash})).status_code == 401
    (folder,) = {path.parent for path in tmp_path.rglob("playback-*.webm")}
    await http.delete("/single-feature-api/meeting", params={"file-hash": file_hash})
    assert not folder.exists()
    assert (await http.get(said["url"])).status_code == 404


async def test_tracks_of_a_live_meeting_are_heard_together(
    http: httpx.AsyncClient, owner: Database, database: Database, tmp_path: Path
) -> None:
    user = await make_user(owner, "Org", "a@example.org")
    file_hash = "ab" * 32
    meeting_id = await ready_meeting(database, user, file_hash)
    config = two_tracks()
    await owner.run(
        lambda c: c.execute(
            "INSERT INTO live_meetings (meeting_id, organization_id, config) VALUES ($1, $2, $3)",
            meeting_id,
            user.organization_id,
            config.to_document(),
        )
    )
    log = AudioLog(tmp_path)
    time = np.arange(2 * 16_000) / 16_000
    for number, hertz in enumerate((440, 1000)):
        path = log.live_track(user.organization_id, file_hash, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((np.sin(2 * np.pi * hertz * time) * 8000).astype(np.int16).tobytes())
    sound = await http.get(AUDIO, params={"file-hash": file_hash})
    assert sound.status_code == 200, sound.text
    _, samples = heard(sound.content)
    # The second begins a second later.
    assert loudest_hertz(samples[:16_000]) == {440}
    assert loudest_hertz(samples[16_000:32_000]) == {440, 1000}
    assert loudest_hertz(samples[32_000:48_000]) == {1000}
    track = await http.get(AUDIO, params={"file-hash": file_hash, "variant": "original", "track": "1"})
    assert (track.status_code, track.headers["content-type"]) == (200, "audio/wav")
    assert len(track.content) == int(track.headers["content-length"])
    assert loudest_hertz(heard(track.content)[1][:16_000]) == {1000}
    beyond = await http.get(AUDIO, params={"file-hash": file_hash, "variant": "original", "track": "2"})
    assert beyond.status_code == 400
