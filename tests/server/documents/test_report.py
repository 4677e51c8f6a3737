"""What the PDF report shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from server.conversation import UNKNOWN_SPEAKER
from server.documents.meeting import Stretch
from server.documents.report import EXPLAINED, report
from server.metrics import METRICS
from tests.server.documents.documented import KINDS, agreed, corrected, documented, silent


@pytest.mark.parametrize("kind", KINDS)
def test_the_report_has_everybody_and_all_that_was_said(kind: str) -> None:
    shown = documented(kind)
    found = report(shown)
    assert found["title"] == shown.name
    assert {one["name"] for one in found["people"]} == set(shown.names.values())
    said = [(found["people"][place]["name"], entry["text"]) for _, place, entry, _ in found["transcript"]]
    assert said == [
        (shown.name_of(one.speaker), "".join(sign for sign in one.text if sign >= " ")) for one in shown.statements
    ]
    assert all(entry["rtl"] == (kind == "arabic") for _, _, entry, _ in found["transcript"])
    assert [one["clock"] for one in found["people"]] == sorted((one["clock"] for one in found["people"]), reverse=True)


def test_scores_have_their_formulas_and_known_errors() -> None:
    found = report(documented("german"))
    scores = [(one["title"], one["score"], one["effect"]) for one in found["scores"]["drivers"]]
    assert (found["scores"]["quality"], scores) == (
        95,
        [("Balance", 100, "raises"), ("Interaction", 96, "raises"), ("Energy", 90, "raises")],
    )
    balance = next(metric for metric in METRICS if metric.name == "balance_score")
    explained = next(one for one in found["measures"] if one["title"] == balance.title)
    assert (explained["definition"], explained["version"]) == (balance.definition, balance.version)
    assert f"mean absolute error {balance.errors[0].value:g} points ({balance.errors[0].data})" in explained["errors"]
    assert len(found["measures"]) == len(EXPLAINED)


def test_notes_are_shown_with_whose_they_are_and_when_they_were_said() -> None:
    found = report(agreed())
    (item,), (decision,) = found["action_items"], found["decisions"]
    assert found["people"][item["speaker"]]["name"] == "Ben"
    assert (item["clocks"], item["text"]["text"]) == ("0:00:03, 0:00:07", "I'll send *the* offer by Friday.")
    assert item["due"]["text"] == "by Friday"
    assert (decision["clocks"], decision["text"]["text"]) == ("0:00:00", "We have decided to keep | it.")
    assert any(point["clocks"] for chapter in found["chapters"] for point in chapter["points"])


def test_whoever_is_only_named_is_named_and_lines_of_before_a_correction_say_so() -> None:
    shown = agreed()
    changed: Any = shown.quality["notes"]["action_items"][0]
    changed.update(speaker=None, person="the designer", due=None, outdated=True)
    (item,) = report(shown)["action_items"]
    assert (item["speaker"], item["who"]["text"], item["due"]["text"]) == (None, "the designer", "")
    assert item["outdated"]


def test_notes_that_a_meeting_lacks_are_not_shown() -> None:
    german = documented("german")
    old = replace(german, quality={name: part for name, part in german.quality.items() if name != "notes"})  # type: ignore[arg-type]
    parts = ("action_items", "decisions", "chapters")
    assert [bool(report(german)[part]) for part in parts] == [False, False, True]
    assert [report(old)[part] for part in parts] == [[], [], []]
    reason = "Action items and decisions are found in English only; this meeting is in German (de)."
    assert (reason in report(german)["remarks"], reason in report(old)["remarks"]) == (True, False)


def test_corrections_are_marked_and_listed() -> None:
    found = report(corrected())
    assert any(is_corrected for *_, is_corrected in found["transcript"])
    assert len(found["corrections"]) == 2
    assert any("corrected by hand" in remark for remark in found["remarks"])


def test_who_is_unknown_has_no_share_and_comes_last() -> None:
    german = documented("german")
    unknown = Stretch(1000, 3000, UNKNOWN_SPEAKER)
    found = report(replace(german, speech=(unknown, *german.speech), statements=(replace(unknown, text="Hm."),)))
    assert found["people"][-1] == {"name": "Unknown", "clock": "0:00:02", "share": None}
    assert found["transcript"] == [["0:00:01", 2, {"text": "Hm.", "rtl": False}, False]]


def test_long_names_are_cut_and_long_words_can_be_broken() -> None:
    german = documented("german")
    word, chinese = "x" * 250, "预算" * 150
    statements = tuple(replace(german.statements[0], text=text) for text in (word, chinese))
    found = report(replace(german, name="n" * 500, statements=statements))
    assert found["title"] == f"{'n' * 100}\u200b{'n' * 99}…"
    broken, whole = (entry["text"] for _, _, entry, _ in found["transcript"])
    assert broken == f"{'x' * 100}\u200b{'x' * 100}\u200b{'x' * 50}"
    assert whole == chinese


def test_a_meeting_without_speech_shows_no_charts() -> None:
    found = report(silent())
    assert (found["people"], found["charts"], found["scores"]["quality"], found["transcript"]) == ([], [], None, [])
