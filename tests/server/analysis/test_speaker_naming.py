"""Names of speakers: from tracks before known voices, from these before the words, and numbers for the rest."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from server.analysis.recording import GivenName, SessionResult
from server.analysis.speaker_naming import match_given_names, name_speakers, recognise_voices
from server.conversation import Interval
from server.storage import voices
from server.storage.pool import Database
from server.storage.speakers import SpeakerRow, speaker_id
from server.storage.voices import VoiceRow
from tests.server.conversation.spoken import conversation
from tests.server.insights.talks import sentence
from tests.server.storage.rows import make_user

MODEL = "speaker vectors: m"
MEETING = uuid4()
ALONG_X, ALONG_Y = np.eye(2, dtype=np.float32)


def said() -> SessionResult:
    return SessionResult(voice_model=MODEL, same_voice_similarity=0.8)


def rows(*named: tuple[str, str]) -> list[SpeakerRow]:
    """Speakers 1, 2, ... by alias and where it is from."""
    return [
        SpeakerRow(label, speaker_id(MEETING, label), alias, source)
        for label, (alias, source) in enumerate(named, start=1)
    ]


def test_a_track_s_name_goes_before_what_is_said_and_a_number_comes_last() -> None:
    talk = replace(
        conversation((1, 0, 5), (2, 5, 10), (3, 10, 15)),
        sentences=(
            sentence(1, 0, 5, "Hello, my name is Daniel."),
            sentence(2, 5, 10, "Hello, my name is Laura.", segment_id=2),
            sentence(3, 10, 15, "Good morning to you all.", segment_id=3),
        ),
    )
    named = name_speakers(talk, MEETING, {1: "Dan"})
    assert [(row.label, row.alias, row.alias_source) for row in named] == [
        (1, "Dan", "track"),
        (2, "Laura", "spoken"),
        (3, "Speaker 3", "number"),
    ]
    assert [row.id for row in named] == [speaker_id(MEETING, label) for label in (1, 2, 3)]
    assert [row.alias_confidence is not None for row in named] == [False, True, False]


def given(name: str, *seconds: tuple[int, int]) -> GivenName:
    return GivenName(name, tuple(Interval(start * 1_000_000, end * 1_000_000) for start, end in seconds))


def test_a_name_given_while_the_meeting_ran_goes_to_whoever_said_what_was_told_as_theirs() -> None:
    talk = conversation((1, 0, 5), (2, 5, 10), (3, 10, 15), (2, 15, 20))
    # Live, the second was the third, and some of the first was taken for them.
    names = [given("Laura", (4, 9), (16, 20)), given("Dan", (10, 13)), given("Nobody", (30, 40)), given("Ghost")]
    named = name_speakers(talk, MEETING, {2: "Track"}, names)
    assert [(row.label, row.alias, row.alias_source) for row in named] == [
        (1, "Speaker 1", "number"),
        (2, "Laura", "hand"),
        (3, "Dan", "hand"),
    ]


def test_two_names_for_one_speaker_are_one_for_who_was_told_so_longest() -> None:
    talk = conversation((1, 0, 10), (2, 10, 12))
    assert match_given_names(talk, [given("Short", (0, 3)), given("Long", (3, 10))]) == {1: "Long"}
    both = [given("First", (0, 6)), given("Second", (6, 12))]
    assert match_given_names(talk, both) == {1: "First", 2: "Second"}


async def test_without_consent_nothing_is_compared_and_nothing_kept(owner: Database, database: Database) -> None:
    organization_id = (await make_user(owner)).organization_id
    run = partial(database.run, organization_id=organization_id)
    before = rows(("Speaker 1", "number"))
    vectors = {1: ALONG_X}
    found = await run(lambda c: recognise_voices(c, organization_id, said(), vectors, before))
    assert found == (before, [])
    assert await run(lambda c: voices.list_all(c, organization_id)) == []


async def test_a_known_voice_names_its_speaker_and_an_unknown_one_is_kept_for_the_next_meeting(
    owner: Database,
    database: Database,
) -> None:
    organization_id = (await make_user(owner)).organization_id
    run = partial(database.run, organization_id=organization_id)
    await run(lambda c: voices.set_recognition(c, organization_id, True))
    ada = VoiceRow(uuid4(), "Ada", ALONG_X.tobytes(), 1)
    await run(lambda c: voices.store(c, organization_id, MODEL, ada))
    heard: dict[int, NDArray[np.float32]] = {1: np.asarray([0.96, 0.28], np.float32), 2: ALONG_Y}
    before = rows(("Speaker 1", "number"), ("Laura", "spoken"), ("Speaker 3", "number"))
    named, links = await run(lambda c: recognise_voices(c, organization_id, said(), heard, before))
    assert [(row.alias, row.alias_source, row.alias_confidence) for row in named] == [
        ("Ada", "voice", 0.96),
        ("Laura", "spoken", None),
        # Of a speaker who says too little there is nothing to compare.
        ("Speaker 3", "number", None),
    ]
    known = {voice.id: voice for voice in await run(lambda c: voices.list_all(c, organization_id))}
    assert dict(links)[before[0].id] == ada.id
    assert known[ada.id].meetings == 2
    (new,) = (voice for id_, voice in known.items() if id_ != ada.id)
    assert (dict(links)[before[1].id], new.name, new.meetings) == (new.id, "", 1)
    # The next meeting knows both, and names none by a voice without a name.
    again, links_again = await run(lambda c: recognise_voices(c, organization_id, said(), {2: ALONG_Y}, before))
    assert [row.alias for row in again] == ["Speaker 1", "Laura", "Speaker 3"]
    assert links_again == [(before[1].id, new.id)]


async def test_a_participant_s_own_name_is_kept_though_the_voice_is_known_by_another(
    owner: Database, database: Database
) -> None:
    organization_id = (await make_user(owner)).organization_id
    run = partial(database.run, organization_id=organization_id)
    await run(lambda c: voices.set_recognition(c, organization_id, True))
    ada = VoiceRow(uuid4(), "Ada", ALONG_X.tobytes(), 1)
    await run(lambda c: voices.store(c, organization_id, MODEL, ada))
    before = rows(("Ada Lovelace", "track"))
    named, links = await run(lambda c: recognise_voices(c, organization_id, said(), {1: ALONG_X}, before))
    assert (named, links) == (before, [(before[0].id, ada.id)])
