"""What the rules of a live meeting cost its server.

    python -m benchmarks.alerts [--turns 5000]

Replays a synthetic meeting of six speakers, a turn of 15 words every four seconds, three times: without rules, with 32
rules of phrases, and with 32 of measures. Prints the processor time of one published turn, alerts included, averaged
over the meeting and at its end; and of a look at the measures at its end, the first one of the whole meeting as after a
restart. The phrases include the most frequent words of the meeting: the worst that a caller can give.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from uuid import UUID

from server.audio import Encoding, TrackFormat
from server.conversation import Interval, TurnState, Word, merge_intervals
from server.live import LiveConfig, LiveRule, LiveTrack, RuleKind, TrackKind
from server.live.metric_alerts import KnownConversation
from server.live.published_state import PublishedState
from server.live.rolling_alerts import speech_timeline
from server.live.turn_snapshot import TurnSnapshot

S = 1_000_000
TURN_US, SPEAKERS, WORDS = 4 * S, 6, 15
FREQUENT = ("the", "and", "so", "budget")
VOCABULARY = [f"word{number}" for number in range(2000)] + list(FREQUENT) * 100
ROOM = LiveTrack("mix", TrackKind.MIXED, "", TrackFormat(Encoding.PCM_S16LE, 16_000, 1), 0)


def phrase_rules(source: random.Random) -> list[LiveRule]:
    """Return 32 rules of 20 phrases each."""
    return [
        LiveRule(f"p{place}", RuleKind.PHRASE, phrases=(*FREQUENT, *source.sample(VOCABULARY[:2000], 16)))
        for place in range(32)
    ]


def metric_rules() -> list[LiveRule]:
    """Return 32 rules of measures; all kinds but sentiment, which needs an engine."""
    kinds = (RuleKind.MONOLOGUE, RuleKind.NOT_HEARD, RuleKind.SPEAKING_SHARE, RuleKind.SILENCE)
    return [
        LiveRule(f"m{place}", kind, 40, 300 if kind is RuleKind.SPEAKING_SHARE else 0)
        for place, kind in enumerate(kinds * 8)
    ]


def turn(source: random.Random, number: int) -> TurnSnapshot:
    """Return a turn of three seconds."""
    start_us = number * TURN_US
    words = tuple(
        Word(source.choice(VOCABULARY), start_us + place * S // 5, start_us + (place + 1) * S // 5, 0.9)
        for place in range(WORDS)
    )
    speaker = 1 + source.randrange(SPEAKERS)
    return TurnSnapshot(number + 1, 0, TurnState.STABLE, speaker, start_us, start_us + 3 * S, words, "en")


def look(state: PublishedState, through_us: int) -> tuple[float, int]:
    """Look at the measures once; return the seconds that it took, and the number of alerts."""
    began = time.process_time()
    segments = state.turns.segments()
    speech = merge_intervals(Interval(segment.start_us, segment.end_us) for segment in segments)
    timeline = speech_timeline(segments, through_us)
    known = KnownConversation(timeline, speech, through_us, through_us, {}, {}, frozenset())
    alerts = state.alerts.metrics.tell(state.alerts.metrics.find(known))
    return time.process_time() - began, len(alerts)


def measure(name: str, rules: Sequence[LiveRule], turns: int) -> None:
    """Replay the meeting and print what it took."""
    source = random.Random(1)
    state = PublishedState(LiveConfig("Meeting", None, (ROOM,), None, "en", 10, rules=tuple(rules)), UUID(int=7))
    took, alerts, looks = list[float](), 0, list[float]()
    for number in range(turns):
        spoken = turn(source, number)
        began = time.process_time()
        state.turns.update(spoken)
        state.turns.mark_words_final(0, max(0, (number - 8) * TURN_US))
        changes = state.changes(())
        alerts += len(state.alerts.follow(changes))
        took.append(time.process_time() - began)
        if state.alerts.metrics.rules and number >= turns - 10:
            seconds, found = look(state, spoken.end_us)
            looks.append(seconds)
            alerts += found
    late = sorted(took[-100:])[50]
    print(f"{name}: {1000 * sum(took) / turns:.2f} ms a turn, {1000 * late:.2f} at the end, {alerts} alerts")
    if looks:
        first, later = 1000 * looks[0], 1000 * sorted(looks[1:])[4]
        print(f"  looks at the measures: the first {first:.0f} ms, later ones {later:.0f} ms")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5000)
    turns = parser.parse_args().turns
    measure("no rules", [], turns)
    measure("32 rules of phrases", phrase_rules(random.Random(2)), turns)
    measure("32 rules of measures", metric_rules(), turns)


if __name__ == "__main__":
    main()
