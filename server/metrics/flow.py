"""Metrics of how a conversation flows: silences, turns, latencies, interruptions."""

from __future__ import annotations

from server.insights import FLOW_VERSION
from server.metrics.metric import Metric, mean_errors

INTERRUPTION = (
    "an utterance that begins at least 0.5 s before the end of another, both of at least 1 s, overlapping for at least"
    " 0.3 s; successful when the other speaker stops within 1 s"
)
INTERRUPTION_LIMITS = (
    "enough to say that people interrupt one another, not how often, nor who does it most; absent where the engine"
    " labels one speaker at a time"
)

FLOW = (
    Metric(
        name="silence_ms",
        title="Silence",
        unit="ms",
        low=0,
        definition="time in which nobody speaks",
        interpretation="pauses to think and technical gaps alike",
        version=FLOW_VERSION,
    ),
    Metric(
        name="longest_silence_ms",
        title="Longest silence",
        unit="ms",
        low=0,
        definition="the longest time without speech",
        interpretation="before the first and after the last word too",
        version=FLOW_VERSION,
    ),
    Metric(
        name="overlap_ratio",
        title="Overlap",
        unit="ratio",
        low=0,
        high=1,
        definition="time with at least two speakers / time with at least one",
        interpretation="underestimated, never overestimated; absent where the engine labels one speaker at a time",
        version=FLOW_VERSION,
        speakers=2,
        errors=mean_errors(11.4, None, "%"),
    ),
    Metric(
        name="turns_per_minute",
        title="Turns a minute",
        unit="a minute",
        low=0,
        definition="turns / minutes of the meeting",
        interpretation="back-channels are no turns",
        source="Dong et al. 2012",
        version=FLOW_VERSION,
    ),
    Metric(
        name="response_latency_ms",
        title="Response latency",
        unit="ms",
        high=5000,
        definition="next turn's start - last one's end, at most 5 s: median, p10, p90",
        interpretation="negative where people start before the other has ended",
        source="Levinson and Torreira 2015",
        version=FLOW_VERSION,
        speakers=2,
        errors=mean_errors(933.5, 162.8, "ms"),
    ),
    Metric(
        name="balance_over_time",
        title="Balance over time",
        unit="points",
        low=0,
        high=100,
        definition="`balance_score` over windows of 150 s every 30 s",
        interpretation="short windows contain little data",
        source="ConvoKit's TalkTimeSharing",
        version=FLOW_VERSION,
        speakers=2,
    ),
    Metric(
        name="turns",
        title="Turns",
        unit="count",
        low=0,
        definition="turns of the speaker",
        interpretation="how often someone takes the floor, not how much they say",
        source="Schegloff 2000",
        version=FLOW_VERSION,
    ),
    Metric(
        name="longest_monologue_ms",
        title="Longest turn",
        unit="ms",
        low=0,
        definition="the speaker's longest turn; pauses inside count, back-channels do not end it",
        interpretation="long where someone presents",
        version=FLOW_VERSION,
        errors=mean_errors(3.5, 0.2, "s"),
    ),
    Metric(
        name="words_per_minute",
        title="Words a minute",
        unit="a minute",
        low=0,
        definition="recognised words / minutes of speaking",
        interpretation="missed words lower it; absent where words are not separated",
        version=FLOW_VERSION,
    ),
    Metric(
        name="talk_listen_ratio",
        title="Talking to listening",
        unit="ratio",
        low=0,
        definition="t_i / sum of the others",
        interpretation="above 1 the speaker talks more than all others together",
        source="talk ratio of contact-centre analytics",
        version=FLOW_VERSION,
        speakers=2,
    ),
    Metric(
        name="patience_ms",
        title="Patience",
        unit="ms",
        low=0,
        definition="median wait before taking the floor",
        interpretation="0 where they start before the other has ended",
        version=FLOW_VERSION,
        speakers=2,
        errors=mean_errors(602, None, "ms"),
    ),
    Metric(
        name="interruptions",
        title="Interruptions",
        unit="count",
        low=0,
        definition=INTERRUPTION,
        interpretation=INTERRUPTION_LIMITS,
        source="Schegloff 2000",
        version=FLOW_VERSION,
        speakers=2,
        errors=mean_errors(0.6, None, "count"),
    ),
    Metric(
        name="failed_interruptions",
        title="Attempts to interrupt",
        unit="count",
        low=0,
        definition=INTERRUPTION,
        interpretation=INTERRUPTION_LIMITS,
        source="Schegloff 2000",
        version=FLOW_VERSION,
        speakers=2,
        errors=mean_errors(3.6, None, "count"),
    ),
)
