"""Annotation tiers, read by praatio and pympi."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from praatio import textgrid

from server.documents.meeting import Stretch
from server.documents.tiers import Tier, find_tiers, to_eaf, to_textgrid
from tests.server.documents.documented import KINDS, documented, of_conversation, silent
from tests.server.insights.meetings_in_languages import meeting, talk

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pympi import Eaf


def labelled(tier: Tier) -> list[tuple[int, int, str]]:
    return [(part.start_ms, part.end_ms, part.text) for part in tier.annotations]


@pytest.mark.parametrize("kind", KINDS)
def test_praatio_reads_all_tiers(kind: str, tmp_path: Path) -> None:
    shown = documented(kind)
    path = tmp_path / "meeting.TextGrid"
    path.write_text(to_textgrid(shown), encoding="utf-8")
    read = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    expected = {tier.name: labelled(tier) for tier in find_tiers(shown)}
    assert list(read.tierNames) == list(expected)
    assert len(expected) == 4
    for name, labels in expected.items():
        entries = read.getTier(name).entries
        assert [(round(e.start * 1000), round(e.end * 1000), e.label) for e in entries] == [
            (start, end, text.strip()) for start, end, text in labels
        ]


@pytest.mark.parametrize("kind", KINDS)
def test_pympi_reads_all_tiers(kind: str, tmp_path: Path) -> None:
    shown = documented(kind)
    path = tmp_path / "meeting.eaf"
    path.write_bytes(to_eaf(shown))
    read = Eaf(str(path))
    expected = {tier.name: labelled(tier) for tier in find_tiers(shown)}
    assert set(read.get_tier_names()) == set(expected)
    for name, labels in expected.items():
        found = [(start, end, text) for start, end, text, *_ in read.get_annotation_data_for_tier(name)]
        assert sorted(found) == [(s, e, "".join(c for c in t if c >= " ")) for s, e, t in labels]
        assert read.get_parameters_for_tier(name)["PARTICIPANT"] in name


def test_annotations_of_a_tier_never_overlap() -> None:
    first = meeting("en", (1, "one two three four."))
    again = meeting("en", (1, "five six seven."), start_s=0.5, first=10)
    tiers = list(find_tiers(of_conversation(talk(first, again), ("Ada",))))
    for tier in tiers:
        ends = [0, *(part.end_ms for part in tier.annotations)]
        assert all(part.start_ms >= end for part, end in zip(tier.annotations, ends, strict=False))
        assert all(isinstance(part, Stretch) and part.duration_ms >= 1 for part in tier.annotations)


def test_a_meeting_without_speech_has_no_tiers(tmp_path: Path) -> None:
    assert "size = 0" in to_textgrid(silent())
    path = tmp_path / "silent.eaf"
    path.write_bytes(to_eaf(silent()))
    assert list(Eaf(str(path)).get_tier_names()) == []


def test_no_two_tiers_have_one_name() -> None:
    said = talk(meeting("en", (1, "one two."), (2, "three four.")))
    names = [tier.name for tier in find_tiers(of_conversation(said, ("Ann", "Ann words")))]
    assert names == ["Ann", "Ann words", "Ann words (2)", "Ann words words"]
