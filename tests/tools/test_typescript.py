"""The TypeScript that is generated from a descriptor set."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from tools.openapi import ABSENT
from tools.typescript import ROOT, TypeScript, camel, comment, write

STRING, INT32, INT64, MESSAGE = Field.TYPE_STRING, Field.TYPE_INT32, Field.TYPE_INT64, Field.TYPE_MESSAGE


def field(name: str, kind: Field.Type.ValueType, *, json_name: str = "", of: str = "", many: bool = False) -> Field:
    label = Field.LABEL_REPEATED if many else Field.LABEL_OPTIONAL
    return Field(name=name, json_name=json_name or name, type=kind, type_name=of, label=label)


@pytest.fixture
def built() -> TypeScript:
    """A service of one call, whose request and answer share a message."""
    file = descriptor_pb2.FileDescriptorProto(name="a.proto", package="meetra.v1")
    file.message_type.add(name="Note", field=[field("text", STRING), field("size", INT64)])
    file.message_type.add(
        name="SetNoteRequest",
        field=[
            field("id", STRING),
            field("file_hash", STRING, json_name="file-hash"),
            field("note", MESSAGE, of=".meetra.v1.Note"),
        ],
    )
    answer = file.message_type.add(
        name="SetNoteResponse", field=[field("All notes", MESSAGE, of=".meetra.v1.Note", many=True)]
    )
    answer.field.add(name="detail", json_name="detail", type=INT32, label=Field.LABEL_OPTIONAL, oneof_index=0)
    answer.oneof_decl.add(name="_detail")
    service = file.service.add(name="NoteService")
    method = service.method.add(
        name="SetNote", input_type=".meetra.v1.SetNoteRequest", output_type=".meetra.v1.SetNoteResponse"
    )
    rule = method.options.Extensions[annotations_pb2.http]
    rule.put, rule.body = "/notes/{id}", "note"
    stream = service.method.add(
        name="Watch", input_type=".meetra.v1.Note", output_type=".meetra.v1.Note", server_streaming=True
    )
    stream.options.Extensions[annotations_pb2.http].get = "/watch"
    service.method.add(name="OverGrpcAlone", input_type=".meetra.v1.Note", output_type=".meetra.v1.Note")
    comments = file.source_code_info.location
    comments.add(path=[4, 1, 2, 1], leading_comments=" The hash.\n Required.\n")
    comments.add(path=[6, 0, 2, 0], leading_comments=" Sets a note */ here.\n")
    return TypeScript(descriptor_pb2.FileDescriptorSet(file=[file]))


def test_what_is_sent_requires_little_and_what_is_answered_is_all_there(built: TypeScript) -> None:
    messages = built.messages()
    assert "export interface NoteInput {\n  text?: string;\n  size?: string;\n}" in messages
    assert "export interface Note {\n  text: string;\n  size: string;\n}" in messages
    assert "  id: string;\n  /** The hash. Required. */\n  file_hash: string;\n  note?: NoteInput;\n}" in messages
    assert '  "All notes": Note[];\n  detail?: number;\n}' in messages


def test_a_call_knows_where_its_parameters_go(built: TypeScript) -> None:
    calls = built.calls()
    assert (
        'setNote: {"verb": "PUT", "path": "/notes/{id}", "body": "note", "renamed": {"file_hash": "file-hash"}}'
        in calls
    )
    assert "setNote(request: SetNoteRequest, options?: CallOptions): Promise<SetNoteResponse> {" in calls
    # A comment cannot be left from within.
    assert "/** Sets a note *\\/ here. */" in calls


def test_a_stream_has_a_path_and_no_method(built: TypeScript) -> None:
    calls = built.calls()
    assert 'watch: {"verb": "GET", "path": "/watch"' in calls
    assert "watch(request" not in calls
    assert "overGrpcAlone" not in calls


def test_long_comments_are_wrapped() -> None:
    lines = comment("word " * 100, 2).splitlines()
    assert (lines[0], lines[-1]) == ("  /**", "   */")
    assert max(map(len, lines)) <= 120
    assert (comment("", 2), camel("GetTopics")) == ("", "getTopics")


def test_every_call_over_http_is_generated(tmp_path: Path) -> None:
    write(ROOT / "gen" / "meetra.binpb", tmp_path)
    files = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "gen" / "meetra.binpb").read_bytes())
    names = [
        camel(method.name)
        for file in files.file
        if file.package == "meetra.v1"
        for service in file.service
        for method in service.method
        if method.options.HasExtension(annotations_pb2.http)
    ]
    calls, messages = (tmp_path / "calls.ts").read_text(), (tmp_path / "messages.ts").read_text()
    assert names
    assert [name for name in names if f"  {name}: {{" not in calls] == []
    assert '"ERROR_REASON_AUDIO_GAP"' in messages


def test_what_an_answer_may_lack_is_optional(tmp_path: Path) -> None:
    write(ROOT / "gen" / "meetra.binpb", tmp_path)
    messages = (tmp_path / "messages.ts").read_text()
    schemas = json.loads((ROOT / "gen" / "openapi.json").read_text())["components"]["schemas"]
    for message, field, kind in (
        ("ControlMeetingResponse", "track", "LiveTrackState"),
        ("WatchMeetingResponse", "event", "LiveEvent"),
        ("WatchMeetingResponse", "heartbeat", "Heartbeat"),
    ):
        (body,) = re.findall(rf"^export interface {message} {{\n(.*?)^}}", messages, re.MULTILINE | re.DOTALL)
        assert f"  {field}?: {kind};" in body
        assert field not in schemas[message]["required"]
    assert "  ready: LiveReady;" in messages
    assert schemas["OpenMeetingResponse"]["required"] == ["ready"]


def test_names_of_fields_that_may_be_absent_are_real() -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "gen" / "meetra.binpb").read_bytes())
    fields = {(m.name, f.name) for file in files.file for m in file.message_type for f in m.field}
    assert set(ABSENT) <= fields
