"""The client without asyncio: it has all that the other has, and a meeting goes through it as through the other."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from inspect import isdatadescriptor, signature
from typing import Any

import pytest
from grpc import StatusCode
from meetra.v1 import keys_pb2, keys_pb2_grpc, live_pb2, live_pb2_grpc, meetings_pb2

import meetra_client
from meetra_client import Event, Finished, InternalError, sync
from meetra_client.insights import InsightCalls
from tests.clients.python.any_call_server import AnyCallServer
from tests.clients.python.server import CrookedServer, Mischief
from tests.clients.python.talking import MIX, assert_whole, noise

HASH = "f" * 64
INTERRUPTED = """
import sys
from meetra_client import Track
from meetra_client.sync import MeetraClient

try:
    with MeetraClient(sys.argv[1], token="a token") as client, client.live(tracks=[Track("mix")]) as meeting:
        meeting.send("mix", bytes(6400))
        for event in meeting.events():
            print("reading", flush=True)
except KeyboardInterrupt:
    print("interrupted")
    sys.exit(130)
"""
# Of stubs, which have another form each.
OTHERWISE = {"stub", "channel"}


@pytest.mark.parametrize(
    ("blocking", "asynchronous"),
    [
        pytest.param(sync.MeetraClient, meetra_client.MeetraClient, id="client"),
        pytest.param(sync.LiveMeeting, meetra_client.LiveMeeting, id="meeting"),
        pytest.param(sync.BlockingInsights, InsightCalls, id="insights"),
    ],
)
def test_every_name_and_argument_is_the_same(blocking: type, asynchronous: type) -> None:
    names = {name for name in dir(asynchronous) if not name.startswith("_")} - OTHERWISE
    assert names == {name for name in dir(blocking) if not name.startswith("_")} - OTHERWISE
    for name in names:
        ours, theirs = getattr(blocking, name), getattr(asynchronous, name)
        if not isdatadescriptor(theirs):
            assert arguments(ours) == arguments(theirs), name


def arguments(method: object) -> list[Any]:
    assert callable(method)
    return [(each.name, each.kind, each.default) for each in signature(method).parameters.values()][1:]


async def test_a_meeting_is_sent_and_its_events_read_by_two_threads(crooked: tuple[CrookedServer, str]) -> None:
    server, url = crooked
    server.mischief.append(Mischief(break_after_chunks=3))
    seen: list[Event] = []

    def hold() -> Finished:
        with (
            sync.MeetraClient(url, token="a token") as client,
            client.live(name="Blocking", tracks=[MIX]) as meeting,
        ):
            reading = threading.Thread(target=lambda: seen.extend(meeting.events()))
            reading.start()
            for begin in range(0, len(noise(3)), 6400):
                meeting.send("mix", noise(3)[begin : begin + 6400])
            meeting.flush()
            finished = meeting.finish()
            reading.join()
            assert (meeting.position("mix"), meeting.acknowledged("mix"), meeting.reconnects) == (48_000, 48_000, 1)
            assert (meeting.session_id, meeting.last_event_seq) == (meeting.ready.session_id, len(seen))
            return finished

    finished = await asyncio.to_thread(hold)
    assert (finished.status, finished.file_hash) == ("ready", HASH)
    assert_whole(server, seen, mix=noise(3))


async def test_a_body_that_is_interrupted_leaves_the_session_open(crooked: tuple[CrookedServer, str]) -> None:
    server, url = crooked

    def interrupted() -> str:
        with sync.MeetraClient(url, token="a token") as client:
            with pytest.raises(KeyboardInterrupt), client.live(tracks=[MIX]) as meeting:
                raise KeyboardInterrupt
            with client.resume(meeting.session_id, tracks=[MIX]) as resumed:
                resumed.drop_connection()
                resumed.send("mix", noise(1))
                resumed.leave()
            watched = client.watch(meeting.session_id)
            assert next(watched).event_seq == 1
            watched.close()
            return meeting.session_id

    session_id = await asyncio.to_thread(interrupted)
    assert not server.sessions[session_id].finishing


async def test_a_client_that_cannot_log_in_leaves_no_thread(crooked: tuple[CrookedServer, str]) -> None:
    def wrong() -> None:
        with sync.MeetraClient(crooked[1], email="a@example.org", password="wrong"):
            pass

    with pytest.raises(meetra_client.InvalidCredentials):
        await asyncio.to_thread(wrong)
    assert not [each for each in threading.enumerate() if each.name == "meetra_client"]


async def test_recordings_answers_and_stubs_block(any_call: tuple[AnyCallServer, meetra_client.MeetraClient]) -> None:
    server, other = any_call
    server.answers["GetMeetingStatus"] = [meetings_pb2.GetMeetingStatusResponse(status="ready")]
    server.answers["WatchMeeting"] = [
        live_pb2.WatchMeetingResponse(event=live_pb2.LiveEvent(event_seq=1, finished=live_pb2.LiveFinished()))
    ]

    def ask() -> None:
        with sync.MeetraClient(other._url, token="a token") as client:
            client.upload(b"a recording", name="a")
            assert client.wait(HASH).status == "ready"
            assert [state.status for state in client.states(HASH)] == ["ready"]
            client.insights.balance(HASH)
            assert list(client.meetings()) == []
            keys = client.stub(keys_pb2_grpc.KeyServiceStub)
            assert keys.ListKeys(keys_pb2.ListKeysRequest()) == keys_pb2.ListKeysResponse()
            live = client.stub(live_pb2_grpc.LiveServiceStub)
            assert len(list(live.WatchMeeting(live_pb2.WatchMeetingRequest(session_id="a")))) == 1
            assert len(list(live.StreamMeeting(iter([live_pb2.StreamMeetingRequest()])))) == 1
            server.failures = [StatusCode.INTERNAL]
            with pytest.raises(InternalError):
                client.status(HASH)

    await asyncio.to_thread(ask)
    assert set(server.authorized) == {"Bearer a token"}


@pytest.mark.children
async def test_ctrl_c_leaves_the_session_open_and_the_program_says_nothing_else(
    crooked: tuple[CrookedServer, str],
) -> None:
    server, url = crooked
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", INTERRUPTED, url, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    assert (await child.stdout.readline()) == b"reading\n"
    child.send_signal(signal.SIGINT)
    out, err = await child.communicate()
    assert (child.returncode, out, err) == (130, b"interrupted\n", b"")
    assert not server.only.finishing
    assert len(server.only.audio["mix"]) == 6400
