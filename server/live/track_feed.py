"""One track of a live meeting streamed through the engine; a new engine starts over from the track's beginning."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import NamedTuple
from uuid import UUID

import numpy as np
from meetra.inference.v2 import session_pb2

from server.analysis import SessionResult, session_config
from server.audio import TrackDecoder, TrackSound, metered
from server.conversation import UNKNOWN_SPEAKER, TurnEvent, TurnState, moved_word, primary_tag, segment_name
from server.engine import EngineBusy, InferenceClient, SessionBroke, event_of
from server.live.config import LiveConfig, Track
from server.live.recording import audio_track, pcm_from
from server.live.told import Told
from server.live.track_log import MeetingAudio, TrackLog
from server.live.turns import LiveTurn
from server.media import RATE_HZ

log = logging.getLogger(__name__)
# Seconds between two attempts to run a session; audio is accepted without an engine meanwhile.
RETRY_S, MAX_RETRY_S = 0.2, 5.0
# Engines that may fail in a row without progress: the audio itself may crash them, and other meetings need them. The
# worker tries again, a limited number of times, when the meeting is over.
MAX_BARREN = 6
# Chunk sizes sent to the engine, bytes: live audio in blocks of 0.512 s, which is the engine's step (smaller ones would
# not be processed sooner), backlog in blocks of up to four steps.
MIN_PIECE_BYTES, MAX_PIECE_BYTES = 8192 * 2, 4 * 8192 * 2


class Reach(NamedTuple):
    """How far an engine has come on a track, in samples at 16 kHz."""

    heard: int = 0
    """Turns are known up to here."""
    words: int = 0
    """Words are known up to here, possibly provisional."""
    final_words: int = 0
    """Words that end at or before here are final."""

    def covers(self, other: Reach) -> bool:
        """Return whether this is at least as far as ``other`` in every respect."""
        return all(mine >= its for mine, its in zip(self, other, strict=True))

    def joined(self, other: Reach) -> Reach:
        """Return the maximum of both in every respect."""
        return Reach(*map(max, self, other))


class TrackFeed:
    """Stream one track's durable audio to the engine, and the engine's turns to the meeting."""

    def __init__(
        self,
        meeting_id: UUID,
        config: LiveConfig,
        place: int,
        audio: MeetingAudio,
        told: Told,
        inference: InferenceClient,
        said_more: Callable[[], Awaitable[None]],
    ) -> None:
        """
        Args:
            place: index in the config's tracks.
            said_more: awaited after each complete update by the engine, to publish it.
        """
        self._meeting_id, self._config, self._place = meeting_id, config, place
        self._source = config.source_of(place)
        self._audio, self._inference, self._said_more = audio, inference, said_more
        self._turns, self._languages = told.turns, told.languages
        self._track = audio_track(config, place, self.pcm)
        self.sound = TrackSound()
        self.decoded_samples = 0
        """Samples at 16 kHz handed to the engine so far."""
        self.reach = Reach()
        # A restarted engine repeats everything, with provisional words at first. It has caught up once it is as far as
        # every engine before it; by then turns published with final words have them again.
        self._catch_up = Reach()
        self.most_speakers = 0
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
    def track(self) -> Track:
        """The track in the config."""
        return self._config.tracks[self._place]

    @property
    def ended(self) -> bool:
        """Whether the audio is complete."""
        return self._audio.ended

    async def run(self) -> SessionResult:
        """Stream the track to its end, over as many engines as needed, and return the result of the last.

        Raises SessionBroke once the meeting is over or engines fail repeatedly without progress; SessionRefused,
        MeetingLost.
        """
        delay, barren = RETRY_S, 0
        # Suppress turns that are already published while the audio is analysed again.
        self._catch_up = Reach(
            self._samples_until(self._turns.heard_through_us(self._place)),
            self._samples_until(self._turns.words_through_us(self._place)),
            self._samples_until(self._turns.words_final_through_us(self._place)),
        )
        while True:
            try:
                await self._inference.until_reachable()
                return await self._session()
            except EngineBusy:
                log.info("live meeting %s: the engine has no room yet", self._meeting_id)
            except SessionBroke as error:
                barren = barren + 1 if self.reach.heard <= self._catch_up.heard else 0
                if self.ended or barren == MAX_BARREN:
                    raise
                log.warning("live meeting %s: an engine broke (%s)", self._meeting_id, error)
                self._catch_up = self._catch_up.joined(self.reach)
            await asyncio.sleep(delay)
            delay = min(2 * delay, MAX_RETRY_S)

    def _samples_until(self, moment_us: int) -> int:
        """Convert a time in the meeting, microseconds, to samples of the track at 16 kHz, at least 0."""
        return max(0, moment_us - self._track.start_us) * RATE_HZ // 1_000_000

    async def _session(self) -> SessionResult:
        said = SessionResult()
        self.reach, self.decoded_samples = Reach(), 0
        if any(self._catch_up):
            self._turns.begin_again(self._place)
        terms = self._config.session_terms()
        config = session_config(self._meeting_id, self._config.language, terms, self._track, live=True)
        async with (
            aclosing(self.pcm()) as pcm,
            aclosing(metered(pcm, said.level)) as heard,
            aclosing(self._inference.run(config, heard)) as responses,
        ):
            async for response in responses:
                await self._take(response, said)
        return said

    async def _take(self, response: session_pb2.RunSessionResponse, said: SessionResult) -> None:
        kind = response.WhichOneof("event")
        if kind == "ready":
            self.engine = response.ready.capabilities
            self.language_unknown = response.ready.language_unknown
            self.most_speakers = response.ready.capabilities.max_speakers
        if kind == "progress":
            # Final turns come from the finished meeting; published ones stay until then. Short audio gets its language
            # only at this stage.
            if response.progress.stage == session_pb2.STAGE_CLUSTERING:
                self._hear_language(response.progress)
            else:
                self._take_progress(response.progress)
            await self._said_more()
        elif kind == "turn" and response.turn.state != session_pb2.TURN_STATE_FINAL:
            event = event_of(response)
            assert isinstance(event, TurnEvent)
            self._turns.take(self._live_turn(event))
        else:
            said.take(response)

    def _take_progress(self, said: session_pb2.Progress) -> None:
        self.reach = Reach(said.heard_samples, said.processed_samples, said.final_words_samples)
        if self._turns.catching_up(self._place) and self.reach.covers(self._catch_up):
            self._turns.caught_up(self._place)
        if not self._turns.catching_up(self._place):
            final_us = self._track.start_us + self.reach.final_words * 1_000_000 // RATE_HZ
            self._turns.words_are_final(self._place, final_us)
            self._hear_language(said)

    def _hear_language(self, said: session_pb2.Progress) -> None:
        confidence = said.language_confidence if said.HasField("language_confidence") else None
        self._languages.hear(self._place, primary_tag(said.language), confidence)

    def _live_turn(self, event: TurnEvent) -> LiveTurn:
        segment, shift = event.segment, self._track.start_us
        unknown = segment.speaker == UNKNOWN_SPEAKER and self._track.expected_speakers != 1
        return LiveTurn(
            segment_name(segment.segment_id, self._place, len(self._config.tracks)),
            self._place,
            TurnState(event.state),
            UNKNOWN_SPEAKER if unknown else self._track.number_of(max(1, segment.speaker)),
            segment.start_us + shift,
            segment.end_us + shift,
            tuple(moved_word(word, shift) for word in segment.words),
            segment.language,
        )

    async def pcm(self) -> AsyncGenerator[bytes, None]:
        """Yield the track's audio from its beginning as it becomes durable, s16le mono at 16 kHz."""
        decoder = TrackDecoder(self.track.format, self.track.channel)
        rest = b""
        async with aclosing(self._audio.read(self.log)) as raw, aclosing(pcm_from(decoder, raw)) as pcm:
            async for data in pcm:
                self.damaged = self.damaged or decoder.damaged
                rest += data
                while len(rest) >= MIN_PIECE_BYTES:
                    size = min(MAX_PIECE_BYTES, len(rest) - len(rest) % MIN_PIECE_BYTES)
                    yield self._heard(rest[:size])
                    rest = rest[size:]
            if rest:
                yield self._heard(rest)

    def _heard(self, piece: bytes) -> bytes:
        self.sound.hear(np.frombuffer(piece, "<i2"), self.decoded_samples)
        self.decoded_samples += len(piece) // 2
        return piece

    def lag_samples(self) -> int:
        """Return how far the turns lag behind the durable audio, in samples at 16 kHz."""
        per_second = self.log.track.format.positions_per_second
        durable = self.log.committed * RATE_HZ // per_second if per_second else self.decoded_samples
        return max(0, durable - self.reach.heard)
