"""Keys of tokens come and go under open streams: these go on, unless the key of their token is revoked."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
from meetra.v1 import auth_pb2, auth_pb2_grpc, live_pb2, live_pb2_grpc

from server.auth import KeySet, TokenKey, TokenKeys, UserWatch
from server.storage.pool import Database
from tests.server.api.conftest import running_api
from tests.server.api.test_access import ended, open_streams
from tests.server.api.test_open_calls import PATIENCE_S
from tests.server.signing import KEY


async def test_a_stream_outlives_the_key_of_its_token_but_not_its_revocation(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    following = TokenKey.new(datetime.now(UTC) - timedelta(hours=1))
    state = [KeySet((KEY,))]
    keys = TokenKeys(lambda: state[0])
    looked = asyncio.Event()
    watch = UserWatch(database, look_again_s=0.2)
    async with running_api(owner, database, tmp_path, user_watch=watch, token_keys=keys) as api:

        async def look(_: object) -> None:
            looked.set()

        # Told after the streams were looked at.
        watch.subscribe(look)
        stub = live_pb2_grpc.LiveServiceStub(api.channel)
        held, watched = await open_streams(stub, api.metadata)
        async with asyncio.timeout(PATIENCE_S):
            for state[0] in (KeySet((KEY, following)), KeySet((following,))):
                keys.reload()
                for _ in range(2):
                    looked.clear()
                    await looked.wait()
                await held.write(live_pb2.StreamMeetingRequest(control=live_pb2.CONTROL_FLUSH))
                assert not held.done()
                assert not watched.done()
            listed = await auth_pb2_grpc.AuthServiceStub(api.channel).ListTokenKeys(auth_pb2.ListTokenKeysRequest())
            assert [key.kid for key in listed.keys] == [following.key_id]
            state[0] = KeySet((following,), frozenset({KEY.key_id}))
            keys.reload()
            assert await ended(held) is grpc.StatusCode.UNAUTHENTICATED
            assert await ended(watched) is grpc.StatusCode.UNAUTHENTICATED
