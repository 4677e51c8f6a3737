"""The cuts of a track outlive a crash."""

from __future__ import annotations

from pathlib import Path

from server.live.track_cuts import TrackCuts, read_cuts


async def test_a_cut_that_a_crash_left_half_written_is_none(tmp_path: Path) -> None:
    path = tmp_path / "cuts-0"
    assert (TrackCuts(path).positions, TrackCuts(path).closed_bytes) == ([], -1)
    path.write_bytes(b"16000 32000\n320 6")
    cuts = TrackCuts(path)
    assert (cuts.positions, cuts.closed_bytes) == ([16_000], 32_000)
    await cuts.add(48_000, 96_000)
    assert (cuts.positions, read_cuts(path)) == ([16_000, 48_000], [16_000, 48_000])
