"""The catalogue of metrics says what docs/metrics.md says, and knows every number of the answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from meetra.v1 import comparison_pb2, insights_pb2

from server.insights import compute_answers
from server.metrics import METRICS, KnownError, Metric
from server.metrics.audio import PASSAGES
from server.metrics.metric import AMI, MEAN_ERROR, SYNTHETIC
from tests.recordings import ROOT
from tests.server.conversation.spoken import conversation

DOCUMENT = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
NAMED = {metric.name: metric for metric in METRICS}
each_metric = pytest.mark.parametrize("metric", [pytest.param(metric, id=metric.name) for metric in METRICS])
# Where the document calls a column, of both tables, otherwise than the answers do.
COLUMNS = {
    "balance_score": "balance",
    "meeting_interaction_score": "interaction",
    "meeting_energy": "energy",
    "sentiment_score": "sentiment",
    "meeting_speaking_percentage": "largest share %",
    "talking_time": "talking_time %",
    "longest_monologue_ms": "longest turn s",
    "response_latency_ms": "latency ms",
    "overlap_ratio": "overlap %",
    "failed_interruptions": "failed",
    "patience_ms": "patience ms",
}
ROWS = {AMI: "**mean error, AMI**", SYNTHETIC: "**mean error, synthetic**"}
# Fields that identify, place or support, and measure nothing.
NO_METRICS = frozenset(
    "through_ms words_final_through_ms start end start_ms end_ms duration_ms language_confidence number".split()
)
# What is explained under another name.
EXPLAINED_AS = {
    "talking_time": "meeting_energy",
    "silence_time": "meeting_energy",
    "response_latency_p10_ms": "response_latency_ms",
    "response_latency_p90_ms": "response_latency_ms",
    "balance": "balance_over_time",
    "value": "nodes",
    "speaking_ms": "meeting_speaking_percentage",
    **dict.fromkeys(("anger", "disgust", "fear", "happiness", "neutral", "not_sure"), "meeting_emotions"),
}


def one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


WHOLE = one_line(DOCUMENT)


def tables() -> Iterator[tuple[list[str], list[list[str]]]]:
    """Header and rows of every table; an empty first cell continues the row before."""
    for block in re.findall(r"(?:^\|.*\|$\n?)+", DOCUMENT, re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
        for before, row in pairwise(rows[2:]):
            row[0] = row[0] or before[0]
        yield rows[0], rows[2:]


def cell(row: str, column: str) -> str:
    """The cell of the only table that has this row and this column."""
    (found,) = (
        cells[header.index(column)]
        for header, rows in tables()
        if column in header
        for cells in rows
        if cells[0] == row
    )
    return found


@each_metric
def test_its_texts_stand_in_the_document(metric: Metric) -> None:
    texts = [metric.definition, metric.interpretation, metric.source, *(part.definition for part in metric.parts)]
    for text in filter(None, texts):
        for sentence in text.split("; ") if text == metric.source else [text]:
            assert one_line(sentence) in WHOLE, f"{metric.name}: docs/metrics.md does not say: {sentence}"


@each_metric
def test_its_row_has_the_definition_and_the_version(metric: Metric) -> None:
    for header, rows in tables():
        for row in rows:
            if f"`{metric.name}`" not in row[0] or "Definition" not in header:
                continue
            assert metric.definition in row[header.index("Definition")]
            version = re.search(rf"`{metric.name}` v(\d+)", row[0])
            assert version is None or version[1] == metric.version


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        pytest.param(r"`quality_score` \(v(\d+)\)", "quality_score", id="quality"),
        pytest.param(r"`flow` \(v(\d+)\)", "silence_ms", id="flow"),
        pytest.param(r"`meeting_energy` and `energy_score` \(v(\d+)\)", "meeting_energy", id="energy"),
        pytest.param(r"one entry per speaker \(v(\d+)\)", "mos", id="audio quality"),
        pytest.param(r"\| transcript v(\d+) \|", "reliable", id="transcript"),
        pytest.param(r"\| questions v(\d+) \|", "questions", id="questions"),
        pytest.param(r"\| topics v(\d+) \|", "topics", id="topics"),
        pytest.param(r"\| key points v(\d+) \|", "key_points", id="key points"),
        pytest.param(r"\| summaries v(\d+) \|", "text_summary", id="summaries"),
    ],
)
def test_versions_that_the_document_names_elsewhere_are_those(heading: str, name: str) -> None:
    (version,) = re.findall(heading, DOCUMENT)
    assert version == NAMED[name].version


def test_the_document_explains_no_number_that_the_catalogue_lacks() -> None:
    explained = {
        name
        for header, rows in tables()
        if "Definition" in header
        for row in rows
        for name in re.findall(r"`(\w+)(?:\[\]\.value)?`", row[0])
    }
    assert explained - NAMED.keys() == set()


def mean_errors() -> Iterator[tuple[str, KnownError]]:
    for metric in METRICS:
        for name, errors in ((metric.name, metric.errors), *((part.name, part.errors) for part in metric.parts)):
            yield from ((name, error) for error in errors if error.measure == MEAN_ERROR)


def test_mean_errors_are_those_of_the_tables() -> None:
    found = list(mean_errors())
    assert len(found) > 20
    for name, error in found:
        assert cell(ROWS[error.data], COLUMNS.get(name, name)) == f"**{shown(error.value)}**", name


def shown(value: float) -> str:
    """A mean error as the tables write it."""
    return "602" if value == 602 else f"{value:.1f}"


def test_other_errors_are_those_of_the_tables() -> None:
    tasks = {(row[0], row[2]): row[3:5] for header, rows in tables() if header[0] == "Task" for row in rows}
    sounds = {(row[0], row[1]): row[2] for header, rows in tables() if header[:2] == ["Detected", "In"] for row in rows}
    others = [(m.name, error) for m in METRICS for error in m.errors if error.measure != MEAN_ERROR]
    assert len(others) > 15
    for name, error in others:
        if error.measure == "detected":
            kind = {"clipping_percent": "clipping over 0.05 %", "music": "music"}.get(name, f"`{name}`")
            assert sounds[kind, error.data.removeprefix(PASSAGES)] == f"{error.value:g} {error.unit}", name
        else:
            assert tasks[error.data, error.measure] == [f"{error.value:g}", f"{error.baseline:g}"], name


def numbers(descriptor: Descriptor) -> Iterator[str]:
    """Every measured field of an answer and what it contains."""
    for field in descriptor.fields:
        kind = field.message_type
        if kind is not None and kind.full_name.startswith("meetra.") and kind.name != "ScoreSupport":
            yield from numbers(kind)
        elif field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_INT32) and kind is None:
            yield field.name


@pytest.mark.parametrize(
    "descriptor",
    [
        pytest.param(insights_pb2.GetMeetingQualityResponse.DESCRIPTOR, id="report"),
        pytest.param(comparison_pb2.MeetingScores.DESCRIPTOR, id="side by side"),
    ],
)
def test_every_number_of_an_answer_is_explained(descriptor: Descriptor) -> None:
    # `score` is that of a driver, which names its metric.
    found = set(numbers(descriptor)) - NO_METRICS - {"score"}
    assert len(found) > 15
    assert {name for name in found if EXPLAINED_AS.get(name, name) not in NAMED} == set()


def test_parts_are_those_of_the_answers() -> None:
    answers = compute_answers(conversation((1, 0, 30), (2, 31, 60), (1, 61, 90)))
    for family, name in (
        ("balance", "balance_score"),
        ("interaction_score", "meeting_interaction_score"),
        ("energy", "meeting_energy"),
    ):
        parts = {part.name: part for part in NAMED[name].parts}
        for component in answers[family].document["components"]:
            weight = parts[component["name"]].weight
            assert weight is None or weight == component["weight"], component
        if name != "meeting_energy":
            assert len(parts) == len(answers[family].document["components"])


def test_names_are_unique_and_bounds_in_order() -> None:
    assert len(NAMED) == len(METRICS)
    for metric in METRICS:
        assert metric.title
        assert metric.version
        assert metric.low is None or metric.high is None or metric.low < metric.high
