"""The cuts of a track outlive a crash."""

from __future__ import annotations

from pathlib import Path

from server.live.track_cuts import TrackCuts, read_cuts


async def test_a_cut_that_a_crash_left_half_written_is_none(tmp_path: Path) -> None:
    path = tmp_path / "cuts-0"
    assert TrackCuts(path).positions == []
    path.write_bytes(b"16000\n32")
    cuts = TrackCuts(path)
    assert cuts.positions == [16_000]
    await cuts.add(48_000)
    assert (cuts.positions, read_cuts(path)) == ([16_000, 48_000], [16_000, 48_000])
