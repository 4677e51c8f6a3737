"""Windows of voices at a fixed hop, and what is known of a window before all of its audio has come."""

from __future__ import annotations

import numpy as np
import pytest

from inference.diarization.segmented_windows import FrameGrid, SegmentedWindows

LENGTH, HOP = 100, 50


def classes(spoken: slice, frames: int = LENGTH) -> np.ndarray:
    """One voice, sure of these frames."""
    found = np.zeros((frames, 7), np.float32)
    found[:, 0] = 1
    found[spoken, :2] = (0, 1)
    return found


def test_frames_are_settled_once_no_further_window_covers_them() -> None:
    windows = SegmentedWindows(FrameGrid(0.05, 0.1), HOP)
    assert (len(windows), windows.frames, windows.settled_frames) == (0, 0, 0)
    windows.append(classes(slice(0, 20)))
    assert (len(windows), windows.frames, windows.settled_frames) == (1, LENGTH, HOP)
    windows.append(classes(slice(0, 20)))
    assert (len(windows), windows.frames, windows.settled_frames) == (2, LENGTH + HOP, 2 * HOP)


def test_a_preview_is_heard_until_the_window_itself_comes_and_settles_nothing() -> None:
    windows = SegmentedWindows(FrameGrid(0.05, 0.1), HOP)
    windows.append(classes(slice(0, 20)))
    # 7 s of the next window: 5 s that are known, and 2 s of speech.
    windows.preview(classes(slice(50, 70), frames=70))
    assert windows.has_preview
    assert (len(windows), windows.frames, windows.settled_frames) == (1, HOP + 70, HOP)
    speech, _ = windows.speech_and_overlap(HOP, HOP + 70)
    assert speech.tolist() == pytest.approx([0.0] * 50 + [1.0] * 20)
    windows.preview(classes(slice(50, 80), frames=80))
    assert (len(windows), windows.frames) == (1, HOP + 80)
    windows.append(classes(slice(60, 90)))
    assert not windows.has_preview
    assert (len(windows), windows.frames) == (2, HOP + LENGTH)
    speech, _ = windows.speech_and_overlap(LENGTH, HOP + LENGTH)
    assert speech.tolist() == pytest.approx([0.0] * 10 + [1.0] * 30 + [0.0] * 10)


@pytest.mark.parametrize("before", [0, 1])
def test_a_preview_that_is_dropped_leaves_nothing(before: int) -> None:
    windows = SegmentedWindows(FrameGrid(0.05, 0.1), HOP)
    for _ in range(before):
        windows.append(classes(slice(0, 20)))
    frames = windows.frames
    windows.preview(classes(slice(0, 70), frames=70))
    windows.drop_preview()
    windows.drop_preview()
    assert (len(windows), windows.frames, windows.has_preview) == (before, frames, False)
