"""A meeting is redacted before anything is made of its words."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import numpy as np

from server.analysis.recording import Recording, SessionResult
from server.analysis.redaction import known_voice_names, meeting_names, redact_conversation
from server.analysis.speaker_naming import name_speakers
from server.channels import ChannelUse
from server.conversation import Conversation, RedactionKind, split_sentences
from server.insights import compute_answers
from server.storage import Job, StoredRedaction, voices
from server.storage.pool import Database
from server.storage.voices import VoiceRow
from tests.server.conversation.spoken import talk
from tests.server.storage.rows import make_user

KINDS = frozenset(RedactionKind)


def texts(conversation: Conversation) -> list[str]:
    return [" ".join(word.text for word in segment.words) for segment in conversation.segments]


def test_words_and_title_are_redacted_and_ranges_kept() -> None:
    said = talk((1, "call me at 415-555-0199 please"), (2, "thanks Daniel"))
    redacted = redact_conversation(said, 1, KINDS, ["Daniel Lee"], "Daniel and +14155550199")
    assert texts(redacted.conversation) == ["call me at [PHONE] please", "thanks [NAME]"]
    assert redacted.stored == StoredRedaction([[800, 1600], [2150, 2950]], "[NAME] and [PHONE]", hides_names=True)
    assert replace(redacted.conversation, segments=said.segments) == said


def test_without_measured_word_times_more_is_silent() -> None:
    said = talk((1, "we all know that you call me at 415-555-0199 please do it as soon as you can"))
    untimed = replace(said, engine=replace(said.engine, word_times=False))
    (measured,) = redact_conversation(said, 1, KINDS, [], "").stored.ranges_ms
    (estimated,) = redact_conversation(untimed, 1, KINDS, [], "").stored.ranges_ms
    assert (measured[0] - estimated[0], estimated[1] - measured[1]) == (1250, 1250)


def test_tracks_are_redacted_apart() -> None:
    # Of two tracks, segments with odd numbers are one, with even ones the other.
    said = talk((1, "my card is 4111 1111"), (2, "1111 1111 is another number"))
    alone = redact_conversation(said, 2, KINDS, [], "").conversation
    together = redact_conversation(said, 1, KINDS, [], "").conversation
    assert texts(together)[1] == "[CARD] is another number"
    assert texts(alone)[1] == "1111 1111 is another number"


def test_what_was_left_out_as_a_copy_is_silent_too_however_late_it_comes() -> None:
    heard = talk((1, "call me at 415-555-0199 please"), (2, "call me at 415-555-0199 please"))
    said = replace(heard, segments=heard.segments[:1])
    alone = redact_conversation(said, 2, KINDS, [], "").stored.ranges_ms
    redacted = redact_conversation(said, 2, KINDS, [], "", heard=heard)
    assert texts(redacted.conversation) == ["call me at [PHONE] please"]
    (first, second) = redacted.stored.ranges_ms
    assert alone == [[first[0] + 500, first[1] - 500]]
    (copy,) = redact_conversation(replace(heard, segments=heard.segments[1:]), 2, KINDS, [], "").stored.ranges_ms
    assert second == [copy[0] - 500, copy[1] + 500]
    # Also where the track of the person itself has no such words.
    nothing = redact_conversation(replace(said, segments=()), 2, KINDS, [], "", heard=heard).stored.ranges_ms
    assert nothing == redacted.stored.ranges_ms


def test_no_answer_quotes_what_was_redacted() -> None:
    lines = ("my card is 4111 1111 1111 1111 and my mail is ann at example dot com", "thanks Daniel call 415-555-0199")
    said = talk(*[(1 + number % 2, line) for number, line in enumerate(lines * 4)])
    redacted = redact_conversation(said, 1, KINDS, ["Daniel"], "").conversation
    complete = replace(redacted, sentences=split_sentences(redacted))
    documents = str([answer.document for answer in compute_answers(complete).values()])
    assert "[CARD]" in documents
    assert not any(marker in documents.lower() for marker in ("4111", "example", "daniel", "0199"))
    # A placeholder is no topic.
    assert "'card'" in documents.lower()
    assert not any(f"'{word}'" in documents for word in ("email", "phone", "[card]", "Phone", "Email"))


def test_names_are_those_of_tracks_of_voices_and_of_whoever_is_spoken_to() -> None:
    said = talk((1, "hello my name is daniel | and this is the plan"), (2, "thank you very much laura"))
    recording = Recording((), names={1: "Dan Miller"})
    assert meeting_names(recording, said, {"Bo"}) == {"Dan Miller", "Bo", "Daniel", "Laura"}


def test_speakers_are_numbers_where_names_are_hidden() -> None:
    said = talk((1, "hello"), (2, "hi"))
    rows = name_speakers(said, uuid4(), {1: "Daniel"}, hide_names=True)
    assert [(row.alias, row.alias_source) for row in rows] == [("Speaker 1", "number"), ("Speaker 2", "number")]


async def test_names_of_recognised_voices_count_only_with_consent(owner: Database, database: Database) -> None:
    organization_id = (await make_user(owner)).organization_id
    vector = np.eye(2, dtype=np.float32)[0]
    result = SessionResult(voice_model="m", same_voice_similarity=0.8)
    job = Job(uuid4(), organization_id, "0" * 64, "", None, "", (), ChannelUse.MIXED, 1, 1, KINDS)
    await database.run(lambda c: voices.set_recognition(c, organization_id, True), organization_id=organization_id)
    known = VoiceRow(uuid4(), "Laura", vector.tobytes(), 1)
    await database.run(lambda c: voices.store(c, organization_id, "m", known), organization_id=organization_id)
    assert await known_voice_names(database, job, result, {1: vector}) == {"Laura"}
    assert await known_voice_names(database, job, result, {1: -vector}) == set()
    await database.run(lambda c: voices.set_recognition(c, organization_id, False), organization_id=organization_id)
    assert await known_voice_names(database, job, result, {1: vector}) == set()
