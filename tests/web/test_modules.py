"""Modules of the page that compute: places, sentences, overlap, search, times."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.node import node_or_skip
from tests.recordings import ROOT

WEB = ROOT / "web"
EVALUATE = Path(__file__).with_name("evaluate.mjs")


def values(module: str, *expressions: str) -> list[Any]:
    """The values of expressions, in which ``m`` is a module of ``web/src``."""
    node = node_or_skip()
    if not (WEB / "node_modules").is_dir():
        pytest.skip("The page's npm packages are not installed: `make install` installs them, and runs this too")
    told = subprocess.run(
        [str(node), str(EVALUATE), str(WEB), module],
        input=json.dumps(expressions),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert told.returncode == 0, told.stderr
    found: list[Any] = json.loads(told.stdout)
    return found


def test_an_address_names_a_page_and_its_parameters() -> None:
    assert values(
        "route.ts",
        'm.matched("/meetings/:fileHash/*", "/meetings/ab%20c/transcript")',
        'm.matched("/meetings/:fileHash/*", "/meetings/")',
        'm.matched("/", "/")',
        'm.matched("/live/*", "/live")',
        'm.matched("/live/*", "/livestock")',
        'm.matched("/meetings/:fileHash", "/meetings/%E0%A4%A")',
        'm.placeOf("#/meetings/x?at=12000&q=a+b").query.get("q")',
        'm.placeOf("").path',
        'm.linkTo("/meetings/x", { at: "1" })',
    ) == [{"fileHash": "ab c"}, None, {}, {}, None, {"fileHash": "%E0%A4%A"}, "a b", "/", "#/meetings/x?at=1"]


def test_overlap_is_where_two_speak_at_once() -> None:
    speak = "m.overlaps(new Map({}))"
    assert values(
        "meeting/timeline/spans.ts",
        speak.format('[["a", [{start: 0, end: 10}, {start: 20, end: 30}]], ["b", [{start: 5, end: 25}]]]'),
        # Three at once are one overlap, and two spans of one speaker are none.
        speak.format('[["a", [{start: 0, end: 9}]], ["b", [{start: 1, end: 9}]], ["c", [{start: 2, end: 8}]]]'),
        speak.format('[["a", [{start: 0, end: 9}, {start: 4, end: 12}]]]'),
        # One after the other is no overlap.
        speak.format('[["a", [{start: 0, end: 9}]], ["b", [{start: 9, end: 12}]]]'),
    ) == [[{"start": 5, "end": 10}, {"start": 20, "end": 25}], [{"start": 1, "end": 9}], [], []]


def test_the_timeline_is_of_fragments_else_of_sentences() -> None:
    sentence = '[{speaker: "a", startMs: 1, endMs: 2}]'
    assert values(
        "meeting/timeline/spans.ts",
        f'[...m.spansBySpeaker([{{speaker: "b", start: 3, end: 4}}], {sentence})]',
        f"[...m.spansBySpeaker([], {sentence})]",
    ) == [[["b", [{"start": 3, "end": 4}]]], [["a", [{"start": 1, "end": 2}]]]]


WORDS = json.dumps(
    [
        {"text": "Good", "speaker": "a", "start_ms": 0, "end_ms": 300},
        {"text": "Yes.", "speaker": "b", "start_ms": 200, "end_ms": 400},
        {"text": "morning.", "speaker": "a", "start_ms": 300, "end_ms": 700},
        {"text": "So", "speaker": "a", "start_ms": 800, "end_ms": 900},
        {"text": "on", "speaker": "a", "start_ms": 5000, "end_ms": 5100},
    ]
)


def test_sentences_are_those_of_the_server_with_their_words() -> None:
    given = json.dumps(
        [
            {"number": 1, "speaker": "a", "start_ms": 0, "end_ms": 700, "text": "Good morning."},
            {"number": 2, "speaker": "b", "start_ms": 200, "end_ms": 400, "text": "No.", "original_text": "Yes."},
        ]
    )
    (found,) = values(
        "meeting/transcript_model.ts",
        f"m.sentencesOf({{ Transcription: [], details: {{ words: {WORDS}, sentences: {given} }} }})",
    )
    assert [(one["number"], [word["text"] for word in one["words"]]) for one in found] == [
        (1, ["Good", "morning."]),
        (2, ["Yes."]),
    ]
    assert found[1]["originalText"] == "Yes."


def test_without_sentences_words_are_joined_by_speaker_mark_and_pause() -> None:
    (found,) = values(
        "meeting/transcript_model.ts", f"m.sentencesOf({{ Transcription: [], details: {{ words: {WORDS} }} }})"
    )
    assert [(one["speaker"], one["text"], one["startMs"]) for one in found] == [
        ("a", "Good morning.", 0),
        ("b", "Yes.", 200),
        ("a", "So", 800),
        ("a", "on", 5000),
    ]


def test_without_words_there_are_the_statements() -> None:
    entries = '[{speaker: "a", transcription: "Hi.", start_timestamp: "00:00:02"},' + (
        '{speaker: "b", transcription: "Ho.", start_timestamp: "01:00:05"}]'
    )
    (found,) = values("meeting/transcript_model.ts", f"m.sentencesOf({{ Transcription: {entries} }})")
    assert [(one["text"], one["startMs"], one["endMs"]) for one in found] == [
        ("Hi.", 2000, 3_605_000),
        ("Ho.", 3_605_000, 3_605_000),
    ]


def test_the_spoken_sentence_is_the_last_that_has_begun() -> None:
    sentences = "[{startMs: 10}, {startMs: 20}, {startMs: 30}]"
    assert values(
        "meeting/transcript_model.ts", *(f"m.sentenceAt({sentences}, {ms})" for ms in (0, 10, 29, 30, 99))
    ) == [-1, 0, 1, 2, 2]


def test_search_finds_letters_without_case_and_accents() -> None:
    assert values(
        "meeting/transcript/folded.ts",
        'm.occurrences("Café, CAFÉ", m.folded("cafe").text)',
        # A ligature is two letters, an emoji two code units.
        'm.occurrences("\\u{1F600} of\\uFB01ce", m.folded("office").text)',
        'm.occurrences("anything", "")',
        'm.occurrences("שלום עולם", m.folded("עולם").text)',
    ) == [[[0, 4], [6, 10]], [[3, 8]], [], [[5, 9]]]


def test_times_are_written_for_people() -> None:
    assert values(
        "parts/time.ts",
        "[0, 59_999, 61_000, 3_661_000].map(m.clock)",
        'm.clockMs("01:02:03")',
        "[8000, 60_000, 725_000, 3_840_000, 7_199_000].map(m.duration)",
        'm.dateText("2026-11-23")',
        'm.dateText("last Monday")',
    ) == [
        ["0:00", "0:59", "1:01", "1:01:01"],
        3_723_000,
        ["8 s", "1 min", "12 min 5 s", "1 h 4 min", "2 h 0 min"],
        "Nov 23, 2026",
        "last Monday",
    ]


def test_the_words_that_a_search_found_are_marked_whole() -> None:
    shown = 'm.piecesOf({}, {}).map(({{ text, matched }}) => (matched ? `[${{text}}]` : text)).join("")'
    assert values(
        "search/query.ts",
        shown.format('"The plan, planned: a plan."', '["plan"]'),
        shown.format('"Der Übergabeplan. Übergabe!"', '["Übergabe"]'),
        shown.format('"今天讨论预算问题。"', '["预算"]'),
        shown.format('"<b>nothing</b>"', "[]"),
        shown.format('"release date"', '["date", "release"]'),
    ) == [
        "The [plan], planned: a [plan].",
        "Der Übergabeplan. [Übergabe]!",
        "今天讨论[预算]问题。",
        "<b>nothing</b>",
        "[release] [date]",
    ]


def test_a_search_and_its_address_are_the_same() -> None:
    address = '"q=price&speaker=Ada&from=2026-11-01&by=words"'
    assert values(
        "search/query.ts",
        f"m.addressOf(m.queryOf(new URLSearchParams({address})))",
        in_zone("UTC", f"m.requestOf(m.queryOf(new URLSearchParams({address})), 20)"),
    ) == [
        {"q": "price", "speaker": "Ada", "from": "2026-11-01", "by": "words"},
        {"query": "price", "limit": 20, "from_time": "2026-11-01T00:00:00Z", "speaker": "Ada", "by": "words"},
    ]


def in_zone(zone: str, expression: str) -> str:
    """The expression as a browser of that zone evaluates it."""
    return f'(process.env.TZ = "{zone}", {expression})'


@pytest.mark.parametrize(
    ("zone", "moments"),
    [
        # The local day, and that of UTC, where dates without a zone are to the server.
        pytest.param("UTC", ["2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"], id="UTC"),
        pytest.param("America/New_York", ["2026-11-23T00:00:00Z", "2026-11-24T05:00:00Z"], id="west"),
        pytest.param("Asia/Tokyo", ["2026-11-22T15:00:00Z", "2026-11-24T00:00:00Z"], id="east"),
    ],
)
def test_days_are_those_that_the_page_shows_both_included(zone: str, moments: list[str]) -> None:
    days = '{ from: "2026-11-23", to: "2026-11-23" }'
    # When it came, where no date was stated: the first and the last second of the local day, and those beside.
    begin, end = {
        "UTC": ("2026-11-23T00:00:00", "2026-11-24T00:00:00"),
        "America/New_York": ("2026-11-23T05:00:00", "2026-11-24T05:00:00"),
        "Asia/Tokyo": ("2026-11-22T15:00:00", "2026-11-23T15:00:00"),
    }[zone]
    came = json.dumps([f"{begin}+00:00", f"{end}+00:00"])
    a_moment_before = "new Date(Date.parse(one) - 1).toISOString()"
    found = values(
        "parts/days.ts",
        in_zone(zone, f"Object.values(m.momentsOf({days}))"),
        in_zone(zone, f'{came}.map((one) => m.isOfDays({days}, "", one))'),
        in_zone(zone, f"{came}.map((one) => m.isOfDays({days}, undefined, {a_moment_before}))"),
        # A date without a zone is of its own day, wherever it is read; one with a zone is a moment.
        in_zone(zone, f'["2026-11-22", "2026-11-23", "2026-11-24"].map((one) => m.isOfDays({days}, one, ""))'),
        in_zone(zone, f'["2026-11-23T00:00", "2026-11-23 23:59:59"].map((one) => m.isOfDays({days}, one, ""))'),
        in_zone(zone, f'm.isOfDays({days}, "2026-11-23T12:00:00Z", "") && m.isOfDays({days}, "2026-W48-1", "")'),
    )
    assert found == [moments, [True, False], [False, True], [False, True, False], [True, True], True]


def test_an_end_that_is_open_or_no_day_leaves_nothing_out() -> None:
    assert values(
        "parts/days.ts",
        in_zone("UTC", 'm.momentsOf({ from: "", to: "2026-02-28" })'),
        'm.momentsOf({ from: "yesterday", to: "9999-12-31" })',
        'm.isOfDays({ from: "yesterday", to: "" }, "2026-11-23", "")',
        'm.isOfDays({ from: "", to: "2026-11-22" }, "2026-11-23", "")',
    ) == [{"to_time": "2026-03-01T00:00:00Z"}, {}, True, False]
