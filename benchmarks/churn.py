"""How much of what a live meeting says of its turns is taken back.

    python -m benchmarks.churn [--data DIR ...] [--minutes 4] [--json FILE]

The recordings of each folder that have ground truth follow one another in a single MIXED track of at most so many
minutes. The session's engine hears it in this process, block after block, and the events are those that a live meeting
publishes: no network changes them. Told before the end, for each minute of audio: turn events, retractions,
turns told again with another speaker, speaker revisions, and seconds of speech that changed from one known speaker
to another (frames of 0.1 s, whatever the segments are called). Names: all that were told, and the highest number.
Moved: segments whose id was told of other speech (see LiveTurn.segment_id). DER in percent of what stood before the
end, overlap scored, without and with a collar of 0.25 s. Unknown: seconds of speech a minute that had no known speaker
before the end. At the end: retractions and relabelled seconds, of the whole recording.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from meetra.inference.v2 import session_pb2
from meetra.v1 import live_pb2 as pb
from numpy.typing import NDArray

from benchmarks.accuracy import COLLAR_S, DEFAULT_DATA, find_recordings
from benchmarks.in_process import as_pcm, default_engine
from benchmarks.recordings import RATE_HZ, read_samples
from benchmarks.running_system import ROOT, circumstances
from benchmarks.scorers import ensure_scorers
from benchmarks.scoring import SpokenInterval, diarization_error_rate, read_rttm
from inference.api.messages import event_message
from inference.engine import ModelEngine
from inference.session import Session, SessionConfig
from server.audio import Encoding, TrackFormat
from server.conversation import EngineCapabilities, ReadyEvent, TurnEvent, TurnState, fold
from server.engine import to_event
from server.live.config import LiveConfig, LiveTrack, TrackKind
from server.live.speaker_names import UNKNOWN_SPEAKER_ID
from server.live.turn_snapshot import TurnSnapshot
from server.live.turns import MeetingTurns

MEETING = UUID(int=7)
TRACK = LiveTrack("mix", TrackKind.MIXED, "", TrackFormat(Encoding.PCM_S16LE, RATE_HZ, 1), 0)
CONFIG = LiveConfig("Churn", None, (TRACK,), None, "", 10)
STEP = RATE_HZ // 5
# As far behind the audio as words are in a real meeting, at most: a chunk without a pause is so long.
MAX_BEHIND = 9 * RATE_HZ
FRAME_MS = 100
Response = session_pb2.RunSessionResponse
Answers = list[list[Response]]


async def hear(engine: ModelEngine, pcm: NDArray[np.int16]) -> Answers:
    """What a live session answers to each piece of audio; the last answers are those to its end."""
    session = Session(engine, SessionConfig(live=True))
    answers: Answers = []
    try:
        for start in range(0, len(pcm), STEP):
            answers.append(list(map(event_message, await session.push(pcm[start : start + STEP]))))
            while start - session.processed_samples() > MAX_BEHIND:
                await session.changed.wait()
                answers.append(list(map(event_message, await session.poll())))
        answers.append(list(map(event_message, await session.finish())))
    finally:
        await session.close()
    return answers


def tell(answers: Answers) -> Iterator[tuple[list[pb.LiveEvent], bool]]:
    """The events published after each answer, and whether they are those of the finished meeting."""
    turns = MeetingTurns(CONFIG, MEETING)
    final = []
    for messages in answers:
        for message in messages:
            event = to_event(message)
            if isinstance(event, TurnEvent) and event.state != TurnState.FINAL:
                turns.update(snapshot(event))
            elif event is not None:
                final.append(event)
        yield turns.changes(), False
    conversation = fold([ReadyEvent(EngineCapabilities()), *final])
    yield turns.final_changes(conversation), True


def snapshot(event: TurnEvent) -> TurnSnapshot:
    """An engine's turn, as the single track of a meeting has it."""
    s = event.segment
    return TurnSnapshot(s.segment_id, 0, event.state, s.speaker, s.start_us, s.end_us, s.words, s.language)


@dataclass(slots=True)
class Churn:
    """What was told, and taken back."""

    frames: int
    told: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    names: set[str] = field(default_factory=set)
    moved: set[int] = field(default_factory=set)
    turns: dict[int, pb.LiveTurn] = field(default_factory=dict)
    first: dict[int, pb.LiveTurn] = field(default_factory=dict)
    speakers: dict[int, str] = field(default_factory=dict)
    before_end: list[pb.LiveTurn] = field(default_factory=list)
    _last_known: list[frozenset[str]] = field(default_factory=list)

    def add(self, events: Iterable[pb.LiveEvent], *, at_end: bool) -> None:
        """Counts what one publication says."""
        if at_end:
            self.before_end = self.standing()
        prefix = "end_" if at_end else ""
        for event in events:
            kind = event.WhichOneof("event")
            if kind == "speaker_revision":
                self.told[prefix + "speaker_revisions"] += 1
            elif kind == "turn":
                self._add_turn(event.turn, prefix)
        last = self._last_known or [frozenset()] * self.frames
        now = self._known_speakers()
        # One speaker went, another came: at once, or with a time without a known speaker in between.
        self.told[prefix + "relabelled_ms"] += FRAME_MS * sum(
            bool(old - new and new - old) for old, new in zip(last, now, strict=True)
        )
        self._last_known = [new or old for old, new in zip(last, now, strict=True)]

    def _add_turn(self, turn: pb.LiveTurn, prefix: str) -> None:
        before = self.turns.get(turn.segment_id)
        first = self.first.setdefault(turn.segment_id, turn)
        self.told[prefix + "turns"] += 1
        if turn.state == pb.LIVE_TURN_STATE_RETRACTED:
            self.told[prefix + "retractions"] += 1
        else:
            self.names.add(turn.alias)
            shared = min(turn.end_ms, first.end_ms) - max(turn.start_ms, first.start_ms)
            if before is not None and 2 * shared <= first.end_ms - first.start_ms:
                self.moved.add(turn.segment_id)
        if before is not None and before.state == pb.LIVE_TURN_STATE_RETRACTED:
            self.moved.add(turn.segment_id)
        if turn.speaker_id != UNKNOWN_SPEAKER_ID:
            if self.speakers.setdefault(turn.segment_id, turn.speaker_id) != turn.speaker_id:
                self.told[prefix + "other_speaker"] += 1
            self.speakers[turn.segment_id] = turn.speaker_id
        self.turns[turn.segment_id] = turn

    def standing(self) -> list[pb.LiveTurn]:
        """The turns that are not retracted."""
        return [turn for turn in self.turns.values() if turn.state != pb.LIVE_TURN_STATE_RETRACTED]

    def _known_speakers(self) -> list[frozenset[str]]:
        found: list[set[str]] = [set() for _ in range(self.frames)]
        for turn in self.standing():
            if turn.speaker_id == UNKNOWN_SPEAKER_ID:
                continue
            for frame in range(turn.start_ms // FRAME_MS, min(self.frames, turn.end_ms // FRAME_MS)):
                found[frame].add(turn.speaker_id)
        return list(map(frozenset, found))


def joined(paths: Sequence[Path], minutes: float) -> tuple[NDArray[np.int16], list[SpokenInterval]]:
    """Recordings one after the other, at most so many minutes, and who speaks when in them."""
    pieces, reference, offset_s = [], [], 0.0
    for path in paths:
        pcm = as_pcm(read_samples(path))
        if offset_s + len(pcm) / RATE_HZ > 60 * minutes + 1:
            break
        names = path.stem if path.parent.name == "ami" else ""  # the synthetic dialogues share their voices
        reference += [
            SpokenInterval(start + offset_s, end + offset_s, f"{names} {speaker}")
            for start, end, speaker in read_rttm(path.with_suffix(".rttm"))
        ]
        pieces.append(pcm)
        offset_s += len(pcm) / RATE_HZ
    return np.concatenate(pieces), reference


def score(name: str, answers: Answers, reference: Sequence[SpokenInterval], duration_s: float) -> dict[str, Any]:
    """The row of one recording."""
    churn = Churn(round(duration_s * 1000 / FRAME_MS) + 1)
    for events, at_end in tell(answers):
        if events:
            churn.add(events, at_end=at_end)
    minutes = duration_s / 60
    standing = intervals(churn.before_end)
    unknown_ms = sum(t.end_ms - t.start_ms for t in churn.before_end if t.speaker_id == UNKNOWN_SPEAKER_ID)
    numbers = [int(alias.split()[-1]) for alias in churn.names if alias.split()[-1].isdigit()]
    told = churn.told
    return {
        "name": name,
        "minutes": round(minutes, 2),
        "turns": round(told["turns"] / minutes, 1),
        "retractions": round(told["retractions"] / minutes, 2),
        "other_speaker": round(told["other_speaker"] / minutes, 2),
        "speaker_revisions": round(told["speaker_revisions"] / minutes, 2),
        "relabelled_s": round(told["relabelled_ms"] / 1000 / minutes, 2),
        "names": len(numbers),
        "highest": max(numbers, default=0),
        "moved": len(churn.moved),
        "unknown_s": round(unknown_ms / 1000 / minutes, 2),
        "der": round(diarization_error_rate(reference, standing, duration_s, 0.0), 2),
        "der_collar": round(diarization_error_rate(reference, standing, duration_s, COLLAR_S), 2),
        "end_retractions": told["end_retractions"],
        "end_relabelled_s": round(told["end_relabelled_ms"] / 1000, 1),
    }


COLUMNS = {
    "turns": "turns",
    "retractions": "retracted",
    "other_speaker": "respoken",
    "speaker_revisions": "revisions",
    "relabelled_s": "relab. s",
    "names": "names",
    "highest": "highest",
    "moved": "moved",
    "unknown_s": "unknown s",
    "der": "DER",
    "der_collar": "DER .25",
    "end_retractions": "end retr.",
    "end_relabelled_s": "end rel. s",
}


def intervals(turns: Iterable[pb.LiveTurn]) -> list[SpokenInterval]:
    """Who speaks when."""
    return [SpokenInterval(t.start_ms / 1e3, t.end_ms / 1e3, t.speaker_id) for t in turns]


def print_row(row: dict[str, Any]) -> None:
    print(f"{row['name']:<14}{row['minutes']:>6}" + "".join(f"{row[key]:>11}" for key in COLUMNS), flush=True)


def mixtures(folders: Sequence[Path]) -> dict[str, list[Path]]:
    """The recordings that follow one another, by name: of each folder, halves of the synthetic dialogues apart."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in find_recordings(list(folders)):
        hard = "_" in path.stem and path.parent.name == "synthetic"
        found[path.parent.name + (" hard" if hard else "")].append(path)
    return found


async def measure(folders: Sequence[Path], minutes: float) -> list[dict[str, Any]]:
    """A row for each mixture."""
    rows = []
    async with default_engine() as engine:
        for name, paths in mixtures(folders).items():
            # The last ones have most speakers.
            pcm, reference = joined(paths[::-1], minutes)
            row = score(name, await hear(engine, pcm), reference, len(pcm) / RATE_HZ)
            rows.append(row)
            print_row(row)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.churn", description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", help="folders of recordings with ground truth")
    parser.add_argument("--minutes", type=float, default=4, help="length of each mixture, at most")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    folders = options.data or [folder for folder in DEFAULT_DATA if folder.is_dir()] or [ROOT / "sample"]
    if not find_recordings(folders):
        print(f"no .flac or .wav with an .rttm beside it in {', '.join(map(str, folders))}", file=sys.stderr)
        return 2
    ensure_scorers()
    print(f"{'recording':<14}{'min':>6}" + "".join(f"{title:>11}" for title in COLUMNS.values()))
    rows = asyncio.run(measure(folders, options.minutes))
    if options.json:
        figures = {"recordings": rows, "units": "per minute of audio; DER in percent", **circumstances()}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
