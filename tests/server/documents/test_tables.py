"""Tables, read as spreadsheets read them."""

from __future__ import annotations

import csv
import io

import pytest

from server.documents.tables import to_scores_csv, to_turns_csv, to_words_csv
from tests.server.documents.documented import KINDS, corrected, documented, silent


def rows(text: str) -> list[dict[str, str]]:
    data = text.encode()
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_turns_and_words_are_those_of_the_meeting(kind: str) -> None:
    shown = documented(kind)
    turns = rows(to_turns_csv(shown))
    assert [int(row["start_ms"]) for row in turns] == [one.start_ms for one in shown.statements]
    assert [row["text"].lstrip("'") for row in turns] == [one.text.lstrip("'") for one in shown.statements]
    words = rows(to_words_csv(shown))
    assert [(int(row["end_ms"]), float(row["confidence"])) for row in words] == [(w.end_ms, 0.9) for w in shown.words]
    assert [row["speaker"].lstrip("'") for row in words] == [shown.name_of(word.speaker) for word in shown.words]


def test_statements_with_a_correction_say_so() -> None:
    shown = corrected()
    assert [row["corrected"] for row in rows(to_turns_csv(shown))] == [str(int(s.corrected)) for s in shown.statements]
    assert {row["corrected"] for row in rows(to_turns_csv(shown))} == {"0", "1"}
    assert {row["corrected"] for row in rows(to_turns_csv(documented("german")))} == {"0"}


@pytest.mark.parametrize("kind", KINDS)
def test_no_cell_is_a_formula(kind: str) -> None:
    shown = documented(kind)
    for text in (to_turns_csv(shown), to_words_csv(shown), to_scores_csv(shown)):
        for row in rows(text):
            for name, cell in row.items():
                if name != "value":
                    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_scores_are_those_of_the_report() -> None:
    shown = documented("german")
    found = {(row["measure"], row["speaker"]): float(row["value"]) for row in rows(to_scores_csv(shown))}
    assert found["quality_score", ""] == shown.quality["quality_score"]
    assert found["turns", "Zoë"] == 3
    speaking = [found["speaking_percentage", name] for name in shown.names.values()]
    assert sum(speaking) == pytest.approx(100, abs=0.1)
    # Not measured by an engine that hears one voice at a time.
    assert ("overlap_ratio", "") not in found


def test_a_meeting_without_speech_has_heads_only() -> None:
    assert rows(to_turns_csv(silent())) == rows(to_words_csv(silent())) == []
