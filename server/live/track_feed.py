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
from dataclasses import replace
from math import inf
from typing import NamedTuple
from uuid import UUID

from meetra.inference.v2 import session_pb2

from server.analysis import SessionResult, join_parts, part_segment, session_config
from server.audio import AudioEditor, LevelMeter, TrackDecoder, TrackSound
from server.conversation import (
    UNKNOWN_SPEAKER,
    Segment,
    TurnEvent,
    TurnState,
    meeting_segment_id,
    primary_tag,
    shift_word,
)
from server.engine import EngineBusy, Flush, InferenceClient, SessionBroke, SessionRefused, to_event
from server.live.config import MAX_TRACKS, LiveConfig, LiveTrack
from server.live.copied_turns import CopiedTurns
from server.live.published_state import PublishedState
from server.live.recording import audio_track, decode_pcm
from server.live.source_log import TrackLog
from server.live.track_cuts import TrackCuts
from server.live.track_log import MeetingAudio
from server.live.track_part import MIN_CHUNK_BYTES, PauseRules, TrackPart, part_start
from server.live.turn_snapshot import TurnSnapshot
from server.live.turns import ALL_TIME
from server.media import RATE_HZ

log = logging.getLogger(__name__)
# Seconds between two attempts to run a session; audio is accepted without an engine meanwhile.
RETRY_S, MAX_RETRY_S = 0.2, 5.0
# Engines that may fail in a row without progress: the audio itself may crash them, and other meetings need them. The
# worker tries again, a limited number of times, when the meeting is over.
MAX_FAILURES_WITHOUT_PROGRESS = 6
# What is measured of the meeting waits no longer for a track that no engine takes on, seconds.
MAX_UNHEARD_S = 5.0


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
        cuts: TrackCuts,
        cut_s: float | None = None,
        others_through_us: Callable[[], int] = lambda: 0,
        copied: CopiedTurns | None = None,
    ) -> None:
        """
        Args:
            index: index in the config's tracks.
            on_update: awaited after each complete update by the engine, to publish it.
            organization_id: whose meeting it is.
            idle_s: time without audio after which the track's session is finished, seconds.
            cuts: where the track's analysis began anew so far.
            cut_s: time without audio after which the track is cut while others go on, seconds; None: never.
            others_through_us: returns up to where other sources have audio, microseconds of the meeting.
            copied: leaves out what other tracks carry; None: nothing.
        """
        self._copied = copied or CopiedTurns(config.tracks[index].start_us)
        self._final_words_us = self._heard_us = 0  # how far the engine has come, in meeting time
        self._meeting_id, self._organization_id = meeting_id, organization_id
        self._config, self._index, self._idle_s = config, index, idle_s
        self._cuts, self._cut_s, self._others_through_us = cuts, cut_s, others_through_us
        self._source = config.source_index(index)
        self._audio, self._inference, self._on_update = audio, inference, on_update
        self._turns, self._languages = published.turns, published.languages
        self._track = audio_track(config, index, self.pcm)
        self.sound = TrackSound()
        self._part: TrackPart | None = None
        self._first = 0  # first sample of the current part
        self.reach = Reach()
        # A restarted engine repeats everything, with provisional words at first. It has caught up once it is as far as
        # every engine before it; by then turns published with final words have them again.
        self._catch_up_target = Reach()
        self._answered_at = 0.0
        """When the engine last said something, by the monotonic clock."""
        self._repeated_samples = 0
        """Samples at 16 kHz analysed again because audio came after a session had been finished."""
        self.max_speakers = 0
        """Maximum number of speakers the engine distinguishes; 0 until it has reported one."""
        self.engine: session_pb2.Capabilities | None = None
        self.several_voices = False
        """Whether several people clearly speak on the track of one, copies of other tracks included."""
        self.language_unknown = False
        """Whether the recogniser lacks the language that was given."""
        self._damaged = False
        self._ended_without_more = False
        self._unheard_since: float | None = None
        """Since when engines are too busy for it, by the monotonic clock; ``-inf``: none analyses it any more."""

    @property
    def is_unheard(self) -> bool:
        """Whether no engine has taken the track on for long, or none will any more: nobody waits for it."""
        return self._unheard_since is not None and time.monotonic() - self._unheard_since > MAX_UNHEARD_S

    @property
    def damaged(self) -> bool:
        """Whether some of the track's audio could not be decoded."""
        return self._damaged or (self._part is not None and self._part.damaged)

    @property
    def decoded_samples(self) -> int:
        """Samples at 16 kHz handed to the engine so far."""
        return self._first if self._part is None else self._part.sent

    @property
    def copied_s(self) -> float:
        """For how long the track has carried the voices of other tracks, seconds."""
        return self._copied.copied_s

    @property
    def has_audio(self) -> bool:
        """Whether any audio has come."""
        return self.log.committed_bytes > 0

    @property
    def is_cut_at_its_end(self) -> bool:
        """Whether no audio has come since the last cut."""
        return self.log.committed_bytes == self._cuts.closed_bytes

    @property
    def is_closed(self) -> bool:
        """Whether everything that the track has sent is final.

        This process has heard it, and it is cut at its end or has ended with nothing after the last cut.
        """
        if self._ended_without_more:
            return True
        if not self.is_cut_at_its_end or self._first != self._cuts.positions[-1]:
            return False
        cut_us = self._moment_us(self._first)
        return min(self._turns.words_final_through_us(self._index), self._copied.judged_through_us) >= cut_us

    def limit_restored_words(self) -> None:
        """Limit what is restored as final to the audio that there is."""
        if self.log.track.format.positions_per_second or not self.has_audio:
            self._turns.limit_words_final(self._index, self.audio_through_us())
        elif self._cuts.positions:
            self._turns.limit_words_final(self._index, self._moment_us(self._cuts.positions[-1]))

    def request_flush(self) -> None:
        """Have the engine tell what it knows of the audio so far."""
        if self._part is not None:
            self._part.request_flush()

    @property
    def is_quiet(self) -> bool:
        """Whether the engine was asked for all that it knows of what has come: nothing more is on its way."""
        if self._part is None:
            return self.is_cut_at_its_end
        return self._part.is_flushed and self._part.heard_bytes == self.log.committed_bytes

    @property
    def copied(self) -> CopiedTurns:
        """What the track carries of other tracks."""
        return self._copied

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
        """Whether the meeting's audio is complete."""
        return self._audio.ended

    async def run(self) -> SessionResult:
        """Stream the track to its end, over as many engines as needed, and return the result of the last.

        Raises SessionBroke once the meeting is over or engines fail repeatedly without progress; SessionRefused,
        MeetingLost.
        """
        # Suppress turns that are already published while the audio is analysed again.
        published_us = (
            self._turns.turns_through_us(self._index),
            self._turns.words_through_us(self._index),
            self._turns.words_final_through_us(self._index),
        )
        self._catch_up_target = Reach(*(self._reportable(self._samples_until(us)) for us in published_us))
        await self._audio.wait_for_more(self.log, 0)
        parts: list[tuple[int, SessionResult]] = []
        while True:
            number = len(parts)
            if parts:
                self._first = part_start(self.log.edits, self._cuts.positions[number - 1])
            end = self._cuts.positions[number] if number < len(self._cuts.positions) else None
            result, part = await self._run_to_a_pause(end)
            if end is None and not part.cut:
                await self._audio.wait_for_more(self.log, part.heard_bytes)
                if self.log.committed_bytes > part.heard_bytes:
                    self._catch_up_target = self._catch_up_target.maximum(self.reach)
                    self._repeated_samples += self.decoded_samples - self._first
                    continue
                if not self.log.complete or part.sent == self._first:
                    # Of an ended track nothing follows, also where its last bytes, a container's header, say nothing.
                    self._ended_without_more = self.log.complete
                    return join_parts([*parts, (self._first, result)])
                # The track has ended before the meeting: what it said is final.
                part.cut = True
            if part.cut:
                end = part.sent
                await self._cuts.add(end, -1 if part.more_follows else part.heard_bytes)
            assert end is not None
            parts.append((self._first, result))
            await self._close_part(end, result)
            if not part.more_follows:
                await self._audio.wait_for_more(self.log, part.heard_bytes)
                if self.log.committed_bytes == part.heard_bytes:
                    return join_parts(parts)

    async def _close_part(self, end: int, result: SessionResult) -> None:
        """Publish what is final of the part that ends at sample ``end``; the next begins there."""
        self._copied.restart(self._span(end).start)
        turns = [
            turn
            for event in result.events
            if isinstance(event, TurnEvent)
            for turn in self._copied.pass_on(self._snapshot(part_segment(event.segment, self._first), TurnState.STABLE))
            if turn.state != TurnState.RETRACTED
        ]
        self._turns.close_part(self._index, self._span(end), turns)
        self._final_words_us = self._heard_us = self._moment_us(end)
        self._turns.mark_paused(self._index, self._moment_us(end))
        self.mark_words_final()
        self._first, self._part, self.reach = end, None, Reach(end, end, end)
        await self._on_update()

    async def _run_to_a_pause(self, end: int | None) -> tuple[SessionResult, TrackPart]:
        """Stream the part to sample ``end``, or to a long pause where that is None. Raises as ``run``."""
        delay, failures = RETRY_S, 0
        while True:
            try:
                await self._inference.wait_until_reachable()
                return await self._run_session(end)
            except EngineBusy as error:
                self._unheard_since = self._unheard_since or time.monotonic()
                log.info("live meeting %s: the engine has no capacity yet (%s)", self._meeting_id, error)
            except SessionRefused:
                self._unheard_since = -inf
                raise
            except SessionBroke as error:
                failures = failures + 1 if self.reach.turns <= self._catch_up_target.turns else 0
                if self.ended or failures == MAX_FAILURES_WITHOUT_PROGRESS:
                    self._unheard_since = -inf
                    raise
                log.warning("live meeting %s: an engine session failed (%s)", self._meeting_id, error)
                self._catch_up_target = self._catch_up_target.maximum(self.reach)
            await asyncio.sleep(delay)
            delay = min(2 * delay, MAX_RETRY_S)

    def _moment_us(self, sample: int) -> int:
        """Convert a sample of the track at 16 kHz to a time in the meeting, microseconds."""
        return self._track.start_us + sample * 1_000_000 // RATE_HZ

    def _samples_until(self, moment_us: int) -> int:
        """Convert a time in the meeting, microseconds, to samples of the track at 16 kHz, at least 0."""
        return max(0, moment_us - self._track.start_us) * RATE_HZ // 1_000_000

    def _reportable(self, samples: int) -> int:
        """Return how far an engine has come, as it reports it, once it knows so many samples of the audio so far.

        It counts whole blocks: what a flush told of the rest is beyond them.
        """
        block = MIN_CHUNK_BYTES // 2
        through = self.durable_samples() // block * block
        return through if through < samples <= through + block else samples

    async def _run_session(self, end: int | None) -> tuple[SessionResult, TrackPart]:
        result = SessionResult()
        start = self._first
        self.reach = Reach(start, start, start)
        self._part = part = TrackPart(
            self._audio, self.log, self.track, self.sound, first=start, end=end, pauses=self._pauses()
        )
        if not self.reach.covers(self._catch_up_target):
            self._turns.start_catch_up(self._index, self._span(end))
        self._copied.restart(self._span(end).start)
        self._final_words_us = self._heard_us = self._moment_us(start) if start else 0
        terms = self._config.recognition_terms(self._index)
        config = session_config(
            self._meeting_id, self._organization_id, self._config.language, terms, self._track, live=True
        )
        async with (
            aclosing(_measured(part.chunks(), result.level)) as audio,
            aclosing(self._inference.run(config, audio)) as responses,
        ):
            async for response in responses:
                self._answered_at = time.monotonic()
                await self._handle_response(response, result)
        self._damaged = self._damaged or part.damaged
        return result, part

    def _span(self, end: int | None) -> range:
        """Return where turns of the current part, up to sample ``end``, may begin, microseconds of the meeting."""
        first_us = self._moment_us(self._first) if self._first else ALL_TIME.start
        return range(first_us, ALL_TIME.stop if end is None else self._moment_us(end))

    def _pauses(self) -> PauseRules:
        # As long as was ever analysed twice: whoever pauses on purpose at most doubles the work.
        idle_s = max(self._idle_s, self._repeated_samples / RATE_HZ)
        cut_s = self._cut_s if self._track.expected_speakers == 1 else None
        return PauseRules(idle_s, lambda: time.monotonic() - self._answered_at, cut_s, self._others_through_us)

    async def _handle_response(self, response: session_pb2.RunSessionResponse, result: SessionResult) -> None:
        kind = response.WhichOneof("event")
        if kind == "ready":
            self._unheard_since = None
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
            segment = part_segment(event.segment, self._first)
            snapshot = replace(self._snapshot(segment, TurnState(event.state)), ended=response.turn.ended)
            for turn in self._copied.pass_on(snapshot):
                self._turns.update(turn)
        else:
            result.collect(response)

    def _handle_progress(self, progress: session_pb2.Progress) -> None:
        reached = progress.heard_samples, progress.processed_samples, progress.final_words_samples
        self.reach = Reach(*(self._first + samples for samples in reached))
        self.several_voices |= progress.several_voices
        self._final_words_us, self._heard_us = map(self._moment_us, (self.reach.final_words, self.reach.words))
        self.mark_words_final()
        if not self._turns.is_catching_up(self._index):
            self._update_language(progress)

    def mark_words_final(self) -> None:
        """Mark what the engine has heard and decided as final, as far as it is known that it is the track's own."""
        judged_us = self._copied.judged_through_us
        self._turns.mark_judged(self._index, judged_us)
        if self._turns.is_catching_up(self._index):
            # Copies that were taken back before must not come again.
            known = self.reach.covers(self._catch_up_target)
            if not known or judged_us < self._moment_us(max(self._catch_up_target)):
                return
            self._turns.finish_catch_up(self._index)
        self._turns.mark_words_final(self._index, min(self._final_words_us, judged_us))
        self._turns.mark_heard(self._index, min(self._heard_us, judged_us))

    def _update_language(self, progress: session_pb2.Progress) -> None:
        confidence = progress.language_confidence if progress.HasField("language_confidence") else None
        self._languages.update(self._index, primary_tag(progress.language), confidence)

    def _snapshot(self, segment: Segment, state: TurnState) -> TurnSnapshot:
        """Return a segment of the track as a turn of the meeting."""
        shift = self._track.start_us
        unknown = segment.speaker == UNKNOWN_SPEAKER and self._track.expected_speakers != 1
        return TurnSnapshot(
            meeting_segment_id(segment.segment_id, self._index, MAX_TRACKS),
            self._index,
            state,
            UNKNOWN_SPEAKER if unknown else self._track.speaker_number(max(1, segment.speaker)),
            segment.start_us + shift,
            segment.end_us + shift,
            tuple(shift_word(word, shift) for word in segment.words),
            segment.language,
        )

    async def pcm(self) -> AsyncGenerator[bytes, None]:
        """Yield the track's audio from its beginning to its end as it becomes durable, s16le mono at 16 kHz."""
        decoder = TrackDecoder(self.track.format, self.track.channel)
        editor = AudioEditor(self.log.edits)
        async with aclosing(self._audio.read(self.log)) as raw, aclosing(decode_pcm(decoder, editor, raw)) as pcm:
            async for data in pcm:
                yield data

    def lag_samples(self) -> int:
        """Return how far the turns lag behind the durable audio, in samples at 16 kHz."""
        return self._behind(self.reach.turns)

    def analysed_samples(self) -> tuple[int, int]:
        """Return how much is analysed, and how much durable audio there is, in samples at 16 kHz.

        Words are recognised twice: audio is analysed half with its first words, and wholly with the final ones.
        """
        durable = self.durable_samples()
        return min(durable, (self.reach.words + self.reach.final_words) // 2), durable

    def words_lag_samples(self) -> int:
        """Return how far the words, provisional ones included, lag behind the durable audio, in samples at 16 kHz."""
        return self._behind(self.reach.words)

    def _behind(self, sample: int) -> int:
        # Silence that is filled in comes all at once, and takes hardly any time.
        recorded_before = self.log.edits.recorded_before
        return max(0, recorded_before(self.durable_samples()) - recorded_before(sample))

    def durable_samples(self) -> int:
        """Return how much durable audio there is, samples at 16 kHz; what is decoded where only that tells."""
        samples = self.log.committed_samples
        return self.decoded_samples if samples is None else samples

    def turns_through_us(self) -> int:
        """Return up to where turns of the track are known, microseconds of the meeting."""
        return self._moment_us(self.reach.turns)

    def words_through_us(self) -> int:
        """Return up to where words of the track, provisional ones included, are known, microseconds of the meeting."""
        return self._moment_us(self.reach.words)

    def audio_through_us(self) -> int:
        """Return up to where the track has durable audio, microseconds of the meeting."""
        return self._moment_us(self.durable_samples())


async def _measured(audio: AsyncIterator[bytes | Flush], meter: LevelMeter) -> AsyncGenerator[bytes | Flush, None]:
    async for chunk in audio:
        if isinstance(chunk, bytes):
            meter.add(chunk)
        yield chunk
