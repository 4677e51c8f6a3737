"""Plain text and Markdown; the latter read by a CommonMark parser."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from server.conversation import Reword, apply_edits
from server.documents.meeting import DocumentedMeeting
from server.documents.subtitles import to_srt
from server.documents.texts import to_markdown, to_txt
from tests.server.documents.documented import (
    KINDS,
    NAMES,
    TALKS,
    agreed,
    corrected,
    documented,
    of_conversation,
    silent,
)

# Whatever is said makes none of these.
FOREIGN = {"link", "image", "code_inline", "html_inline", "html_block", "em", "s", "fence", "code_block", "blockquote"}


def tokens(text: str) -> list[Token]:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return [inner for token in parser.parse(text) for inner in (token, *(token.children or ()))]


def plain(text: str) -> str:
    """The words of a Markdown text, without its marks."""
    return "\n".join(
        "".join(child.content for child in token.children or ())
        for token in tokens(text)
        if token.type == "inline" and token.children
    )


def joined(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("kind", KINDS)
def test_markdown_shows_what_was_said_and_nothing_of_it_is_markup(kind: str) -> None:
    shown = documented(kind)
    text = to_markdown(shown)
    kinds = {token.type.removesuffix("_open") for token in tokens(text)}
    assert kinds & FOREIGN == set()
    assert {"heading", "table", "strong"} <= kinds
    read = plain(text)
    for statement in shown.statements:
        assert f"{shown.name_of(statement.speaker)} (" in read
        assert joined(statement.text) in joined(read)
    headings = [token for token in tokens(text) if token.type == "heading_open"]
    assert [token.tag for token in headings] == ["h1"] + ["h2"] * (len(headings) - 1)


@pytest.mark.parametrize("kind", KINDS)
def test_plain_text_has_a_statement_a_line(kind: str) -> None:
    shown = documented(kind)
    lines = to_txt(shown).splitlines()
    transcript = [line for line in lines[lines.index("TRANSCRIPT") :] if line.startswith("[")]
    assert [line.split("] ", 1)[1] for line in transcript] == [
        f"{shown.name_of(statement.speaker)}: {statement.text}" for statement in shown.statements
    ]
    assert lines[0] == shown.name


def test_a_meeting_without_speech_says_no_more_than_there_is() -> None:
    shown: DocumentedMeeting = silent()
    assert "TRANSCRIPT" not in to_txt(shown)
    assert plain(to_markdown(shown)).splitlines()[:2] == ["Weekly", "2026-11-28 · 0:00:05"]


def test_corrections_are_marked_and_what_was_recognised_is_listed_last() -> None:
    shown, (first, second) = corrected(), TALKS["german"].sentences[:2]
    # The first is the second's now, so that both are one statement.
    whose, other = shown.name_of(first.speaker), shown.name_of(second.speaker)
    lines = to_txt(shown).splitlines()
    transcript = lines[lines.index("TRANSCRIPT") : lines.index("CORRECTIONS")]
    assert [line for line in transcript if "(corrected)" in line] == [
        f"[0:00:00] {other} (corrected): {first.text} Neu."
    ]
    moved, reworded = (line for line in lines[lines.index("CORRECTIONS") :] if line.startswith("- "))
    assert moved == f"- 0:00:00 {whose}, now {other}: {first.text}"
    assert reworded.endswith(f" {other}: {second.text} Now: Neu.")
    assert "corrected by hand" in lines[lines.index("REMARKS") + 2]
    assert "Neu." in plain(to_markdown(shown))
    assert "CORRECTIONS" not in to_txt(documented("german"))


def test_removed_words_are_in_no_document_but_that_they_were_removed_is() -> None:
    first, second = TALKS["german"].sentences[:2]
    edit = Reword(1, "", (), False, None, None, b"", second.text, second.start_us)
    said = apply_edits(TALKS["german"], [edit])
    shown = of_conversation(said, NAMES["german"])
    for text in (to_txt(shown), plain(to_markdown(shown)), to_srt(shown)):
        on_one_line = " ".join(text.split())
        assert first.text in on_one_line
        assert second.text not in on_one_line
    assert f"{shown.name_of(second.speaker)}: [words removed]" in to_txt(shown)


def test_notes_are_listed_with_whose_they_are_and_when_they_were_said() -> None:
    shown = agreed()
    text = to_txt(shown)
    assert "ACTION ITEMS\n\n0:00:03, 0:00:07  Ben  I'll send *the* offer by Friday.  by Friday\n" in text
    assert "DECISIONS\n\n0:00:00  We have decided to keep | it.\n" in text
    assert "CHAPTERS" in text
    markdown = plain(to_markdown(shown))
    assert "I'll send *the* offer by Friday." in markdown
    assert "We have decided to keep | it." in markdown


def test_a_meeting_of_before_there_were_notes_has_no_such_sections() -> None:
    shown = documented("german")
    old = replace(shown, quality={name: part for name, part in shown.quality.items() if name != "notes"})  # type: ignore[arg-type]
    assert "CHAPTERS" in to_txt(shown)
    assert "CHAPTERS" not in to_txt(old)
    assert "ACTION ITEMS" not in to_txt(shown)
    reason = "Action items and decisions are found in English only; this meeting is in German (de)."
    assert (reason in to_txt(shown), reason in to_txt(old)) == (True, False)


def test_a_line_that_a_correction_outdated_says_so() -> None:
    notes = documented("german").quality["notes"]
    (chapter, *_) = notes["chapters"]
    chapter["points"][0]["outdated"] = True
    shown = replace(documented("german"), quality={**documented("german").quality, "notes": notes})
    assert "(written before a correction)" in to_txt(shown)
