"""Generate an OpenAPI 3.1 description of the REST API from the descriptor set: ``gen/openapi.json``.

Paths and parameters come from google.api.http, schemas from messages, texts from proto comments. Statuses are the ones
that the services' comments name, and the ones of Envoy itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.api import annotations_pb2
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

PACKAGE = ".meetra.v1."
PUBLIC = ("/api-login", "/.well-known/jwks.json")
NUMBERS = {Field.TYPE_DOUBLE: "double", Field.TYPE_FLOAT: "float"}
# Messages that an answer does not always have: what is asked for by `details`, and an engine that is not reached yet.
ABSENT_BY_NAME = ("details", "engine")
# And those of which one comes, or none: a oneof in the protos would say so, but moving fields breaks their users.
ABSENT = {
    ("ControlMeetingResponse", "track"): "after flush and finish",
    ("WatchMeetingResponse", "event"): "in a heartbeat",
    ("WatchMeetingResponse", "heartbeat"): "with an event",
}
HTTP_BODY = ".google.api.HttpBody"
LISTS_OF_TEXT = ".google.protobuf.ListValue"
MESSAGE_FIELD, SERVICE_FIELD, FIELD_OF_MESSAGE, METHOD_OF_SERVICE = 4, 6, 2, 2
# Of methods that answer with a file; of the others it depends on what is asked for, or on what was uploaded.
MEDIA_TYPES = {"ExportOrganization": "application/x-tar"}
ERRORS = {
    "400": "A parameter or the body is invalid; the message names it and the fix.",
    "401": "The token is missing or invalid.",
    "403": "The role of the caller, or the scopes of the key, do not allow the call.",
    "404": "No such meeting, speaker, voice, user, key or path.",
    "409": "The meeting is still being processed (then with Retry-After), failed, or differs; or no owner is left.",
    "413": "The recording, or the JSON body, is larger or longer than the server accepts.",
    "415": "The Content-Encoding of the body is not supported.",
    "429": "Too many calls are open, or too many logins failed. Retry after the seconds in Retry-After.",
    "431": "The headers are too large, path and query included.",
    "507": "The server's disk is full; nothing was stored. Retry after the seconds in Retry-After.",
    "503": "A component of the server is unavailable; retry later.",
}
REASON_HEADER = {
    "description": "Why, by name: an ErrorReason without its prefix (docs/errors.md). Absent for an unknown path.",
    "schema": {"type": "string"},
}


class Description:
    """Builder of the document from one descriptor set."""

    def __init__(self, files: descriptor_pb2.FileDescriptorSet) -> None:
        self._files = [file for file in files.file if file.package == "meetra.v1"]
        self._messages = {
            f".{file.package}.{path}": (message, leading_comments(file))
            for file in self._files
            for message in file.message_type
            for path in (message.name,)
        }
        self._message_paths = {
            f".{file.package}.{message.name}": (MESSAGE_FIELD, index)
            for file in self._files
            for index, message in enumerate(file.message_type)
        }
        self._enums = {
            f".{file.package}.{enum.name}": [value.name for value in enum.value]
            for file in self._files
            for enum in file.enum_type
        }
        self.schemas: dict[str, Any] = {}

    def document(self, version: str) -> dict[str, Any]:
        """Return the OpenAPI document."""
        paths: dict[str, dict[str, Any]] = {}
        for path, verb, operation in self._operations():
            paths.setdefault(path, {})[verb] = operation
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "Meetra",
                "version": version,
                "description": "Who spoke, what was said, and how the conversation went.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "paths": paths,
            "components": {
                "schemas": {
                    **self.schemas,
                    "Error": _error(named=False),
                    "NamedError": _error(named=True),
                },
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT or mk_..."}},
            },
        }

    def _operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for file in self._files:
            comments = leading_comments(file)
            for s, service in enumerate(file.service):
                for m, method in enumerate(service.method):
                    rule = method.options.Extensions[annotations_pb2.http]
                    verb = rule.WhichOneof("pattern")
                    if verb:
                        text = comments.get((SERVICE_FIELD, s, METHOD_OF_SERVICE, m), "")
                        yield getattr(rule, verb), verb, self._operation(method, rule, service.name, text)

    def _operation(
        self, method: descriptor_pb2.MethodDescriptorProto, rule: Any, service: str, text: str
    ) -> dict[str, Any]:
        path = getattr(rule, rule.WhichOneof("pattern"))
        operation: dict[str, Any] = {
            "operationId": method.name,
            "tags": [service.removesuffix("Service")],
            "summary": text.split(".")[0].strip(),
            "description": text,
            "parameters": list(self._parameters(method.input_type, path, rule.body)),
            "responses": self._responses(method, path, rule.response_body),
        }
        if path not in PUBLIC:
            operation["security"] = [{"token": []}]
        if rule.body:
            operation["requestBody"] = self._body(method.input_type, path, rule.body)
        return operation

    def _parameters(self, message: str, path: str, body: str) -> Iterator[dict[str, Any]]:
        if body == "*":
            fields = [f for f in self._fields(message) if f"{{{f.name}}}" in path]
        else:
            fields = [f for f in self._fields(message) if f.name != body]
        for field in fields:
            inside = f"{{{field.name}}}" in path
            text = self._text(message, field)
            schema = self._property(field)
            if field.name == "id":
                schema = {"type": "string", "format": "uuid"}
            yield {
                "name": field.json_name,
                "in": "path" if inside else "query",
                "required": inside or "Required." in text,
                "description": text,
                "schema": schema,
            }

    def _body(self, message: str, path: str, body: str) -> dict[str, Any]:
        if body == "*":
            inside = set(re.findall(r"\{(\w+)\}", path))
            fields = [f for f in self._fields(message) if f.name not in inside]
            schema = self._object(message, fields, every=False)
        else:
            (field,) = [f for f in self._fields(message) if f.name == body]
            if field.type_name == HTTP_BODY:
                return _recording() if path.endswith("/upload") else _bytes()
            schema = self._object(field.type_name, self._fields(field.type_name), every=False)
        return {"required": True, "content": {"application/json": {"schema": schema}}}

    def _responses(self, method: descriptor_pb2.MethodDescriptorProto, path: str, response_body: str) -> dict[str, Any]:
        error = "NamedError" if path.startswith("/api/meeting/speakers") else "Error"
        refused = {"schema": {"$ref": f"#/components/schemas/{error}"}}
        # A stream is sent as server-sent events, one message per `data:` line.
        kind = "text/event-stream" if method.server_streaming else "application/json"
        if response_body:
            kind = MEDIA_TYPES.get(method.name, "*/*")
            content: dict[str, Any] = {kind: {"schema": {"type": "string", "format": "binary"}}}
        else:
            content = {kind: {"schema": self._reference(method.output_type)}}
        answer = {"description": "As documented.", "content": content}
        responses: dict[str, Any] = {"200": answer}
        for status, text in ERRORS.items():
            headers = {"X-Meetra-Reason": REASON_HEADER}
            responses[status] = {"description": text, "headers": headers, "content": {"application/json": refused}}
        if method.name == "GetTopics":
            text = "Not known to occur."
            responses["500"] = {"description": text, "content": {"application/json": refused}}
        responses["409"]["headers"]["Retry-After"] = {"schema": {"type": "integer"}, "description": "Seconds."}
        return responses

    def _fields(self, message: str) -> list[Field]:
        return list(self._messages[message][0].field)

    def _text(self, message: str, field: Field) -> str:
        descriptor, comments = self._messages[message]
        index = [f.name for f in descriptor.field].index(field.name)
        return comments.get((*self._message_paths[message], FIELD_OF_MESSAGE, index), "")

    def _reference(self, message: str) -> dict[str, Any]:
        name = message.removeprefix(PACKAGE)
        if name not in self.schemas:
            self.schemas[name] = {}
            self.schemas[name] = self._object(message, self._fields(message), every=True)
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(self, message: str, fields: list[Field], *, every: bool) -> dict[str, Any]:
        """Return the schema of an object; ``every`` marks an answer, where all fields without presence are required."""
        absent = {f.json_name for f in fields if absent_in_answers(message, f)}
        return {
            "type": "object",
            "description": self._messages[message][1].get(self._message_paths[message], ""),
            "properties": {f.json_name: {**self._property(f), "description": self._text(message, f)} for f in fields},
            "required": [f.json_name for f in fields if every and f.json_name not in absent],
            "additionalProperties": False,
        }

    def _property(self, field: Field) -> dict[str, Any]:
        if field.label != Field.LABEL_REPEATED:
            return self._value(field)
        entry = self._entry(field)
        if entry is None:
            return {"type": "array", "items": self._value(field)}
        return {"type": "object", "additionalProperties": self._value(entry)}

    def _entry(self, field: Field) -> Field | None:
        """Return the value field of a map field, None for any other field."""
        if field.type != Field.TYPE_MESSAGE:
            return None
        owner, _, name = field.type_name.rpartition(".")
        if owner not in self._messages:
            return None
        nested = next(n for n in self._messages[owner][0].nested_type if n.name == name)
        return next(f for f in nested.field if f.name == "value")

    def _value(self, field: Field) -> dict[str, Any]:
        if field.type in NUMBERS:
            return {"type": "number", "format": NUMBERS[field.type]}
        if field.type == Field.TYPE_INT32:
            return {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1}
        if field.type == Field.TYPE_UINT32:
            return {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
        if field.type == Field.TYPE_BOOL:
            return {"type": "boolean"}
        if field.type == Field.TYPE_ENUM:
            return {"type": "string", "enum": self._enums[field.type_name]}
        if field.type == Field.TYPE_MESSAGE:
            if field.type_name == LISTS_OF_TEXT:
                return {"type": "array", "items": {"type": "string"}}
            return self._reference(field.type_name)
        return {"type": "string"}


def absent_in_answers(message: str, field: Field) -> bool:
    """Return whether an answer may lack the field of ``message`` (its full name): one that is not always set."""
    known = field.name in ABSENT_BY_NAME or (message.removeprefix(PACKAGE), field.name) in ABSENT
    return known or field.HasField("oneof_index")


def leading_comments(file: descriptor_pb2.FileDescriptorProto) -> dict[tuple[int, ...], str]:
    """Return the comments before the elements of a file, by path, each as one line."""
    return {
        tuple(entry.path): " ".join(entry.leading_comments.split())
        for entry in file.source_code_info.location
        if entry.leading_comments
    }


def _bytes() -> dict[str, Any]:
    """Return the request body of plain bytes."""
    return {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }


def _error(*, named: bool) -> dict[str, Any]:
    names = ["error", "message"] if named else ["message"]
    return {
        "type": "object",
        "properties": {name: {"type": "string", "minLength": 1} for name in names},
        "required": names,
        "additionalProperties": False,
    }


def _recording() -> dict[str, Any]:
    parts = {
        "file": {"type": "string", "format": "binary", "description": "The recording."},
        "name": {"type": "string", "maxLength": 500},
        "date": {"type": "string"},
        "n_speakers": {"type": "string"},
        "language": {"type": "string", "description": "A BCP 47 tag, a code of ISO 639, or a name; `auto`: detected."},
        "key_terms": {"type": "string", "description": "Terms, separated by commas or line breaks."},
        "channels": {"type": "string", "enum": ["mixed", "separate"]},
    }
    form = {"type": "object", "properties": parts, "required": ["file"]}
    content = {"schema": {"type": "string", "format": "binary"}}
    return {
        "required": True,
        "content": {"multipart/form-data": {"schema": form}, "application/octet-stream": content, "audio/wav": content},
    }


def describe(descriptors: Path, version: str) -> dict[str, Any]:
    """Return the OpenAPI document of a descriptor set with comments."""
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes())
    return Description(files).document(version)


def write(descriptors: Path, target: Path, version: str) -> None:
    """Write the document as JSON."""
    target.write_text(json.dumps(describe(descriptors, version), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
