"""What breaks the protocol of live meetings is refused, and named."""

from __future__ import annotations

import grpc
import pytest
from meetra.v1 import live_pb2 as pb

from tests.e2e.conftest import Rest
from tests.e2e.live_bot import PLAIN, connected, failure

MESSAGES: dict[str, tuple[list[pb.StreamMeetingRequest], grpc.StatusCode, str]] = {
    "no config": ([pb.StreamMeetingRequest(control=pb.CONTROL_FLUSH)], grpc.StatusCode.INVALID_ARGUMENT, "config"),
    "no track": (
        [pb.StreamMeetingRequest(config=pb.LiveConfig())],
        grpc.StatusCode.INVALID_ARGUMENT,
        "config.tracks: 0 tracks",
    ),
    "a second config": (
        [pb.StreamMeetingRequest(config=PLAIN), pb.StreamMeetingRequest(config=PLAIN)],
        grpc.StatusCode.INVALID_ARGUMENT,
        "must be audio, control or a change of tracks",
    ),
    "a gap": (
        [
            pb.StreamMeetingRequest(config=PLAIN),
            pb.StreamMeetingRequest(audio=pb.AudioChunk(track_id="mix", first_sample=10, data=b"ab")),
        ],
        grpc.StatusCode.OUT_OF_RANGE,
        "10 on track mix leaves a gap; send from 0",
    ),
    "an overlap": (
        [
            pb.StreamMeetingRequest(config=PLAIN),
            pb.StreamMeetingRequest(audio=pb.AudioChunk(track_id="mix", data=b"abcd")),
            pb.StreamMeetingRequest(audio=pb.AudioChunk(track_id="mix", first_sample=1, data=b"abcd")),
        ],
        grpc.StatusCode.OUT_OF_RANGE,
        "send from 2",
    ),
    "another track": (
        [
            pb.StreamMeetingRequest(config=PLAIN),
            pb.StreamMeetingRequest(audio=pb.AudioChunk(track_id="other", data=b"ab")),
        ],
        grpc.StatusCode.INVALID_ARGUMENT,
        "audio.track_id: 'other'",
    ),
    "half a sample": (
        [
            pb.StreamMeetingRequest(config=PLAIN),
            pb.StreamMeetingRequest(audio=pb.AudioChunk(track_id="mix", data=b"abc")),
        ],
        grpc.StatusCode.INVALID_ARGUMENT,
        "audio.data: 3 bytes",
    ),
    "a large chunk": (
        [
            pb.StreamMeetingRequest(config=PLAIN),
            pb.StreamMeetingRequest(audio=pb.AudioChunk(track_id="mix", data=bytes(70_000))),
        ],
        grpc.StatusCode.INVALID_ARGUMENT,
        "the limit is 65536",
    ),
    "an unknown session": (
        [pb.StreamMeetingRequest(config=pb.LiveConfig(session_id="00000000-0000-4000-8000-000000000000"))],
        grpc.StatusCode.NOT_FOUND,
        "session",
    ),
    "no session's id": (
        [pb.StreamMeetingRequest(config=pb.LiveConfig(session_id="mine"))],
        grpc.StatusCode.INVALID_ARGUMENT,
        "config.session_id",
    ),
}


@pytest.mark.parametrize("kind", MESSAGES)
async def test_what_breaks_the_protocol_is_named(rest: Rest, kind: str) -> None:
    messages, code, said = MESSAGES[kind]
    async with connected(rest) as bot:
        for message in messages:
            await bot.send(message)
        error = await failure(bot)
    assert error.code() == code
    assert said in (error.details() or "")
