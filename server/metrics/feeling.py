"""Metrics of what the words express: sentiment and emotions."""

from __future__ import annotations

from server.insights import DYNAMICS, EMOTION_CHUNKS, MEETING_EMOTIONS, MINIMUM_SPEECH_S, SENTIMENT, TOPIC_DETAILS
from server.metrics.metric import KnownError, Metric, Part, mean_errors

LIMITS = (
    "Irony, tone and what is left unsaid are missed. Single sentences are often wrong (agreement below); a meeting's"
    " mean is more stable."
)
POLARITY = Part(
    "polarity",
    'half VADER\'s compound value (Hutto and Gilbert 2014; fillers such as "okay" taken out first), half the'
    " similarity of its embedding to written examples; values within 0.15 of 0 count as 0",
)
SINGLE_SENTIMENTS = KnownError("sentiment, MELD, punctuated", "agreement", 0.544, baseline=0.424)
SINGLE_EMOTIONS = KnownError("emotions, MELD, punctuated", "macro-F1", 0.376, baseline=0.143)

FEELING = (
    Metric(
        name="sentiment_score",
        title="Sentiment",
        unit="points",
        low=0,
        high=100,
        definition="round(50 + 50 s), s the mean polarity of the English sentences weighted by their durations",
        interpretation=LIMITS,
        source="VADER",
        version=SENTIMENT.version,
        parts=(POLARITY,),
        speech_s=MINIMUM_SPEECH_S,
        english_only=True,
        errors=(*mean_errors(3.0, 1.0, "points"), SINGLE_SENTIMENTS),
    ),
    Metric(
        name="sentiment",
        title="Sentiment of a period",
        unit="",
        definition="s up to -0.5 `Negative`, to -0.05 `Somewhat Negative`, under 0.05 `Neutral`, under 0.5 `Somewhat"
        " Positive`, else `Positive`; 0.05 is VADER's published threshold",
        interpretation=LIMITS,
        source="VADER",
        version=DYNAMICS.version,
        parts=(POLARITY,),
        english_only=True,
        errors=(SINGLE_SENTIMENTS,),
    ),
    Metric(
        name="meeting_emotions",
        title="Emotions",
        unit="%",
        low=0,
        high=100,
        definition="100 times the mean probability of each class over the English sentences weighted by duration, one"
        " decimal, sums to exactly 100. `not_sure` takes the weight of sentences of one word, and of those whose best"
        " class is under 0.34",
        interpretation="Emotions are weak on single sentences, though well above the baseline.",
        version=MEETING_EMOTIONS.version,
        speech_s=MINIMUM_SPEECH_S,
        english_only=True,
        errors=(SINGLE_EMOTIONS,),
    ),
    Metric(
        name="emotions",
        title="Emotions of a period",
        unit="",
        definition="classes with at least 15 %, strongest first; never empty where somebody speaks",
        interpretation="Emotions are weak on single sentences, though well above the baseline.",
        version=DYNAMICS.version,
        english_only=True,
        errors=(SINGLE_EMOTIONS,),
    ),
    Metric(
        name="chunks",
        title="Emotion of a speaker and minute",
        unit="",
        definition="the strongest class of the speaker's English sentences; `not_sure` without words",
        interpretation="Emotions are weak on single sentences, though well above the baseline.",
        version=EMOTION_CHUNKS.version,
        english_only=True,
        errors=(SINGLE_EMOTIONS,),
    ),
    Metric(
        name="emotions_score",
        title="Pleasantness of a topic",
        unit="points",
        low=0,
        high=100,
        definition="50 + 50 (P(happiness) - P(anger) - P(disgust) - P(fear))",
        interpretation="Emotions are weak on single sentences, though well above the baseline.",
        version=TOPIC_DETAILS.version,
        english_only=True,
    ),
)
