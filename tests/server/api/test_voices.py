"""The voices of an organization, over real gRPC."""

from __future__ import annotations

from functools import partial
from uuid import UUID, uuid4

import grpc
import pytest
from grpc import aio
from meetra.v1 import voices_pb2 as pb
from meetra.v1 import voices_pb2_grpc

from server.storage import voices
from server.storage.pool import Database
from server.storage.voices import VoiceRow
from tests.server.api.conftest import Api
from tests.server.storage.rows import make_user


async def organization_of(owner: Database) -> UUID:
    """The one of the fixture's user."""
    return (await make_user(owner)).organization_id


async def test_recognition_is_off_until_it_is_turned_on_and_off_again_erases_all(
    api: Api, owner: Database, database: Database
) -> None:
    service = voices_pb2_grpc.VoiceServiceStub(api.channel)
    list_all = await service.ListVoices(pb.ListVoicesRequest(), metadata=api.metadata)
    assert (list_all.recognise, list(list_all.voices)) == (False, [])
    on = await service.UpdateVoiceSettings(pb.UpdateVoiceSettingsRequest(recognise=True), metadata=api.metadata)
    assert on.recognise
    here, known = await organization_of(owner), VoiceRow(uuid4(), "Ada", b"", 3)
    await database.run(lambda c: voices.store(c, here, "model", known), organization_id=here)
    list_all = await service.ListVoices(pb.ListVoicesRequest(), metadata=api.metadata)
    assert list_all.recognise
    assert [(voice.id, voice.name, voice.meetings) for voice in list_all.voices] == [(str(known.id), "Ada", 3)]
    await service.UpdateVoiceSettings(pb.UpdateVoiceSettingsRequest(recognise=False), metadata=api.metadata)
    assert not (await service.ListVoices(pb.ListVoicesRequest(), metadata=api.metadata)).voices


async def test_a_voice_is_erased_once_and_by_its_organization_alone(
    api: Api, owner: Database, database: Database
) -> None:
    service = voices_pb2_grpc.VoiceServiceStub(api.channel)
    stranger, known = await make_user(owner, "Elsewhere"), VoiceRow(uuid4(), "Ada", b"", 3)
    run = partial(database.run, organization_id=stranger.organization_id)
    await run(lambda c: voices.store(c, stranger.organization_id, "model", known))
    for id_ in (str(known.id), str(uuid4())):
        with pytest.raises(aio.AioRpcError) as raised:
            await service.DeleteVoice(pb.DeleteVoiceRequest(id=id_), metadata=api.metadata)
        assert (raised.value.code(), raised.value.details()) == (grpc.StatusCode.NOT_FOUND, "Voice not found")
    assert len(await run(lambda c: voices.list_all(c, stranger.organization_id))) == 1
    with pytest.raises(aio.AioRpcError) as raised:
        await service.DeleteVoice(pb.DeleteVoiceRequest(id="x"), metadata=api.metadata)
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    here, own = await organization_of(owner), VoiceRow(uuid4(), "Grace", b"", 1)
    await database.run(lambda c: voices.store(c, here, "model", own), organization_id=here)
    await service.DeleteVoice(pb.DeleteVoiceRequest(id=str(own.id)), metadata=api.metadata)
    assert not (await service.ListVoices(pb.ListVoicesRequest(), metadata=api.metadata)).voices
