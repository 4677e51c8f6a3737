"""Metrics of the group: shares, balance, interaction, energy, quality."""

from __future__ import annotations

from server.insights import (
    BALANCE,
    DYNAMICS,
    ENERGY,
    INTERACTION_SCORE,
    INTERACTIONS,
    MINIMUM_SPEECH_S,
    QUALITY,
    SHARES,
    TOPIC_DETAILS,
)
from server.metrics.metric import Metric, Part, mean_errors

ENERGY_PARTS = (
    Part(
        "talking_time", "share of the time in which at least one person speaks, 0..1", errors=mean_errors(2.2, 5.7, "%")
    ),
    Part("interactions", "the interaction score / 100, 0 for one speaker"),
    Part(
        "vocal_activation",
        "for each utterance the mean of up to three z-scores relative to its speaker, of level (dBFS), pitch spread"
        " (semitones) and words per second, through the normal distribution's CDF; over a period the time-weighted"
        " mean, 0..1",
    ),
)
ENERGY_DEFINITION = "100 times the mean of the components that are known"
ENERGY_LIMITS = "A meeting in which everybody listens to one person scores low"
ENERGY_SOURCE = "Scherer 2003; eGeMAPS, Eyben et al. 2016"

INTERACTION_DEFINITION = (
    "100 times the mean of four: `turn_taking` (turns-1)/(utterances-1); `switch_rate` min(1, speaker switches a minute"
    " / 10); `participation` speakers with an exchange / n; `evenness` J(c_ij) over all pairs, for two speakers 1 as"
    " soon as they exchange"
)
INTERACTION_LIMITS = "a composite without a published standard: read its components"
INTERACTION_SOURCE = "Almaatouq et al. 2023; Dong et al. 2012; Hosseinkashi et al. 2023; Pielou 1966"
INTERACTION_PARTS = (
    Part("turn_taking", "(turns-1)/(utterances-1)", 0.25, mean_errors(14.4, 1.8, "%")),
    Part("switch_rate", "min(1, speaker switches a minute / 10)", 0.25, mean_errors(15.0, 0.0, "%")),
    Part("participation", "speakers with an exchange / n", 0.25, mean_errors(12.5, 0.0, "%")),
    Part(
        "evenness",
        "J(c_ij) over all pairs, for two speakers 1 as soon as they exchange",
        0.25,
        mean_errors(25.9, 0.1, "%"),
    ),
)

GROUP = (
    Metric(
        name="quality_score",
        title="Quality",
        unit="points",
        low=0,
        high=100,
        definition="the mean of balance, interaction, energy and sentiment, 0..100; where the sentiment is absent, of"
        " the other three, and `note` says so",
        interpretation="The score describes and does not judge: how participants rate a meeting can hardly be predicted"
        " from such figures",
        source="Hosseinkashi et al. 2023",
        version=QUALITY.version,
        parts=tuple(
            Part(name, f"`{score}`", 0.25)
            for name, score in (
                ("balance", "balance_score"),
                ("interaction", "meeting_interaction_score"),
                ("energy", "meeting_energy"),
                ("sentiment", "sentiment_score"),
            )
        ),
        speakers=2,
        speech_s=MINIMUM_SPEECH_S,
    ),
    Metric(
        name="meeting_speaking_percentage",
        title="Talk share",
        unit="%",
        low=0,
        high=100,
        definition="100 p_i, two decimals that sum to exactly 100",
        interpretation="how long each person speaks; not how much they say",
        source="talk ratio of contact-centre analytics",
        version=SHARES.version,
        errors=mean_errors(8.2, 0.3, "%"),
    ),
    Metric(
        name="balance_score",
        title="Balance",
        unit="points",
        low=0,
        high=100,
        definition="100 J(t_i); also the Gini coefficient, with weight 0",
        interpretation="how evenly time is shared; not whether an even share was appropriate",
        source="Pielou 1966; Tausczik and Pennebaker 2013",
        version=BALANCE.version,
        parts=(
            Part("evenness", "J(x) = -sum q ln q / ln k, the evenness of k amounts with shares q", 1.0),
            Part("gini", "the Gini coefficient", 0.0),
        ),
        speakers=2,
        speech_s=MINIMUM_SPEECH_S,
        errors=mean_errors(9.1, 0.1, "points"),
    ),
    Metric(
        name="exchanges",
        title="Exchanges",
        unit="count",
        low=0,
        definition="speaker changes between i and j, either way, at turn borders with a gap of at most 5 s",
        interpretation="who speaks after whom; not who is addressed",
        source="LENA's conversational turn",
        version=INTERACTIONS.version,
        speakers=2,
    ),
    Metric(
        name="nodes",
        title="Interaction of two people",
        unit="points",
        low=0,
        high=100,
        definition="round(100 c_ij / max c); every pair once, 0 where the two never speak in succession",
        interpretation="strength relative to the strongest pair of this meeting; not comparable between meetings",
        source="Dong, Lepri, Pentland 2012",
        version=INTERACTIONS.version,
        speakers=2,
    ),
    Metric(
        name="meeting_interaction_score",
        title="Interaction",
        unit="points",
        low=0,
        high=100,
        definition=INTERACTION_DEFINITION,
        interpretation=INTERACTION_LIMITS,
        source=INTERACTION_SOURCE,
        version=INTERACTION_SCORE.version,
        parts=INTERACTION_PARTS,
        speakers=2,
        speech_s=MINIMUM_SPEECH_S,
        errors=mean_errors(14.2, 0.5, "points"),
    ),
    Metric(
        name="interactions_score",
        title="Interaction of a period",
        unit="points",
        low=0,
        high=100,
        definition=INTERACTION_DEFINITION,
        interpretation=INTERACTION_LIMITS,
        source=INTERACTION_SOURCE,
        version=DYNAMICS.version,
        parts=INTERACTION_PARTS,
        speakers=2,
    ),
    Metric(
        name="involvement_score",
        title="Involvement",
        unit="points",
        low=0,
        high=100,
        definition="100 J(t_i) of a period over all the meeting's speakers",
        interpretation="whether everybody took part in a period",
        source="as balance",
        version=TOPIC_DETAILS.version,
        speakers=2,
    ),
    Metric(
        name="meeting_energy",
        title="Energy",
        unit="points",
        low=0,
        high=100,
        definition=ENERGY_DEFINITION,
        interpretation=ENERGY_LIMITS,
        source=ENERGY_SOURCE,
        version=ENERGY.version,
        parts=ENERGY_PARTS,
        speech_s=MINIMUM_SPEECH_S,
        errors=mean_errors(7.6, 2.6, "points"),
    ),
    Metric(
        name="energy_score",
        title="Energy of a period",
        unit="points",
        low=0,
        high=100,
        definition=ENERGY_DEFINITION,
        interpretation=ENERGY_LIMITS,
        source=ENERGY_SOURCE,
        version=DYNAMICS.version,
        parts=ENERGY_PARTS,
    ),
)
