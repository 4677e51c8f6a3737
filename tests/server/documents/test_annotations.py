"""Annotations for scoring tools, RTTM and STM read by pyannote; `test_annotations_nemo` has CTM."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pyannote.database.util import load_rttm, load_stm

from server.documents.annotations import to_ctm, to_rttm, to_stm
from tests.server.documents.documented import FILE_HASH, KINDS, documented, silent


@pytest.mark.parametrize("kind", KINDS)
def test_pyannote_reads_who_speaks_when(kind: str, tmp_path: Path) -> None:
    shown = documented(kind)
    path = tmp_path / "meeting.rttm"
    path.write_text(to_rttm(shown), encoding="utf-8")
    annotation = load_rttm(path)[FILE_HASH]  # type: ignore[no-untyped-call]
    found = sorted(
        (round(part.start * 1000), round(part.end * 1000), who)
        for part, _, who in annotation.itertracks(yield_label=True)
    )
    assert found == sorted(
        (part.start_ms, part.end_ms, "_".join(shown.name_of(part.speaker).split())) for part in shown.speech
    )


@pytest.mark.parametrize("kind", KINDS)
def test_ctm_has_a_word_a_line_in_the_order_of_time(kind: str) -> None:
    shown = documented(kind)
    lines = [line.split(" ") for line in to_ctm(shown).splitlines()]
    assert {len(line) for line in lines} == {6}
    assert [line[4] for line in lines] == [word.text for word in shown.words]
    starts = [float(line[2]) for line in lines]
    assert starts == sorted(starts) == [word.start_ms / 1000 for word in shown.words]
    assert {line[5] for line in lines} == {"0.900"}


@pytest.mark.parametrize("kind", KINDS)
def test_stm_has_a_statement_a_line(kind: str) -> None:
    shown = documented(kind)
    form = re.compile(rf"{FILE_HASH} 1 (\S+) (\d+\.\d{{3}}) (\d+\.\d{{3}}) (\S.*)")
    found = [form.fullmatch(line) for line in to_stm(shown).split("\n")[:-1]]
    assert [one and one[4] for one in found] == [statement.text for statement in shown.statements]
    assert all(one and float(one[2]) < float(one[3]) for one in found)


@pytest.mark.parametrize("kind", KINDS)
def test_pyannote_reads_whose_the_statements_are(kind: str, tmp_path: Path) -> None:
    shown = documented(kind)
    path = tmp_path / "meeting.stm"
    path.write_text(to_stm(shown), encoding="utf-8")
    annotation = load_stm(path)[FILE_HASH]  # type: ignore[no-untyped-call]
    found = [(round(part.start * 1000), who) for part, _, who in annotation.itertracks(yield_label=True)]
    said = [(one.start_ms, "_".join(shown.name_of(one.speaker).split())) for one in shown.statements]
    assert sorted(found) == sorted(said)


def test_a_meeting_without_speech_has_no_lines() -> None:
    assert (to_rttm(silent()), to_ctm(silent()), to_stm(silent())) == ("", "", "")
