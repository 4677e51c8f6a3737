"""A short real call of each model at start: a result that breaks its Protocol fails the start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from inference.models import (
    EMOTIONS,
    SAMPLE_RATE_HZ,
    EmotionClassifier,
    FrameDiarizer,
    ModelUnfit,
    QualityEstimator,
    RecognisedWord,
    Recogniser,
    Samples,
    SentimentClassifier,
    SpeakerEncoder,
    StreamingRecogniser,
    StreamInput,
    TextEncoder,
    VoiceActivityDetector,
    VoiceSegmenter,
    WindowRecogniser,
    WindowTask,
)

SENTENCES = ("I am very happy with what we have done.", "No.", "Where is the second page of the plan?")
# Nobody, three single voices, three pairs.
VOICE_CLASSES = 7
# Embeddings are of unit length, except for rounding, in 16 bits too.
LENGTH_TOLERANCE = 0.01


def faint_noise(samples: int) -> Samples:
    """Return white noise at -40 dBFS, the same each time; shape (samples,)."""
    return np.asarray(np.random.default_rng(0).normal(0, 0.01, samples), np.float32)


def probe_vad(vad: VoiceActivityDetector) -> None:
    """Run two consecutive calls. Raises ModelUnfit."""
    with _failing_as("a call with 4 windows"):
        windows = faint_noise(4 * vad.window_samples)
        ((first, state),) = vad([StreamInput(windows, vad.initial_state())])
        ((second, _),) = vad([StreamInput(windows, state, last=True)])
    for found in (first, second):
        _check_shape("probabilities of 4 windows", found, (4,))
        _check_range("probabilities of speech", found, 0, 1)


def probe_encoder(encoder: SpeakerEncoder) -> None:
    """Embed windows of two lengths. Raises ModelUnfit."""
    profile = encoder.profile
    window = faint_noise(int(profile.window_s * SAMPLE_RATE_HZ))
    with _failing_as(f"a call with windows of {profile.window_s:g} s"):
        vectors = encoder([window, window[: len(window) // 2]])
    _check_shape("vectors of 2 windows", vectors, (2, profile.dimension))
    _check_unit_length("speaker vectors", vectors)


def probe_diarizer(diarizer: FrameDiarizer) -> None:
    """Run a session of a chunk and half a frame; batch its end with a session of half a frame. Raises ModelUnfit."""
    step = diarizer.needed_samples(diarizer.initial_state())
    rest = diarizer.frame_samples // 2
    ending = faint_noise(rest)
    with _failing_as(f"a session of {(step + rest) / SAMPLE_RATE_HZ:.2f} s"):
        ((first, state),) = diarizer([StreamInput(faint_noise(step), diarizer.initial_state())])
        (second, _), (other, _) = diarizer(
            [StreamInput(ending, state, last=True), StreamInput(ending, diarizer.initial_state(), last=True)]
        )
    for samples, frames in ((step + rest, np.concatenate([first, second])), (rest, other)):
        needed = -(-samples // diarizer.frame_samples)
        _check_shape(f"frames of {samples} samples", frames, (needed, diarizer.max_speakers))
        _check_range("probabilities that a speaker speaks", frames, 0, 1)


def probe_segmenter(segmenter: VoiceSegmenter) -> None:
    """Segment a window and half of one. Raises ModelUnfit."""
    window = faint_noise(segmenter.window_samples)
    with _failing_as(f"a call with windows of {len(window) / SAMPLE_RATE_HZ:g} s"):
        found = segmenter([window, window[: len(window) // 2]])
    for classes in found:
        _check_shape("frames of a window", classes, (segmenter.frames, VOICE_CLASSES))
        _check_probabilities("probabilities of who speaks", classes)


def probe_recogniser(recogniser: Recogniser) -> None:
    """Recognise chunks of a second and of a third. Raises ModelUnfit."""
    chunks = [faint_noise(SAMPLE_RATE_HZ), faint_noise(SAMPLE_RATE_HZ // 3)]
    with _failing_as("a call with chunks of 1 s and 0.33 s"):
        found = recogniser(chunks)
    if len(found) != len(chunks):
        raise ModelUnfit(f"it returns words of {len(found)} chunks for {len(chunks)}")
    for chunk, words in zip(chunks, found, strict=True):
        for word in words:
            _check_word(word, len(chunk) / SAMPLE_RATE_HZ)


def probe_window_recogniser(recogniser: WindowRecogniser) -> None:
    """Recognise a second as a window and as a chunk. Raises ModelUnfit."""
    second = faint_noise(SAMPLE_RATE_HZ)
    with _failing_as("a call with a window of 1 s"):
        (encoded,) = recogniser.encode([second])
        (words,) = recogniser.decode([WindowTask(encoded, recogniser.languages[0])])
        (provisional,) = recogniser.recognise_provisional([WindowTask(second, recogniser.languages[0])])
    for word in (*words, *provisional.words):
        _check_word(word, 1.0)


def probe_streaming_recogniser(recogniser: StreamingRecogniser) -> None:
    """Run a session of one and a half steps. Raises ModelUnfit."""
    step = recogniser.step_samples
    rest = step // 2
    duration_s = (step + rest) / SAMPLE_RATE_HZ
    with _failing_as(f"a session of {duration_s:.2f} s"):
        ((first, state),) = recogniser([StreamInput(faint_noise(step), recogniser.initial_state())])
        ((second, _),) = recogniser([StreamInput(faint_noise(rest), state, last=True)])
    if second.ongoing is not None:
        raise ModelUnfit(f"the word {second.ongoing.text!r} continues after the end of the audio")
    for word in (*first.words, *second.words):
        _check_word(word, duration_s)


def _check_word(word: RecognisedWord, duration_s: float) -> None:
    confidence = word.confidence
    if not word.text.strip() or (confidence is not None and not 0 <= confidence <= 1):
        raise ModelUnfit(f"it returns the word {word.text!r} with confidence {confidence}; expected 0 to 1")
    if not 0 <= word.start_s <= word.end_s <= duration_s + 1e-3:
        raise ModelUnfit(
            f"it returns a word from {word.start_s:.2f} to {word.end_s:.2f} s in a chunk of {duration_s:.2f} s"
        )


def probe_quality(quality: QualityEstimator) -> None:
    """Rate one window. Raises ModelUnfit."""
    with _failing_as(f"a call with a window of {quality.window_samples} samples"):
        (scores,) = quality([faint_noise(quality.window_samples)])
    _check_range("opinion scores", np.array([scores.overall, scores.signal, scores.background]), 1, 5)


def probe_text_encoder(encoder: TextEncoder) -> None:
    """Embed three sentences and an empty one. Raises ModelUnfit."""
    with _failing_as("a call with sentences"):
        vectors = encoder([*SENTENCES, ""])
    _check_shape(f"vectors of {len(SENTENCES) + 1} sentences", vectors, (len(SENTENCES) + 1, encoder.dimension))
    _check_unit_length("sentence vectors", vectors[:-1])


def probe_sentiment(sentiment: SentimentClassifier, dimension: int) -> None:
    """Classify three sentences with embeddings of ``dimension``. Raises ModelUnfit."""
    with _failing_as("a call with sentences"):
        found = sentiment(SENTENCES, np.zeros((len(SENTENCES), dimension), np.float32))
    _check_shape("polarities", found, (len(SENTENCES),))
    _check_range("polarities", found, -1, 1)


def probe_emotions(emotions: EmotionClassifier, dimension: int) -> None:
    """Classify three sentences with embeddings of ``dimension``. Raises ModelUnfit."""
    with _failing_as("a call with sentences"):
        found = emotions(SENTENCES, np.zeros((len(SENTENCES), dimension), np.float32))
    _check_shape("probabilities of emotions", found, (len(SENTENCES), len(EMOTIONS)))
    _check_probabilities("probabilities of emotions", found)


@contextmanager
def _failing_as(call: str) -> Iterator[None]:
    try:
        yield
    except ModelUnfit:
        raise
    except Exception as error:
        raise ModelUnfit(f"{call} fails: {' '.join(str(error).split())[:400] or type(error).__name__}") from error


def _check_shape(what: str, found: NDArray[np.float32], needed: tuple[int, ...]) -> None:
    if found.shape != needed:
        raise ModelUnfit(f"{what} have shape {found.shape}; expected {needed}")


def _check_range(what: str, found: NDArray[np.floating], low: float, high: float) -> None:
    if not np.isfinite(found).all() or found.min(initial=low) < low or found.max(initial=high) > high:
        raise ModelUnfit(f"{what} go from {found.min():.3g} to {found.max():.3g}; expected {low} to {high}")


def _check_probabilities(what: str, found: NDArray[np.float32]) -> None:
    """Check that rows are probabilities that sum to 1."""
    _check_range(what, found, 0, 1)
    if np.abs(found.sum(axis=1) - 1).max() > LENGTH_TOLERANCE:
        raise ModelUnfit(f"its {what} sum to {found.sum(axis=1).min():.3f}; expected 1")


def _check_unit_length(what: str, found: NDArray[np.float32]) -> None:
    lengths = np.linalg.norm(found.astype(np.float64), axis=1)
    if not np.isfinite(lengths).all() or np.abs(lengths - 1).max() > LENGTH_TOLERANCE:
        raise ModelUnfit(f"{what} have lengths of {lengths.min():.3g} to {lengths.max():.3g}; expected 1")
