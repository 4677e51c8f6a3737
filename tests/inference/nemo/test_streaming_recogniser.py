"""Words while audio comes: the same that the same model finds in the whole recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.random_speech_models import recogniser, speechlike, train_tokenizer
from inference.models import SAMPLE_RATE_HZ, ModelUnfit, RecognisedWord, StreamInput
from tests.devices import torch_device
from tests.optional_packages import WITHOUT_NEMO

pytest.importorskip("nemo", reason=WITHOUT_NEMO)

RECORDINGS = [speechlike(seconds, seed) for seed, seconds in enumerate((3.0, 1.1, 5.77, 9.0, 4.31))]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module", params=["hybrid", "tdt"])
def checkpoint(request: pytest.FixtureRequest, tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / f"{request.param}.nemo"
    recogniser(request.param, tokenizer, streaming=True).save_to(str(path))
    return path


def load(path: Path, look_ahead: int | None = None, dtype: str = "float32") -> Any:
    from inference.nemo.streaming_recogniser import load_streaming_recogniser

    return load_streaming_recogniser(path, device=torch_device(), dtype=dtype, languages=["en"], look_ahead=look_ahead)


def words_of_whole_recordings(path: Path) -> list[tuple[RecognisedWord, ...]]:
    from inference.nemo.recogniser import load_recogniser

    return list(load_recogniser(path, device=torch_device(), dtype="float32", languages=["en"])(RECORDINGS))


class Session:
    """One recording on its way to the model."""

    def __init__(self, model: Any, recording: NDArray[np.float32], pieces: Sequence[int]) -> None:
        """``pieces``: samples given at once, over and over."""
        self.state = model.initial_state()
        self.words: list[RecognisedWord] = []
        self._recording, self._pieces, self._at, self._calls = recording, pieces, 0, 0

    @property
    def over(self) -> bool:
        return self._at >= len(self._recording)

    def next_stretch(self) -> StreamInput:
        samples = self._recording[self._at : self._at + self._pieces[self._calls % len(self._pieces)]]
        self._at += len(samples)
        self._calls += 1
        return StreamInput(samples, self.state, last=self.over)


def run(model: Any, sessions: Sequence[Session], starts: Sequence[int] | None = None) -> None:
    """Every session gives a piece a round, from the round in ``starts`` on, until all are over."""
    starts = starts or [0] * len(sessions)
    round_ = 0
    while not all(session.over for session in sessions):
        active = [s for s, start in zip(sessions, starts, strict=True) if start <= round_ and not s.over]
        round_ += 1
        stretches = [session.next_stretch() for session in active]
        for session, (heard, state) in zip(active, model(stretches), strict=True):
            session.state = state
            session.words += heard.words


def assert_same(sessions: Sequence[Session], expected: Sequence[tuple[RecognisedWord, ...]]) -> None:
    for session, recording, words in zip(sessions, RECORDINGS, expected, strict=True):
        assert [word.text for word in session.words] == [word.text for word in words]
        end = len(recording) / SAMPLE_RATE_HZ
        for found, wanted in zip(session.words, words, strict=True):
            assert found.start_s == pytest.approx(wanted.start_s, abs=1e-6)
            # A word told before the end of the session was known may seem to last a frame longer.
            assert min(found.end_s, end) == pytest.approx(wanted.end_s, abs=1e-6)
            assert found.confidence == pytest.approx(wanted.confidence, abs=1e-4)


@pytest.mark.parametrize("pieces", [(2000,), (8960,), (50_000, 0, 1, 777), (10**7,)])
def test_words_are_those_of_the_whole_recording_however_it_is_cut(checkpoint: Path, pieces: Sequence[int]) -> None:
    model, expected = load(checkpoint), words_of_whole_recordings(checkpoint)
    assert sum(map(len, expected)) > 50
    sessions = [Session(model, recording, pieces) for recording in RECORDINGS]
    run(model, sessions)
    assert_same(sessions, expected)


def test_sessions_of_different_ages_do_not_hear_one_another(checkpoint: Path) -> None:
    model = load(checkpoint)
    pieces = ((4000,), (9000, 100), (16_000,), (7000,), (20_000, 3))
    sessions = [Session(model, recording, own) for recording, own in zip(RECORDINGS, pieces, strict=True)]
    run(model, sessions, starts=(5, 0, 2, 9, 1))
    assert_same(sessions, words_of_whole_recordings(checkpoint))


def test_the_word_under_way_is_what_the_next_word_told_begins_with(checkpoint: Path) -> None:
    model = load(checkpoint)
    session = Session(model, RECORDINGS[3], (3000,))
    seen = 0
    before: tuple[int, RecognisedWord | None] = (0, None)
    while not session.over:
        ((heard, session.state),) = model([session.next_stretch()])
        session.words += heard.words
        count, word = before
        if word is not None and len(session.words) > count:
            assert session.words[count].text.startswith(word.text)
            assert session.words[count].start_s == word.start_s
            seen += 1
        before = (len(session.words), heard.ongoing)
    assert seen > 5
    assert before[1] is None
    assert [word.start_s for word in session.words] == sorted(word.start_s for word in session.words)


def test_no_audio_waits_longer_than_the_latency_says(checkpoint: Path) -> None:
    model = load(checkpoint)
    state, given, heard_features = model.initial_state(), 0, set()
    for piece in np.array_split(RECORDINGS[2], 90):
        ((_, state),) = model([StreamInput(piece, state)])
        given += len(piece)
        assert given - state.encoded * 160 <= model.latency_samples
        assert len(state.samples) < 2 * model.latency_samples
        heard_features.add(state.encoded)
    assert len(heard_features) > 5


def test_a_session_of_nothing_has_no_words(checkpoint: Path) -> None:
    model = load(checkpoint)
    ((heard, state),) = model([StreamInput(np.zeros(0, np.float32), model.initial_state())])
    assert (heard.words, heard.ongoing) == ((), None)
    ((heard, _),) = model([StreamInput(np.zeros(100, np.float32), state, last=True)])
    assert (heard.words, heard.ongoing) == ((), None)
    assert model([]) == []


def test_look_ahead_is_one_of_those_the_model_was_trained_with(checkpoint: Path) -> None:
    wide, narrow = load(checkpoint), load(checkpoint, look_ahead=1)
    assert (wide.step_samples, narrow.step_samples) == (7 * 1280, 2 * 1280)
    assert narrow.latency_samples < wide.latency_samples
    sessions = [Session(narrow, recording, (5000,)) for recording in RECORDINGS]
    run(narrow, sessions)
    assert all(session.words for session in sessions)
    with pytest.raises(ModelUnfit, match="look_ahead: 3 frames; supported: 6, 1"):
        load(checkpoint, look_ahead=3)


def test_half_precision_runs(checkpoint: Path) -> None:
    model = load(checkpoint, dtype="bfloat16")
    sessions = [Session(model, recording, (16_000,)) for recording in RECORDINGS]
    run(model, sessions)
    assert sum(len(session.words) for session in sessions) > 50


def test_a_recogniser_of_whole_pieces_is_refused(tokenizer: Path, tmp_path: Path) -> None:
    for kind, named in (("rnnt", "att_context_style is 'regular'"), ("ctc", "EncDecCTCModelBPE")):
        path = tmp_path / f"{kind}.nemo"
        recogniser(kind, tokenizer).save_to(str(path))
        with pytest.raises(ModelUnfit, match=named):
            load(path)
