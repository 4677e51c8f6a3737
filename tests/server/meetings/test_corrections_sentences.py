"""Corrections of sentences on a real database: words, speakers, and one history with merges and splits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.conversation import Conversation, Merge, Move, Reword, Sentence, Split, split_sentences
from server.errors import (
    BadRequest,
    CorrectionNotLatest,
    CorrectionNotNext,
    MeetingNotFound,
    SentenceChanged,
    SentenceNotFound,
    ServiceUnavailable,
    SpeakerNotFound,
    TooManyCorrections,
    TranscriptDeleted,
)
from server.insights import FAMILIES, WrittenNotes, compute_answers
from server.meetings import Corrections, corrected_meeting
from server.storage import insights, retention
from server.storage.pool import Database
from server.storage.speakers import speaker_id
from tests.server.conversation.spoken import talk
from tests.server.meetings.test_corrections import HASH, caller_of, labels, shares
from tests.server.storage.rows import make_user, ready_meeting

SPOKEN = (
    (1, "We have to move the launch to March. | Nobody is happy about it."),
    (2, "Why is that?"),
    (1, "The supplier is late again. | Yes."),
    (2, "I can call them today."),
)


async def read(sentence: Sentence) -> Sentence:
    """Stands for the text models: positive about what is great, with one vector for all."""
    return replace(
        sentence, polarity=0.9 if "great" in sentence.text else -0.5, emotions=(0, 0, 0, 1, 0, 0), vector=b""
    )


async def meeting(owner: Database, database: Database, notes: WrittenNotes | None = None) -> tuple[UUID, Conversation]:
    said = talk(*SPOKEN)
    said = replace(said, sentences=tuple([await read(sentence) for sentence in split_sentences(said)]))
    computed = compute_answers(said, None, notes)
    answers = {name: (one.definition_version, dict(one.document)) for name, one in computed.items()}
    id_ = await ready_meeting(database, await make_user(owner), HASH, conversation=said.to_document(), answers=answers)
    return id_, said


async def stored(owner: Database, meeting_id: UUID, family: str) -> Any:
    return await owner.run(lambda c: insights.load(c, meeting_id, family))


async def everything(owner: Database, meeting_id: UUID) -> dict[str, Any]:
    return {family.name: await stored(owner, meeting_id, family.name) for family in FAMILIES}


async def texts(owner: Database, meeting_id: UUID) -> Sequence[tuple[int, str]]:
    entries = (await stored(owner, meeting_id, "transcript"))["entries"]
    return [(entry["speaker"], entry["text"]) for entry in entries]


async def test_corrected_words_are_in_every_answer_and_undo_takes_them_out(owner: Database, database: Database) -> None:
    meeting_id, _ = await meeting(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database, analyse=read)
    before = await everything(owner, meeting_id)
    corrected = await corrections.correct_text(caller, HASH, 2, "Is it great for Maria?", "Nobody is happy about it.")
    assert corrected.document["original_text"] == "Nobody is happy about it."
    after = await everything(owner, meeting_id)
    assert after["transcript"]["entries"][0]["text"] == "We have to move the launch to March. Is it great for Maria?"
    words = [word["text"] for word in after["words"]["words"]]
    assert words[8:13] == ["Is", "it", "great", "for", "Maria?"]
    assert after["words"]["sentences"][1] == {**corrected.document}
    assert [asked["question"] for asked in after["questions"]["questions"]] == [
        "Is it great for Maria?",
        "Why is that?",
    ]
    assert after["sentiment"]["score"] > before["sentiment"]["score"]
    assert "Nobody" not in str({**after, "words": None})
    # Who spoke when is as it was.
    for untouched in ("shares", "balance", "interactions", "audio_quality"):
        assert after[untouched] == before[untouched]
    assert labels(await corrections.undo(caller, HASH, 1)) == [1, 2]
    assert await everything(owner, meeting_id) == before


async def test_a_moved_sentence_is_its_new_speaker_s_in_every_answer(owner: Database, database: Database) -> None:
    meeting_id, _ = await meeting(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database)
    before, talked = await everything(owner, meeting_id), await shares(owner, meeting_id)
    moved = await corrections.move_sentence(caller, HASH, 5, speaker_id(meeting_id, 2))
    assert (moved.document["speaker"], moved.document["original_speaker"]) == (2, 1)
    assert (await texts(owner, meeting_id))[1:] == [
        (2, "Why is that?"),
        (1, "The supplier is late again."),
        (2, "Yes. I can call them today."),
    ]
    assert (await shares(owner, meeting_id))[2] > talked[2]
    # To somebody whom the engine did not find; and back by undo.
    new = await corrections.move_sentence(caller, HASH, 3, None)
    assert (labels(new.speakers), new.document["speaker"]) == ([1, 2, 3], 3)
    await corrections.undo(caller, HASH)
    assert labels(await corrections.undo(caller, HASH)) == [1, 2]
    assert await everything(owner, meeting_id) == before


async def test_notes_by_a_model_stay_and_follow_the_corrections(owner: Database, database: Database) -> None:
    written: WrittenNotes = {
        "action_items": [{"text": "Call.", "sentences": [6], "owner": 6, "person": None, "due": "today"}],
        "decisions": [{"text": "The launch moves.", "sentences": [1, 2]}],
    }
    meeting_id, _ = await meeting(owner, database, written)
    caller, corrections = await caller_of(owner), Corrections(database, analyse=read)
    before = await stored(owner, meeting_id, "notes")
    assert (before["action_items"][0]["speaker"], before["decisions"][0]["outdated"]) == (2, False)
    # Who is to do it is whoever says that sentence; what the summary quotes is extracted anew.
    await corrections.correct_text(caller, HASH, 2, "Is it great for Maria?", "Nobody is happy about it.")
    await corrections.merge(caller, speaker_id(meeting_id, 2), speaker_id(meeting_id, 1))
    after = await stored(owner, meeting_id, "notes")
    assert (after["action_items"][0]["speaker"], after["action_items"][0]["outdated"]) == (1, False)
    assert (after["decisions"][0]["text"], after["decisions"][0]["outdated"]) == ("The launch moves.", True)
    assert "Nobody" not in str(after)
    assert (await stored(owner, meeting_id, "quality"))["notes"] == after
    await corrections.undo(caller, HASH)
    await corrections.undo(caller, HASH)
    assert await stored(owner, meeting_id, "notes") == before


async def test_all_corrections_are_undone_in_one_history(owner: Database, database: Database) -> None:
    meeting_id, said = await meeting(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database, analyse=read)
    ids = {label: speaker_id(meeting_id, label) for label in range(1, 5)}
    states = [await everything(owner, meeting_id)]
    first = said.segments[0]

    async def made(correction: Any) -> None:
        await correction
        states.append(await everything(owner, meeting_id))

    await made(corrections.correct_text(caller, HASH, 1, "We have to move the lunch to March.", None))
    await made(corrections.split(caller, ids[1], 0, first.end_us // 1000))
    await made(corrections.move_sentence(caller, HASH, 2, ids[2]))
    await made(corrections.merge(caller, ids[3], ids[2]))
    history = await corrections.history(caller, HASH, 10, None)
    assert [type(edit) for _, edit in history.made] == [Merge, Move, Split, Reword]
    assert [row.number for row, _ in history.made] == [4, 3, 2, 1]
    assert history.speakers[3].id == ids[3]
    assert [row.number for row, _ in (await corrections.history(caller, HASH, 2, 4)).made] == [3, 2]
    for number in (4, 3, 2, 1):
        assert await everything(owner, meeting_id) == states.pop()
        await corrections.undo(caller, HASH, number)
    assert await everything(owner, meeting_id) == states.pop()
    assert all(row.undone for row, _ in (await corrections.history(caller, HASH, 10, None)).made)


async def test_only_the_latest_correction_is_undone(owner: Database, database: Database) -> None:
    meeting_id, _ = await meeting(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database)
    with pytest.raises(CorrectionNotLatest) as none:
        await corrections.undo(caller, HASH, 1)
    assert "latest" not in none.value.facts
    await corrections.move_sentence(caller, HASH, 1, speaker_id(meeting_id, 2))
    await corrections.move_sentence(caller, HASH, 2, speaker_id(meeting_id, 2))
    before = await texts(owner, meeting_id)
    with pytest.raises(CorrectionNotLatest) as other:
        await corrections.undo(caller, HASH, 1)
    assert other.value.facts == {"latest": "2"}
    assert await texts(owner, meeting_id) == before
    await corrections.undo(caller, HASH, 2)
    await corrections.undo(caller, HASH, 1)


async def test_what_was_undone_last_is_redone_first_until_another_correction_is_made(
    owner: Database, database: Database
) -> None:
    meeting_id, _ = await meeting(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database, analyse=read)
    with pytest.raises(BadRequest):
        await corrections.redo(caller, HASH)
    second = speaker_id(meeting_id, 2)
    await corrections.correct_text(caller, HASH, 3, "", None)
    await corrections.move_sentence(caller, HASH, 1, second)
    both = await everything(owner, meeting_id)
    for number in (2, 1):
        await corrections.undo(caller, HASH, number)
    with pytest.raises(CorrectionNotNext) as other:
        await corrections.redo(caller, HASH, 2)
    assert other.value.facts == {"next": "1"}
    history = (await corrections.history(caller, HASH, 10, None)).made
    assert [(row.number, row.can_redo) for row, _ in history] == [(2, False), (1, True)]
    for number in (1, 2):
        await corrections.redo(caller, HASH, number)
    assert await everything(owner, meeting_id) == both
    # Another correction: what is undone then stays so, also once that one is undone itself.
    await corrections.undo(caller, HASH, 2)
    await corrections.move_sentence(caller, HASH, 2, second)
    await corrections.undo(caller, HASH, 3)
    history = (await corrections.history(caller, HASH, 10, None)).made
    assert [(row.number, row.undone, row.can_redo) for row, _ in history] == [
        (3, True, True),
        (2, True, False),
        (1, False, False),
    ]
    await corrections.redo(caller, HASH)
    with pytest.raises(CorrectionNotNext) as none:
        await corrections.redo(caller, HASH, 2)
    assert "next" not in none.value.facts


async def test_what_is_so_already_is_no_correction(owner: Database, database: Database) -> None:
    meeting_id, _ = await meeting(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database, analyse=read)
    await corrections.move_sentence(caller, HASH, 1, speaker_id(meeting_id, 1))
    await corrections.correct_text(caller, HASH, 3, "Why is that?", "Something else.")
    assert (await corrections.history(caller, HASH, 10, None)).made == []
    # A call that is sent again because its answer was lost.
    for _ in range(2):
        await corrections.correct_text(caller, HASH, 3, "Why is this?", "Why is that?")
    assert len((await corrections.history(caller, HASH, 10, None)).made) == 1


async def test_what_somebody_else_corrected_meanwhile_is_not_written_over(owner: Database, database: Database) -> None:
    meeting_id, _ = await meeting(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database, analyse=read)
    await corrections.correct_text(caller, HASH, 3, "Why now?", "Why is that?")
    with pytest.raises(SentenceChanged):
        await corrections.correct_text(caller, HASH, 3, "Why not?", "Why is that?")
    assert (await texts(owner, meeting_id))[1] == (2, "Why now?")
    corrected = await corrections.correct_text(caller, HASH, 3, "Why not?", None)
    assert (corrected.document["text"], corrected.document["original_text"]) == ("Why not?", "Why is that?")
    ((_, latest), _) = (await corrections.history(caller, HASH, 10, None)).made
    assert isinstance(latest, Reword)
    assert latest.former_text == "Why now?"
    # Two at once: the second finds what the first wrote.
    results = await asyncio.gather(
        *(corrections.correct_text(caller, HASH, 4, text, "The supplier is late again.") for text in ("One.", "Two.")),
        return_exceptions=True,
    )
    assert [isinstance(result, SentenceChanged) for result in results].count(True) == 1


async def silenced(owner: Database) -> list[list[int]]:
    found: list[list[int]] = await owner.run(lambda c: c.fetchval("SELECT redacted_ranges FROM meetings"))
    return found


async def test_typed_text_is_redacted_as_the_meeting_is(owner: Database, database: Database) -> None:
    meeting_id, _ = await meeting(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database, analyse=read)
    await corrections.rename(caller, speaker_id(meeting_id, 2), "Wendeline", HASH)
    await owner.run(lambda c: c.execute("UPDATE meetings SET redact = 'phone,name'"))
    typed = "Wendeline and Daniel have 212 555 0173"
    corrected = await corrections.correct_text(caller, HASH, 6, typed, None)
    assert corrected.document["text"] == "[NAME] and [NAME] have [PHONE]"
    edits = await owner.run(lambda c: c.fetch("SELECT document FROM speaker_edits"))
    kept = str(await everything(owner, meeting_id)) + str([edit["document"] for edit in edits])
    # What was not known to be a number is heard no longer, whether the correction stays or not.
    ranges = await silenced(owner)
    assert ranges[0][0] < corrected.document["start_ms"] < corrected.document["end_ms"] < ranges[-1][1]
    await corrections.undo(caller, HASH)
    assert await silenced(owner) == ranges
    await corrections.correct_text(caller, HASH, 1, "We have to move it to March.", None)
    assert await silenced(owner) == ranges
    for secret in ("Wendeline", "Daniel", "0173"):
        assert secret not in kept


async def test_what_cannot_be_corrected_is_refused_and_changes_nothing(owner: Database, database: Database) -> None:
    meeting_id, _ = await meeting(owner, database)
    other = await ready_meeting(database, await make_user(owner), "b" * 64)
    caller, stranger = await caller_of(owner), await caller_of(owner, "Elsewhere")
    corrections = Corrections(database, analyse=read)
    before = await everything(owner, meeting_id)
    mine = speaker_id(meeting_id, 1)
    for expected, call in (
        (SentenceNotFound, corrections.correct_text(caller, HASH, 0, "Text.", None)),
        (SentenceNotFound, corrections.correct_text(caller, HASH, 7, "Text.", None)),
        (SentenceNotFound, corrections.move_sentence(caller, HASH, -1, mine)),
        (SentenceNotFound, corrections.move_sentence(caller, HASH, 7, mine)),
        (SpeakerNotFound, corrections.move_sentence(caller, HASH, 1, uuid4())),
        (BadRequest, corrections.move_sentence(caller, HASH, 1, speaker_id(other, 1))),
        (MeetingNotFound, corrections.correct_text(caller, "c" * 64, 1, "Text.", None)),
        (MeetingNotFound, corrections.correct_text(stranger, HASH, 1, "Text.", None)),
        (MeetingNotFound, corrections.move_sentence(stranger, HASH, 1, mine)),
        (MeetingNotFound, corrections.history(stranger, HASH, 10, None)),
        (ServiceUnavailable, Corrections(database).correct_text(caller, HASH, 1, "Text.", None)),
    ):
        with pytest.raises(expected):
            await call
    assert await everything(owner, meeting_id) == before
    assert (await corrections.history(caller, HASH, 10, None)).made == []


async def test_a_meeting_is_corrected_so_often_and_no_more(
    owner: Database, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting_id, _ = await meeting(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database)
    monkeypatch.setattr(corrected_meeting, "MAX_CORRECTIONS", 2)
    await corrections.move_sentence(caller, HASH, 1, speaker_id(meeting_id, 2))
    await corrections.undo(caller, HASH)
    await corrections.move_sentence(caller, HASH, 1, speaker_id(meeting_id, 2))
    with pytest.raises(TooManyCorrections):
        await corrections.merge(caller, speaker_id(meeting_id, 2), speaker_id(meeting_id, 1))
    assert set(await shares(owner, meeting_id)) == {1, 2}


async def test_a_transcript_that_was_deleted_is_not_corrected(owner: Database, database: Database) -> None:
    meeting_id, _ = await meeting(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database, analyse=read)
    await corrections.correct_text(caller, HASH, 1, "Secret.", None)
    await database.run(
        lambda c: retention.delete_transcript(c, caller.organization_id, meeting_id, []),
        organization_id=caller.organization_id,
    )
    for call in (
        corrections.correct_text(caller, HASH, 1, "Text.", None),
        corrections.move_sentence(caller, HASH, 1, speaker_id(meeting_id, 2)),
        corrections.history(caller, HASH, 10, None),
    ):
        with pytest.raises(TranscriptDeleted):
            await call
    assert not await owner.run(lambda c: c.fetchval("SELECT count(*) FROM speaker_edits"))
