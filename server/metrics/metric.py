"""An entry of the catalogue. Its texts stand in docs/metrics.md word for word, and its errors in the tables there."""

from __future__ import annotations

from dataclasses import dataclass

# What `python -m benchmarks.metrics` measures on: the score of our own turns and words against the same score of the
# reference's.
AMI = "8 clips of 30 s of real meetings (AMI)"
SYNTHETIC = "6 synthetic dialogues of 2 minutes"
MEAN_ERROR = "mean absolute error"


@dataclass(frozen=True, slots=True)
class KnownError:
    """A measured error."""

    data: str
    """What it was measured on."""
    measure: str
    """``mean absolute error``, or another measure of accuracy."""
    value: float
    unit: str = ""
    """Of the value; empty for a number without one."""
    baseline: float | None = None
    """The same measure of the simplest method; None if it has none."""


@dataclass(frozen=True, slots=True)
class Part:
    """A component of a score, as ``include_details`` returns it."""

    name: str
    definition: str
    weight: float | None = None
    """Share of the score, 0..1, where all components are known; 0: informative only; None: no fixed share."""
    errors: tuple[KnownError, ...] = ()
    """Empty: not measured by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What a number in an answer means."""

    name: str
    """Its field in the answers."""
    title: str
    """Its name for people."""
    unit: str
    """``points`` of 0..100, ``%``, ``ms``, ``dB``, ...; empty for a label or text."""
    definition: str
    """How it is computed; names of fields and parts are between backticks."""
    version: str
    """Version of the definition."""
    low: float | None = None
    """The least value; None if there is none."""
    high: float | None = None
    """The largest value; None if there is none."""
    interpretation: str = ""
    """What may be concluded, and what may not."""
    source: str = ""
    """Where the definition comes from."""
    parts: tuple[Part, ...] = ()
    speakers: int = 1
    """Speakers that it needs."""
    speech_s: float = 0.0
    """Seconds of speech that it needs; with less it is its default, and says so."""
    english_only: bool = False
    """Whether it is read from English sentences alone."""
    errors: tuple[KnownError, ...] = ()
    """Empty: not measured."""


def mean_errors(ami: float, synthetic: float | None, unit: str) -> tuple[KnownError, ...]:
    """Return the mean absolute errors of ``python -m benchmarks.metrics``; None: not measured there."""
    found = (KnownError(AMI, MEAN_ERROR, ami, unit),)
    return found if synthetic is None else (*found, KnownError(SYNTHETIC, MEAN_ERROR, synthetic, unit))
