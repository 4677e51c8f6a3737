"""What methods declare for the audit log, and which ids get into it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.message_factory import GetMessageClass
from meetra.v1 import access_pb2, keys_pb2, live_pb2, meetings_pb2

from server.api.audit_rules import declared_audit, find_method, leads_somewhere, object_id, short_name
from server.api.public_services import public_methods
from server.live import live_file_hash

METHODS = {f"/{method.containing_service.full_name}/{method.name}": method for method in public_methods()}
# Verbs with which methods begin, and what they do.
VERBS = {
    # Of nobody, or of a live meeting that is an event already.
    "": ("ListTokenKeys", "SendAudio", "ControlMeeting"),
    "read": ("Get", "List", "Watch", "Search", "Prepare"),
    "delete": ("Delete", "Revoke"),
    "login": ("Login",),
}


@pytest.mark.parametrize("path", METHODS)
def test_every_method_declares_what_it_is_in_the_audit_log(path: str) -> None:
    method = METHODS[path]
    assert method.GetOptions().HasExtension(access_pb2.audit), f"{path}: add `option (audit) = {{action: ...}}`"
    declared = method.GetOptions().Extensions[access_pb2.audit]
    assert declared.action, f"{path}: declare an action"
    assert bool(declared.object) == bool(declared.id), f"{path}: an object has an id"
    rule = declared_audit(path)
    ends = [leads_somewhere(end, rule.path) for end in (method.input_type, method.output_type)]
    assert any(ends), f"{path}: no field {declared.id}"
    verb = next((action for action, verbs in VERBS.items() if method.name.startswith(verbs)), None)
    assert verb is None or rule.action == verb, f"{path}: {rule.action}"
    assert verb is not None or rule.action in ("change", "export"), f"{path}: {rule.action}"
    # Whatever names a meeting is found by it.
    if "file_hash" in method.input_type.fields_by_name and not declared.object:
        pytest.fail(f"{path}: declare the meeting")


def test_what_declares_nothing_counts_as_a_change() -> None:
    for path in ("/meetra.v1.NoService/Call", "", "/"):
        assert declared_audit(path).action == "change"
        assert find_method(path) is None


def test_names_are_short() -> None:
    assert short_name("/meetra.v1.MeetingService/DeleteMeeting") == "MeetingService/DeleteMeeting"
    assert len(short_name("/a/" + "x" * 5000)) <= 200


def test_ids_are_found_in_requests_and_responses() -> None:
    revoke = declared_audit("/meetra.v1.KeyService/RevokeKey")
    key_id = str(uuid4())
    assert object_id(revoke, keys_pb2.RevokeKeyRequest(id=key_id.upper())) == key_id
    create = declared_audit("/meetra.v1.KeyService/CreateKey")
    assert object_id(create, keys_pb2.CreateKeyRequest(name=key_id)) == ""
    assert object_id(create, keys_pb2.CreateKeyResponse(key=keys_pb2.Key(id=key_id))) == key_id
    watch, session = declared_audit("/meetra.v1.LiveService/WatchMeeting"), uuid4()
    assert watch.object_kind == "meeting"
    assert object_id(watch, live_pb2.WatchMeetingRequest(session_id=str(session))) == live_file_hash(session)


@pytest.mark.parametrize(
    "said",
    ["", "secret text", "a" * 63, "a" * 64 + "\n", "g" * 64, "x" * 100_000, "Daniel", str(uuid4()) + " "],
    ids=["empty", "text", "short", "line break", "no hexadecimal", "long", "name", "space"],
)
def test_only_ids_get_into_the_log(said: str) -> None:
    for path, request in (
        ("/meetra.v1.MeetingService/DeleteMeeting", meetings_pb2.DeleteMeetingRequest(file_hash=said)),
        ("/meetra.v1.LiveService/WatchMeeting", live_pb2.WatchMeetingRequest(session_id=said)),
    ):
        assert object_id(declared_audit(path), request) == ""


def test_a_message_of_any_method_is_looked_at_without_an_error() -> None:
    for path, method in METHODS.items():
        for end in (method.input_type, method.output_type):
            message: Any = GetMessageClass(end)()
            assert object_id(declared_audit(path), message) == ""
