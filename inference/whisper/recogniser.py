"""WindowRecogniser on CTranslate2: encodes windows, detects their language, decodes and times words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from inference.models import (
    SAMPLE_RATE_HZ,
    EncodedWindow,
    ProvisionalWords,
    RecognisedWord,
    Samples,
    WindowTask,
)
from inference.onnx.speech import words_by_letters
from inference.whisper.confidence import calibrated
from inference.whisper.guards import (
    DecodedText,
    drop_invented,
    is_doubtful,
    loop_start,
    repeated_tail_start,
)
from inference.whisper.log_mel import HOP_SAMPLES, WhisperSpectrum
from inference.whisper.tokens import LANGUAGE_TOKEN, WhisperTokens
from inference.whisper.worker_threads import WorkerThreads

# The encoder was trained on 30 s, of which speech fills at most 28: words at the very end are lost. A shorter window is
# padded with this much silence, to at least the minimum: the words are as good, and cost a sixth less.
WINDOW_FRAMES, MIN_FRAMES, PADDING_FRAMES = 3000, 1500, 400
MAX_WINDOW_S = 28.0
# Resolution of word times: a frame of the encoder.
FRAME_S = 0.02
# Languages with at least 1000 hours in Whisper's training data (Radford et al. 2022, appendix E). Noisy speech in one
# of them is easily detected as Welsh, Latin or Javanese, so any other is assumed to be ten times rarer.
WELL_TRAINED = frozenset("en zh de es ru fr pt ko ja tr pl it sv nl ca fi id".split())
RARE_LANGUAGE_PRIOR = 0.1
# Below this probability of the best language, nothing can be transcribed: a crowd, a choir. It does not apply where the
# client gave the language.
MIN_LANGUAGE_PROBABILITY = 0.4
# Upper bounds of what people say; more is a loop.
TOKENS_PER_S, MIN_TOKENS, MAX_TOKENS = 14.0, 16, 224
# Speakers say more; with less text, the model has left something out, or there is little to transcribe.
MIN_WORDS_PER_S = 2.0
# With less than this share of the words that it writes without key terms, these have misled the model.
MISLED_SHARE = 0.75
# With this much speech after the last word, decoding stopped too early: the rest is decoded again.
MAX_UNDECODED_S = 3.0
MAX_PASSES = 3
# Silence after a provisional chunk, without which the model does not recognise its end.
PROVISIONAL_SILENCE_S = 1.0
PROVISIONAL_TOKENS_PER_S, PROVISIONAL_MIN_TOKENS = 6.0, 6
MAX_PROVISIONAL_S = 6.0


@dataclass(frozen=True, slots=True)
class _Encoded:
    """This backend's data of an EncodedWindow."""

    features: Any
    """Shape (1, frames / 2, width), on the model's device."""
    samples: Samples
    top_probability: float
    """Probability of the most likely language, 0..1; 1 for a model of a single language."""


class WhisperRecogniser:
    """WindowRecogniser; see inference.models.recognition."""

    max_window_s = MAX_WINDOW_S
    max_provisional_s = MAX_PROVISIONAL_S
    uses_key_terms = True
    word_times = True

    def __init__(
        self,
        model: Any,
        tokens: WhisperTokens,
        languages: tuple[str, ...],
        threads: WorkerThreads,
        *,
        provisional: tuple[Any, WorkerThreads],
        parallel: int,
    ) -> None:
        """
        Args:
            model: a ctranslate2.models.Whisper, for windows.
            tokens: its vocabulary.
            languages: BCP 47 primary tags that may be detected.
            threads: the threads it runs on.
            provisional: model and threads for provisional chunks; may be the same.
            parallel: windows processed concurrently.
        """
        self._model, self._tokens, self._threads = model, tokens, threads
        self._provisional_model, self._provisional_threads = provisional
        self.languages, self.parallel = languages, parallel
        self._known = frozenset(languages)
        self._spectrum = WhisperSpectrum(model.n_mels)

    @property
    def processor_s(self) -> float:
        """Processor time so far, seconds."""
        other = self._provisional_threads
        return self._threads.processor_s + (other.processor_s if other is not self._threads else 0.0)

    def encode(self, windows: Sequence[Samples]) -> list[EncodedWindow]:
        """Implement WindowRecogniser."""
        return [self._encode(samples) for samples in windows]

    def decode(self, work: Sequence[WindowTask[EncodedWindow]]) -> list[tuple[RecognisedWord, ...]]:
        """Implement WindowRecogniser; windows are decoded one by one, so words never depend on the rest of the
        batch."""
        return [tuple(self._decode_window(task)) for task in work]

    def recognise_provisional(self, work: Sequence[WindowTask[Samples]]) -> list[ProvisionalWords]:
        """Implement WindowRecogniser."""
        longest = max(len(task.window) for task in work)
        frames = min(WINDOW_FRAMES, -(-int(longest + PROVISIONAL_SILENCE_S * SAMPLE_RATE_HZ) // (2 * HOP_SAMPLES)) * 2)
        spectra = np.stack([self._spectrum(task.window, frames) for task in work])
        with self._provisional_threads.call():
            features = self._provisional_model.encode(ctranslate2.StorageView.from_array(spectra))
            languages = (
                self._languages(self._provisional_model, features)
                if any(not task.language for task in work)
                else [{}] * len(work)
            )
            spoken = [
                task.language or max(language_probabilities, key=language_probabilities.__getitem__, default="")
                for task, language_probabilities in zip(work, languages, strict=True)
            ]
            # Prompts of a batch must have one length, so key terms are left to the final words.
            prompts = [self._tokens.prompt(self._prompt_language(language), ()) for language in spoken]
            max_tokens = int(PROVISIONAL_MIN_TOKENS + PROVISIONAL_TOKENS_PER_S * longest / SAMPLE_RATE_HZ)
            results = self._provisional_model.generate(
                features,
                prompts,
                beam_size=1,
                max_length=_limit(max_tokens, prompts[0]),
                return_scores=True,
                return_logits_vocab=True,
            )
        return [
            ProvisionalWords(
                self._provisional_words(result, max_tokens, task, language), language, language_probabilities
            )
            for result, task, language, language_probabilities in zip(results, work, spoken, languages, strict=True)
        ]

    def _encode(self, samples: Samples) -> EncodedWindow:
        frames = -(-len(samples) // (2 * HOP_SAMPLES)) * 2 + PADDING_FRAMES
        spectra = self._spectrum(samples, min(WINDOW_FRAMES, max(MIN_FRAMES, frames)))[None]
        with self._threads.call():
            features = self._model.encode(ctranslate2.StorageView.from_array(spectra))
            (probabilities,) = _detect_languages(self._model, features)
        top_probability = max(probabilities.values(), default=1.0)
        return EncodedWindow(_Encoded(features, samples, top_probability), self._with_priors(probabilities))

    def _languages(self, model: Any, features: Any) -> list[dict[str, float]]:
        """Return the probability of each language, for each window; empty for a model of a single language."""
        return [self._with_priors(probabilities) for probabilities in _detect_languages(model, features)]

    def _with_priors(self, probabilities: dict[str, float]) -> dict[str, float]:
        kept = {language: p * self._prior(language) for language, p in probabilities.items() if language in self._known}
        total = sum(kept.values()) or 1.0
        return {language: p / total for language, p in kept.items()}

    @staticmethod
    def _prior(language: str) -> float:
        return 1.0 if language in WELL_TRAINED else RARE_LANGUAGE_PRIOR

    def _prompt_language(self, language: str) -> str:
        return language if self._model.is_multilingual else ""

    def _decode_window(self, task: WindowTask[EncodedWindow]) -> list[RecognisedWord]:
        encoded: _Encoded = task.window.encoding
        words: list[RecognisedWord] = []
        if encoded.top_probability < MIN_LANGUAGE_PROBABILITY and not task.language_given:
            return words
        offset_s, features, samples = 0.0, encoded.features, encoded.samples
        for _ in range(MAX_PASSES):
            duration_s = len(samples) / SAMPLE_RATE_HZ
            found = self._decode_pass(features, duration_s, task)
            if task.key_terms and len(found) < MIN_WORDS_PER_S * duration_s:
                # Key terms mislead the model now and then: it writes some of them, or little.
                without = self._decode_pass(features, duration_s, replace(task, key_terms=()))
                if len(found) < MISLED_SHARE * len(without):
                    found = without
            words += [word.shifted(offset_s) for word in found]
            decoded_s = found[-1].end_s if found else 0.0
            if not found or duration_s - decoded_s < MAX_UNDECODED_S:
                break
            offset_s += decoded_s
            samples = samples[int(decoded_s * SAMPLE_RATE_HZ) :]
            features = self._encode(samples).encoding.features
        return words

    def _decode_pass(self, features: Any, duration_s: float, task: WindowTask[EncodedWindow]) -> list[RecognisedWord]:
        """Decode once; return the words before any loop.

        A text that loops or is short is decoded again with timestamps between phrases, which makes the model continue;
        the longer of the two is returned.
        """
        plain, looped = self._decode_text(features, duration_s, task, with_times=False)
        if is_doubtful(plain):
            return []
        if looped or len(plain.words) < MIN_WORDS_PER_S * duration_s:
            timed, _ = self._decode_text(features, duration_s, task, with_times=True)
            plain = max(plain, timed, key=lambda text: len(drop_invented(text)))
        return drop_invented(plain)

    def _decode_text(
        self, features: Any, duration_s: float, task: WindowTask[EncodedWindow], *, with_times: bool
    ) -> tuple[DecodedText, bool]:
        """Decode; return the text before any loop, and whether there was one."""
        prompt = self._tokens.prompt(self._prompt_language(task.language), task.key_terms, with_times=with_times)
        max_tokens = min(MAX_TOKENS, int(MIN_TOKENS + TOKENS_PER_S * duration_s))
        with self._threads.call():
            (result,) = self._model.generate(
                features,
                [prompt],
                beam_size=1,
                max_length=_limit(max_tokens, prompt),
                return_scores=True,
                return_no_speech_prob=True,
            )
            written = [token for token in result.sequences_ids[0] if token < self._tokens.end_of_text]
            if not written:
                return DecodedText([], result.scores[0], result.no_speech_prob, duration_s), False
            (aligned,) = self._model.align(
                features,
                self._tokens.sequence(self._prompt_language(task.language)),
                [written],
                min(WINDOW_FRAMES, int(duration_s * SAMPLE_RATE_HZ) // HOP_SAMPLES),
            )
        words = self._timed_words(written, aligned, duration_s, task.language)
        kept = loop_start([word.text for word in words])
        return DecodedText(words[:kept], result.scores[0], result.no_speech_prob, duration_s), kept < len(words)

    def _timed_words(self, tokens: list[int], aligned: Any, duration_s: float, language: str) -> list[RecognisedWord]:
        """Return words with times by dynamic time warping over the model's cross-attention."""
        begins_s = np.zeros(len(tokens) + 1)
        token_indices = np.array([pair[0] for pair in aligned.alignments], np.int64)
        frames = np.array([pair[1] for pair in aligned.alignments], np.int64)
        first = np.flatnonzero(np.diff(token_indices, prepend=-1))
        begins_s[np.minimum(token_indices[first], len(tokens))] = frames[first] * FRAME_S
        begins_s[-1] = max(begins_s[-1], frames[-1] * FRAME_S if len(frames) else 0.0)
        begins_s = np.minimum(np.maximum.accumulate(begins_s), duration_s)
        token_confidence = np.array(aligned.text_token_probs, np.float64)
        words = []
        for word in self._tokens.words(tokens, language):
            own = float(token_confidence[word.first : word.end].mean()) if len(token_confidence) >= word.end else 0.0
            start_s, end_s = float(begins_s[word.first]), float(begins_s[word.end])
            words.append(RecognisedWord(word.text, start_s, max(start_s, end_s), calibrated(own), language))
        return words

    def _provisional_words(
        self, result: Any, max_tokens: int, task: WindowTask[Samples], language: str
    ) -> tuple[RecognisedWord, ...]:
        """Return provisional words: times by their letters, each with its own confidence.

        ``max_tokens``: maximum number of tokens the model was allowed.
        """
        duration_s = len(task.window) / SAMPLE_RATE_HZ
        score = result.scores[0]
        cut_off = len(result.sequences_ids[0]) >= max_tokens
        written = [token for token in result.sequences_ids[0] if token < self._tokens.end_of_text]
        found = self._tokens.words(written, language)
        found = found[: loop_start([word.text for word in found])]
        if cut_off:
            found = found[: repeated_tail_start([word.text for word in found])]
        probabilities = _token_probabilities(written, result.logits[0])
        confidences = [
            calibrated(float(probabilities[word.first : word.end].mean())) for word in found for _ in word.text.split()
        ]
        text = " ".join(word.text for word in found)
        words = [replace(word, language=language) for word in words_by_letters(text, duration_s, confidences)]
        return tuple(drop_invented(DecodedText(words, score, 0.0, duration_s)))


def _limit(tokens: int, prompt: Sequence[int]) -> int:
    """Return CTranslate2's ``max_length`` for ``tokens`` new ones: it reserves half of it, or more, for the prompt."""
    return max(2 * tokens, len(prompt) + tokens)


def _token_probabilities(tokens: Sequence[int], logits: Sequence[Any]) -> NDArray[np.float64]:
    """Return the model's probability of each token, shape (n,), 0..1; ``logits``: of its vocabulary, at each place."""
    found = []
    for token, view in zip(tokens, logits, strict=False):  # the end of the text has logits, too
        on_cpu = view if view.device == "cpu" else view.to_device(ctranslate2.Device.cpu)
        row = np.asarray(on_cpu.to(ctranslate2.DataType.float32))
        odds = np.exp(row - row.max())
        found.append(odds[token] / odds.sum())
    return np.array(found, np.float64)


def _detect_languages(model: Any, features: Any) -> list[dict[str, float]]:
    """Return the model's probability of each language, for each window; empty for a model of a single language."""
    if not model.is_multilingual:
        return [{}] * int(features.shape[0])
    return [
        {match[1]: p for token, p in probabilities if (match := LANGUAGE_TOKEN.fullmatch(token))}
        for probabilities in model.detect_language(features)
    ]
