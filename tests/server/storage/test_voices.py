"""Known voices in a real database: of an organization that consents, and of nobody else."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

from server.storage import speakers, voices
from server.storage.pool import Database
from server.storage.speakers import speaker_id
from server.storage.voices import VoiceRow
from tests.server.storage.rows import make_user, ready_meeting

ADA = VoiceRow(uuid4(), "Ada", b"\x00\x00\x80\x3f", 1)


async def test_without_consent_no_voice_is_known_and_taking_it_back_erases_all(
    owner: Database, database: Database
) -> None:
    organization_id = (await make_user(owner)).organization_id
    run = partial(database.run, organization_id=organization_id)
    assert not await run(lambda c: voices.recognition_enabled(c, organization_id))
    await run(lambda c: voices.store(c, organization_id, "model", ADA))
    assert await run(lambda c: voices.lock_voices(c, organization_id, "model")) == []
    await run(lambda c: voices.set_recognition(c, organization_id, True))
    assert await run(lambda c: voices.recognition_enabled(c, organization_id))
    assert await run(lambda c: voices.lock_voices(c, organization_id, "model")) == [ADA]
    await run(lambda c: voices.set_recognition(c, organization_id, False))
    assert await run(lambda c: voices.list_all(c, organization_id)) == []


async def test_embeddings_of_one_model_are_never_compared_with_those_of_another(
    owner: Database, database: Database
) -> None:
    organization_id = (await make_user(owner)).organization_id
    run = partial(database.run, organization_id=organization_id)
    await run(lambda c: voices.set_recognition(c, organization_id, True))
    await run(lambda c: voices.store(c, organization_id, "model", ADA))
    assert await run(lambda c: voices.lock_voices(c, organization_id, "another model")) == []


async def test_a_voice_heard_again_keeps_its_name_and_counts_its_meetings(owner: Database, database: Database) -> None:
    organization_id = (await make_user(owner)).organization_id
    run = partial(database.run, organization_id=organization_id)
    await run(lambda c: voices.store(c, organization_id, "model", ADA))
    heard_again = VoiceRow(ADA.id, "Speaker 7", b"\x00\x00\x00\xbf", 2)
    await run(lambda c: voices.store(c, organization_id, "model", heard_again))
    (known,) = await run(lambda c: voices.list_all(c, organization_id))
    assert known == VoiceRow(ADA.id, "Ada", heard_again.vector, 2)


async def test_a_voice_is_listed_and_deleted_by_the_own_organization_alone(owner: Database, database: Database) -> None:
    here = (await make_user(owner)).organization_id
    elsewhere = (await make_user(owner, "Elsewhere")).organization_id
    ours, theirs = (partial(database.run, organization_id=id_) for id_ in (here, elsewhere))
    await ours(lambda c: voices.store(c, here, "model", ADA))
    assert await theirs(lambda c: voices.list_all(c, elsewhere)) == []
    assert not await theirs(lambda c: voices.delete(c, elsewhere, ADA.id))
    assert await ours(lambda c: voices.delete(c, here, ADA.id))
    assert not await ours(lambda c: voices.delete(c, here, ADA.id))


async def test_the_name_of_a_speaker_becomes_the_name_of_the_recognised_voice(
    owner: Database, database: Database
) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    meeting_id = await ready_meeting(database, user)
    await run(lambda c: voices.store(c, user.organization_id, "model", ADA))
    await run(lambda c: voices.link_speakers(c, [(speaker_id(meeting_id, 1), ADA.id)]))
    await run(lambda c: speakers.rename(c, speaker_id(meeting_id, 2), "Grace"))
    assert [voice.name for voice in await run(lambda c: voices.list_all(c, user.organization_id))] == ["Ada"]
    await run(lambda c: speakers.rename(c, speaker_id(meeting_id, 1), "Ada Lovelace"))
    (known,) = await run(lambda c: voices.list_all(c, user.organization_id))
    assert known.name == "Ada Lovelace"
