"""Mapping of third-party classifiers' labels to EMOTIONS and to polarities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inference.models import EMOTIONS, ModelUnfit

# GoEmotions' 28 labels are grouped as in Demszky et al., "GoEmotions", ACL 2020, appendix (Ekman's groups); sadness and
# surprise, with their groups, are none of the five emotions reported.
_SYNONYMS: Mapping[str, str] = {
    label: emotion
    for emotion, labels in {
        "anger": "anger angry ang annoyance disapproval rage frustration hate",
        "disgust": "disgust disgusted dis",
        "fear": "fear fearful fea nervousness anxiety worry scared",
        "happiness": "happiness happy hap joy joyful amusement approval excitement gratitude love optimism relief "
        "pride admiration desire caring",
        "neutral": "neutral neu calm no_emotion none",
        "not_sure": "not_sure other others unknown sadness sad disappointment embarrassment grief remorse "
        "surprise surprised realization confusion curiosity",
    }.items()
    for label in labels.split()
}
_POLARITIES: Mapping[str, float] = {
    "very_negative": -1,
    "negative": -1,
    "neg": -1,
    "neutral": 0,
    "neu": 0,
    "mixed": 0,
    "positive": 1,
    "pos": 1,
    "very_positive": 1,
    "1_star": -1,
    "2_stars": -0.5,
    "3_stars": 0,
    "4_stars": 0.5,
    "5_stars": 1,
}
# With five classes, the outer ones count twice as much as the inner ones.
_FIVE = {"very_negative": -1.0, "negative": -0.5, "neutral": 0.0, "positive": 0.5, "very_positive": 1.0}


def normalise_label(label: str) -> str:
    """Return a label in lower case with underscores."""
    return "_".join(label.replace("-", " ").replace("_", " ").lower().split())


def map_emotions(labels: Sequence[str], overrides: Mapping[str, object]) -> list[int]:
    """Return the index in EMOTIONS of each label.

    Args:
        labels: as the classifier's files spell them.
        overrides: emotion by label, from the user's description; overrides the built-in mapping.

    Raises:
        ModelUnfit: a label is unknown, or one of ``overrides`` does not exist or names no emotion.
    """
    normalised = _normalised_overrides(labels, overrides)
    for label, emotion in normalised.items():
        if emotion not in EMOTIONS:
            raise ModelUnfit(f"labels.{label}: {emotion!r} is not one of {', '.join(EMOTIONS)}")
    names = [normalised.get(normalise_label(label), _SYNONYMS.get(normalise_label(label))) for label in labels]
    _refuse_unknown([label for label, name in zip(labels, names, strict=True) if name is None], ", ".join(EMOTIONS))
    return [EMOTIONS.index(str(name)) for name in names]


def map_polarities(labels: Sequence[str], overrides: Mapping[str, object]) -> list[float]:
    """Return the polarity of each label, -1 (negative) .. 1 (positive). Arguments and errors as ``map_emotions``."""
    normalised = _normalised_overrides(labels, overrides)
    known = {normalise_label(label) for label in labels}
    built_in = _FIVE if known == set(_FIVE) else _POLARITIES
    values: list[float | None] = []
    for label in labels:
        value = normalised.get(normalise_label(label), built_in.get(normalise_label(label)))
        if isinstance(value, str):
            value = _POLARITIES.get(normalise_label(value), value)
        if value is not None and (isinstance(value, bool | str) or not -1 <= float(str(value)) <= 1):
            raise ModelUnfit(
                f"labels.{label}: {value!r} is neither a number of -1 to 1, nor positive, negative, neutral"
            )
        values.append(None if value is None else float(str(value)))
    unknown = [label for label, value in zip(labels, values, strict=True) if value is None]
    _refuse_unknown(unknown, "positive, negative, neutral, or a number of -1 to 1")
    return [value for value in values if value is not None]


def _normalised_overrides(labels: Sequence[str], overrides: Mapping[str, object]) -> dict[str, object]:
    normalised = {normalise_label(label): value for label, value in overrides.items()}
    if unknown_labels := sorted(normalised.keys() - {normalise_label(label) for label in labels}):
        raise ModelUnfit(f"labels.{unknown_labels[0]}: the classifier has no such label; it has: {', '.join(labels)}")
    return normalised


def _refuse_unknown(labels: Sequence[str], meanings: str) -> None:
    if labels:
        raise ModelUnfit(
            f"meaning of the labels {', '.join(labels[:10])} is unknown; "
            f'define it in the .json file beside the model: {{"labels": {{"{labels[0]}": ...}}}}, with {meanings}'
        )
