"""One track of a live meeting streamed through the engine; a new engine starts over from the track's beginning.

A session of the engine lasts as long as audio comes: it begins with the track's first audio, and is finished when none
has come for long. The end is then known already, and stands unless more comes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import NamedTuple
from uuid import UUID

import numpy as np
from meetra.inference.v2 import session_pb2

from server.analysis import SessionResult, session_config
from server.audio import TrackDecoder, TrackSound, measure_level
from server.conversation import UNKNOWN_SPEAKER, TurnEvent, TurnState, meeting_segment_id, primary_tag, shift_word
from server.engine import EngineBusy, InferenceClient, SessionBroke, to_event
from server.live.config import LiveConfig, LiveTrack
from server.live.copied_turns import CopiedTurns
from server.live.published_state import PublishedState
from server.live.recording import audio_track, decode_pcm
from server.live.track_log import MeetingAudio, TrackLog
from server.live.turns import TurnSnapshot
from server.media import RATE_HZ

log = logging.getLogger(__name__)
# Seconds between two attempts to run a session; audio is accepted without an engine meanwhile.
RETRY_S, MAX_RETRY_S = 0.2, 5.0
# Engines that may fail in a row without progress: the audio itself may crash them, and other meetings need them. The
# worker tries again, a limited number of times, when the meeting is over.
MAX_FAILURES_WITHOUT_PROGRESS = 6
# Chunk sizes sent to the engine, bytes: live audio in blocks of 0.512 s, which is the engine's step (smaller ones would
# not be processed sooner), backlog in blocks of up to four steps.
MIN_CHUNK_BYTES, MAX_CHUNK_BYTES = 8192 * 2, 4 * 8192 * 2


class Reach(NamedTuple):
    """How far an engine has come on a track, in samples at 16 kHz."""

    turns: int = 0
    """Turns are known up to here."""
    words: int = 0
    """Words are known up to here, possibly provisional."""
    final_words: int = 0
    """Words that end at or before here are final."""

    def covers(self, other: Reach) -> bool:
        """Return whether this is at least as far as ``other`` in every respect."""
        return all(own >= required for own, required in zip(self, other, strict=True))

    def maximum(self, other: Reach) -> Reach:
        """Return the maximum of both in every respect."""
        return Reach(*map(max, self, other))


class TrackFeed:
    """Stream one track's durable audio to the engine, and the engine's turns to the meeting."""

    def __init__(
        self,
        meeting_id: UUID,
        config: LiveConfig,
        index: int,
        audio: MeetingAudio,
        published: PublishedState,
        inference: InferenceClient,
        on_update: Callable[[], Awaitable[None]],
        *,
        organization_id: UUID,
        idle_s: float,
        copied: CopiedTurns | None = None,
    ) -> None:
        """
        Args:
            index: index in the config's tracks.
            on_update: awaited after each complete update by the engine, to publish it.
            organization_id: whose meeting it is.
            idle_s: time without audio after which the track's session is finished, seconds.
            copied: leaves out what other tracks carry; None: nothing.
        """
        self._copied = copied or CopiedTurns(config.tracks[index].start_us)
        self._final_words_us = 0
        self._meeting_id, self._organization_id = meeting_id, organization_id
        self._config, self._index, self._idle_s = config, index, idle_s
        self._source = config.source_index(index)
        self._audio, self._inference, self._on_update = audio, inference, on_update
        self._turns, self._languages = published.turns, published.languages
        self._track = audio_track(config, index, self.pcm)
        self.sound = TrackSound()
        self.decoded_samples = 0
        """Samples at 16 kHz handed to the engine so far."""
        self.reach = Reach()
        # A restarted engine repeats everything, with provisional words at first. It has caught up once it is as far as
        # every engine before it; by then turns published with final words have them again.
        self._catch_up_target = Reach()
        self._heard_bytes = 0
        """Bytes of the log that the last session has heard."""
        self._answered_at = 0.0
        """When the engine last said something, by the monotonic clock."""
        self._repeated_samples = 0
        """Samples at 16 kHz analysed again because audio came after a session had been finished."""
        self.max_speakers = 0
        """Maximum number of speakers the engine distinguishes; 0 until it has reported one."""
        self.engine: session_pb2.Capabilities | None = None
        self.language_unknown = False
        """Whether the recogniser lacks the language that was given."""
        self.damaged = False

    @property
    def log(self) -> TrackLog:
        """The audio log of the track's source."""
        return self._audio.logs[self._source]

    @property
    def track(self) -> LiveTrack:
        """The track in the config."""
        return self._config.tracks[self._index]

    @property
    def ended(self) -> bool:
        """Whether the audio is complete."""
        return self._audio.ended

    async def run(self) -> SessionResult:
        """Stream the track to its end, over as many engines as needed, and return the result of the last.

        Raises SessionBroke once the meeting is over or engines fail repeatedly without progress; SessionRefused,
        MeetingLost.
        """
        # Suppress turns that are already published while the audio is analysed again.
        self._catch_up_target = Reach(
            self._samples_until(self._turns.turns_through_us(self._index)),
            self._samples_until(self._turns.words_through_us(self._index)),
            self._samples_until(self._turns.words_final_through_us(self._index)),
        )
        await self._audio.wait_for_more(self.log, 0)
        while True:
            result = await self._run_to_a_pause()
            await self._audio.wait_for_more(self.log, self._heard_bytes)
            if self.log.committed_bytes == self._heard_bytes:
                return result
            self._catch_up_target = self._catch_up_target.maximum(self.reach)
            self._repeated_samples += self.decoded_samples

    async def _run_to_a_pause(self) -> SessionResult:
        """Stream the audio so far and what follows without a long pause, and return the result. Raises as ``run``."""
        delay, failures = RETRY_S, 0
        while True:
            try:
                await self._inference.wait_until_reachable()
                return await self._run_session()
            except EngineBusy as error:
                log.info("live meeting %s: the engine has no capacity yet (%s)", self._meeting_id, error)
            except SessionBroke as error:
                failures = failures + 1 if self.reach.turns <= self._catch_up_target.turns else 0
                if self.ended or failures == MAX_FAILURES_WITHOUT_PROGRESS:
                    raise
                log.warning("live meeting %s: an engine session failed (%s)", self._meeting_id, error)
                self._catch_up_target = self._catch_up_target.maximum(self.reach)
            await asyncio.sleep(delay)
            delay = min(2 * delay, MAX_RETRY_S)

    def _samples_until(self, moment_us: int) -> int:
        """Convert a time in the meeting, microseconds, to samples of the track at 16 kHz, at least 0."""
        return max(0, moment_us - self._track.start_us) * RATE_HZ // 1_000_000

    async def _run_session(self) -> SessionResult:
        result = SessionResult()
        self.reach, self.decoded_samples = Reach(), 0
        if any(self._catch_up_target):
            self._turns.start_catch_up(self._index)
        self._copied.restart()
        self._final_words_us = 0
        terms = self._config.recognition_terms()
        config = session_config(
            self._meeting_id, self._organization_id, self._config.language, terms, self._track, live=True
        )
        async with (
            aclosing(self._read()) as raw,
            aclosing(self._decode(raw)) as pcm,
            aclosing(measure_level(pcm, result.level)) as metered_pcm,
            aclosing(self._inference.run(config, metered_pcm)) as responses,
        ):
            async for response in responses:
                self._answered_at = time.monotonic()
                await self._handle_response(response, result)
        return result

    async def _handle_response(self, response: session_pb2.RunSessionResponse, result: SessionResult) -> None:
        kind = response.WhichOneof("event")
        if kind == "ready":
            self.engine = response.ready.capabilities
            self.language_unknown = response.ready.language_unknown
            self.max_speakers = response.ready.capabilities.max_speakers
        if kind == "progress":
            # Final turns come from the finished meeting; published ones stay until then. Short audio gets its language
            # only at this stage.
            if response.progress.stage == session_pb2.STAGE_CLUSTERING:
                self._update_language(response.progress)
            else:
                self._handle_progress(response.progress)
            await self._on_update()
        elif kind == "turn" and response.turn.state != session_pb2.TURN_STATE_FINAL:
            event = to_event(response)
            assert isinstance(event, TurnEvent)
            for turn in self._copied.pass_on(self._live_turn(event)):
                self._turns.update(turn)
        else:
            result.collect(response)

    def _handle_progress(self, progress: session_pb2.Progress) -> None:
        self.reach = Reach(progress.heard_samples, progress.processed_samples, progress.final_words_samples)
        if self._turns.is_catching_up(self._index) and self.reach.covers(self._catch_up_target):
            self._turns.finish_catch_up(self._index)
        if not self._turns.is_catching_up(self._index):
            self._final_words_us = self._track.start_us + self.reach.final_words * 1_000_000 // RATE_HZ
            self.mark_words_final()
            self._update_language(progress)

    def mark_words_final(self) -> None:
        """Mark the words that the engine has decided as final, as far as it is known that they are the track's own."""
        if not self._turns.is_catching_up(self._index):
            self._turns.mark_words_final(self._index, min(self._final_words_us, self._copied.judged_through_us))

    def _update_language(self, progress: session_pb2.Progress) -> None:
        confidence = progress.language_confidence if progress.HasField("language_confidence") else None
        self._languages.update(self._index, primary_tag(progress.language), confidence)

    def _live_turn(self, event: TurnEvent) -> TurnSnapshot:
        segment, shift = event.segment, self._track.start_us
        unknown = segment.speaker == UNKNOWN_SPEAKER and self._track.expected_speakers != 1
        return TurnSnapshot(
            meeting_segment_id(segment.segment_id, self._index, len(self._config.tracks)),
            self._index,
            TurnState(event.state),
            UNKNOWN_SPEAKER if unknown else self._track.speaker_number(max(1, segment.speaker)),
            segment.start_us + shift,
            segment.end_us + shift,
            tuple(shift_word(word, shift) for word in segment.words),
            segment.language,
        )

    async def pcm(self) -> AsyncGenerator[bytes, None]:
        """Yield the track's audio from its beginning to its end as it becomes durable, s16le mono at 16 kHz."""
        async with aclosing(self._audio.read(self.log)) as raw, aclosing(self._decode(raw)) as pcm:
            async for data in pcm:
                yield data

    async def _read(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the log, up to a long pause."""
        self._heard_bytes = 0
        # As long as was ever analysed twice: whoever pauses on purpose at most doubles the work.
        pause_s = max(self._idle_s, self._repeated_samples / RATE_HZ)

        def engine_is_silent() -> bool:
            return time.monotonic() - self._answered_at >= pause_s

        # An engine that is behind first says what it hears: afterwards only the end of the meeting would.
        async with aclosing(self._audio.read(self.log, pause_s, engine_is_silent)) as raw:
            async for data in raw:
                self._heard_bytes += len(data)
                yield data

    async def _decode(self, raw: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        decoder = TrackDecoder(self.track.format, self.track.channel)
        buffered = b""
        async with aclosing(decode_pcm(decoder, raw)) as pcm:
            async for data in pcm:
                self.damaged = self.damaged or decoder.damaged
                buffered += data
                while len(buffered) >= MIN_CHUNK_BYTES:
                    size = min(MAX_CHUNK_BYTES, len(buffered) - len(buffered) % MIN_CHUNK_BYTES)
                    yield self._measure(buffered[:size])
                    buffered = buffered[size:]
            if buffered:
                yield self._measure(buffered)

    def _measure(self, chunk: bytes) -> bytes:
        self.sound.add(np.frombuffer(chunk, "<i2"), self.decoded_samples)
        self.decoded_samples += len(chunk) // 2
        return chunk

    def lag_samples(self) -> int:
        """Return how far the turns lag behind the durable audio, in samples at 16 kHz."""
        per_second = self.log.track.format.positions_per_second
        durable = self.log.committed * RATE_HZ // per_second if per_second else self.decoded_samples
        return max(0, durable - self.reach.turns)
