"""Files of s16le: silence is a hole in them, levels are those before the gain, and lengths are bounded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from server.media.pcm_file import PcmFile, PcmFolder
from server.media.refusal import Refused
from server.media.resampling import RATE_HZ


def ramp(samples: int) -> np.ndarray:
    return np.linspace(-0.5, 0.5, samples, dtype=np.float32)


def test_audio_and_silence_lie_where_they_belong(tmp_path: Path) -> None:
    file = PcmFile(tmp_path / "a.raw", 10)
    file.write(ramp(100))
    file.silence_until(50)
    file.silence_until(300)
    file.write(ramp(100))
    file.silence_until(1000)
    file.close()
    written = np.fromfile(tmp_path / "a.raw", "<i2")
    expected = np.round(ramp(100) * 32768).astype(np.int16)
    assert len(written) == file.samples == 1000
    assert np.array_equal(written[:100], expected)
    assert not written[100:300].any()
    assert np.array_equal(written[300:400], expected)
    assert not written[400:].any()


def test_a_file_of_nothing_is_silent_and_has_no_level(tmp_path: Path) -> None:
    file = PcmFile(tmp_path / "a.raw", 10)
    file.silence_until(RATE_HZ)
    file.write(np.zeros(10, np.float32))
    file.close()
    assert (file.silent, file.level_dbfs) == (True, None)


@pytest.mark.parametrize(("amplitude", "gain", "level"), [(1.0, 1.0, 0.0), (0.1, 1.0, -20.0), (0.1, 10.0, -40.0)])
def test_a_level_is_the_mean_power_of_what_was_recorded(
    tmp_path: Path, amplitude: float, gain: float, level: float
) -> None:
    file = PcmFile(tmp_path / "a.raw", 10, gain)
    file.write(np.tile(np.asarray([amplitude, -amplitude], np.float32), 5000))
    file.close()
    assert file.level_dbfs == pytest.approx(level, abs=0.01)


def test_what_is_beyond_full_scale_is_full_scale_and_what_is_no_number_is_silence(tmp_path: Path) -> None:
    file = PcmFile(tmp_path / "a.raw", 10)
    file.write(np.asarray([2.0, -2.0, np.nan, 1.0, -1.0], np.float32))
    file.close()
    assert np.fromfile(tmp_path / "a.raw", "<i2").tolist() == [32767, -32768, 0, 32767, -32768]


def test_a_recording_may_be_as_long_as_the_limit_and_no_sample_longer(tmp_path: Path) -> None:
    file = PcmFile(tmp_path / "a.raw", 1)
    file.write(np.zeros(RATE_HZ, np.float32))
    message = r"exceeds this server's limit of 1 s"
    with pytest.raises(Refused, match=message) as raised:
        file.write(np.zeros(1, np.float32))
    assert raised.value.code == "too_long"
    with pytest.raises(Refused, match=message):
        file.silence_until(RATE_HZ + 1)
    assert file.samples == RATE_HZ


def test_a_folder_holds_so_many_files_and_no_more(tmp_path: Path) -> None:
    folder = PcmFolder(tmp_path, 10, 2, 1000)
    for _ in range(2):
        folder.new_file(1).close()
    with pytest.raises(Refused, match="more than 2 channels; channels=separate supports at most 2"):
        folder.new_file(1)
    assert {path.name for path in tmp_path.iterdir()} == {"1.raw", "2.raw"}


def test_the_files_of_a_folder_share_their_room_and_silence_takes_it_too(tmp_path: Path) -> None:
    folder = PcmFolder(tmp_path, 10, 2, 1000)
    first, second = folder.new_file(1), folder.new_file(1)
    first.write(ramp(200))
    second.silence_until(300)
    with pytest.raises(Refused, match="exceed this server's limit of 1000 bytes of decoded audio") as raised:
        first.write(ramp(1))
    assert raised.value.code == "too_much_audio"
