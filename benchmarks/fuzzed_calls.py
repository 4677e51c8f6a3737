"""Random calls of every RPC through the gateway, and random conversations with the live service."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from meetra.v1 import live_pb2

from benchmarks.fuzzed_messages import MessageFuzzer
from server.api.public_services import public_methods

# What may answer a bad request; anything else is a fault of ours.
EXPECTED = frozenset(
    {
        grpc.StatusCode.OK,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.ABORTED,
        # On a machine that is too busy. A process that ended is looked for apart.
        grpc.StatusCode.UNAVAILABLE,
    }
)
INSIDES = re.compile(r"traceback|asyncpg|sql|DecodeError|<class|errno|python|upstream|exception|at 0x", re.IGNORECASE)
# A stream that nobody ends is cancelled after this long, seconds; a single call has this long to answer.
STREAM_S, CALL_S = 3.0, 60.0
# What would end the run itself.
SPARED = frozenset({"ChangePassword", "Logout", "UpdateUser", "DeleteUser", "RevokeKey"})
# Messages of a conversation with the live service.
MAX_MESSAGES = 12


def methods() -> list[MethodDescriptor]:
    """Return every RPC of the public API, except those that end the caller's own session."""
    return [method for method in public_methods() if method.name not in SPARED]


@dataclass
class Answers:
    """How calls were answered, and the faults among them."""

    codes: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)
    """A call for each kind of fault."""

    def add(self, name: str, code: grpc.StatusCode, message: str, sent: bytes) -> None:
        """Count an answer to what was sent."""
        self.codes[code.name] += 1
        if code not in EXPECTED or INSIDES.search(message) or len(message) > 1000:
            self.faults.setdefault(f"{name}: {code.name} {message[:200]}", sent.hex()[:400])


class CallFuzzer:
    """Makes random calls with one user's token.

    The client is the blocking one: the one for asyncio reports INTERNAL of its own where a server ends a stream that is
    still being written.
    """

    def __init__(self, channel: grpc.Channel, token: str, seed: int, known: Mapping[str, list[Any]]) -> None:
        """``known``: see ``MessageFuzzer``."""
        self._channel, self._metadata = channel, (("authorization", f"Bearer {token}"),)
        self._fuzzer = MessageFuzzer(seed, dict(known))
        self.answers = Answers()

    def call(self, method: MethodDescriptor) -> None:
        """Call an RPC with a random message, or a few where it takes a stream."""
        count = self._fuzzer.random.randint(0, MAX_MESSAGES) if method.client_streaming else 1
        messages = [self._fuzzer.wire(method.input_type) for _ in range(count)]
        self.send(method, messages)

    def converse(self) -> None:
        """Open a live meeting properly, and then send anything."""
        method = live_pb2.DESCRIPTOR.services_by_name["LiveService"].methods_by_name["StreamMeeting"]
        track = live_pb2.TrackConfig(
            track_id="mix",
            kind=live_pb2.TRACK_KIND_MIXED,
            encoding=self._fuzzer.random.choice(
                (
                    live_pb2.AUDIO_ENCODING_PCM_S16LE,
                    live_pb2.AUDIO_ENCODING_OPUS,
                    live_pb2.AUDIO_ENCODING_OGG_OPUS,
                    live_pb2.AUDIO_ENCODING_WEBM_OPUS,
                )
            ),
            sample_rate_hz=16_000,
        )
        opening = live_pb2.StreamMeetingRequest(config=live_pb2.LiveConfig(name="fuzz", tracks=[track]))
        count = self._fuzzer.random.randint(1, MAX_MESSAGES)
        messages = [opening.SerializeToString(), *(self._fuzzer.wire(method.input_type) for _ in range(count))]
        self.send(method, messages)

    def send(self, method: MethodDescriptor, messages: list[bytes]) -> None:
        """Send messages as they are, and count the answer."""
        name = f"/{method.containing_service.full_name}/{method.name}"
        kind = ("stream" if method.client_streaming else "unary", "stream" if method.server_streaming else "unary")
        call: Any = getattr(self._channel, "_".join(kind))(name)
        request = iter(messages) if method.client_streaming else messages[0]
        streams = "stream" in kind
        code, message = grpc.StatusCode.OK, ""
        ends = time.monotonic() + STREAM_S - 0.1
        try:
            answer = call(request, metadata=self._metadata, timeout=STREAM_S if streams else CALL_S)
            if method.server_streaming:
                for _ in answer:
                    pass
        except grpc.RpcError as error:
            code, message = error.code(), error.details() or ""
        # The server resets the stream at the same deadline; on a busy machine the client reads that first, as INTERNAL.
        if streams and (code is grpc.StatusCode.DEADLINE_EXCEEDED or time.monotonic() >= ends):
            code, message = grpc.StatusCode.OK, ""
        self.answers.add(name, code, message, b"|".join(messages))
