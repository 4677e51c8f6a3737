"""Generate the TypeScript of the REST API from the descriptor set: types of all messages, and a method for each call.

    python -m tools.typescript

Writes ``clients/typescript/src/generated``. Paths and parameters come from google.api.http, types from messages, texts
from proto comments. Calls whose bodies are bytes or streams get their path alone; the client has code for them.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.api import annotations_pb2
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from tools.openapi import (
    FIELD_OF_MESSAGE,
    HTTP_BODY,
    LISTS_OF_TEXT,
    MESSAGE_FIELD,
    METHOD_OF_SERVICE,
    PACKAGE,
    SERVICE_FIELD,
    absent_in_answers,
    leading_comments,
)

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "clients" / "typescript" / "src" / "generated"
ENUM_FIELD, VALUE_OF_ENUM = 5, 2
# As JSON has them: numbers of 64 bits are texts, so that no digit is lost.
SCALARS = {
    Field.TYPE_DOUBLE: "number",
    Field.TYPE_FLOAT: "number",
    Field.TYPE_INT32: "number",
    Field.TYPE_UINT32: "number",
    Field.TYPE_BOOL: "boolean",
}
IDENTIFIER = re.compile(r"[A-Za-z_]\w*\Z")
WIDTH = 116
HEAD = "// Generated from proto/ by tools/typescript.py.\n"


class TypeScript:
    """Builder of both files from one descriptor set with comments."""

    def __init__(self, files: descriptor_pb2.FileDescriptorSet) -> None:
        self._files = [file for file in files.file if file.package == PACKAGE.strip(".")]
        self._messages: dict[str, tuple[descriptor_pb2.DescriptorProto, dict[tuple[int, ...], str], int]] = {}
        self._enums: dict[str, tuple[descriptor_pb2.EnumDescriptorProto, dict[tuple[int, ...], str], int]] = {}
        for file in self._files:
            comments = leading_comments(file)
            for index, message in enumerate(file.message_type):
                self._messages[f".{file.package}.{message.name}"] = (message, comments, index)
            for index, enum in enumerate(file.enum_type):
                self._enums[f".{file.package}.{enum.name}"] = (enum, comments, index)
        self._methods = list(self._annotated())
        inputs = self._reachable(method.input_type for method, _, _ in self._methods)
        outputs = self._reachable(method.output_type for method, _, _ in self._methods)
        self._inputs, self._outputs = inputs, outputs

    def messages(self) -> str:
        """Return the types: of what is sent, where little is required, and of what is answered, where all is there."""
        # The reasons of errors are in no message: they come in a header.
        used = {*self._inputs, *self._outputs, f"{PACKAGE}ErrorReason"}
        enums = [name for name in self._enums if name in used]
        parts = [self._enum(name) for name in enums]
        for name in self._messages:
            if name in self._inputs:
                parts.append(self._interface(name, sent=True))
            if name in self._outputs:
                parts.append(self._interface(name, sent=False))
        return "\n".join([HEAD, *filter(None, parts)])

    def calls(self) -> str:
        """Return the table of calls, and a class with a method for each."""
        table = ",\n".join(
            f"  {camel(method.name)}: {json.dumps(self._call(method, rule))}" for method, rule, _ in self._methods
        )
        plain = [(method, text) for method, rule, text in self._methods if not self._has_bytes(method, rule)]
        types = sorted(
            {self._name(t, sent=s) for m, _ in plain for t, s in ((m.input_type, True), (m.output_type, False))}
        )
        return "\n".join(
            [
                HEAD,
                'import type { Call, CallOptions } from "../http.js";',
                "import type {",
                *(f"  {name}," for name in types),
                '} from "./messages.js";\n',
                "/** Verb, path and parameters of every call. */",
                f"export const CALLS = {{\n{table}\n}} as const satisfies Record<string, Call>;\n",
                "/** A method for every call whose body and answer are JSON. */",
                "export abstract class Calls {",
                "  /** Make a call. */",
                "  protected abstract call<T>(call: Call, request: object, options?: CallOptions): Promise<T>;",
                *(self._method(method, text) for method, text in plain),
                "}\n",
            ]
        )

    def _annotated(self) -> Iterator[tuple[descriptor_pb2.MethodDescriptorProto, Any, str]]:
        for file in self._files:
            comments = leading_comments(file)
            for s, service in enumerate(file.service):
                for m, method in enumerate(service.method):
                    rule = method.options.Extensions[annotations_pb2.http]
                    if rule.WhichOneof("pattern"):
                        yield method, rule, comments.get((SERVICE_FIELD, s, METHOD_OF_SERVICE, m), "")

    def _reachable(self, names: Iterator[str]) -> set[str]:
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in found or (name not in self._messages and name not in self._enums):
                continue
            found.add(name)
            if name in self._messages:
                message = self._messages[name][0]
                nested = [field for entry in message.nested_type for field in entry.field]
                waiting += [field.type_name for field in (*message.field, *nested) if field.type_name]
        return found

    def _has_bytes(self, method: descriptor_pb2.MethodDescriptorProto, rule: Any) -> bool:
        fields = self._messages[method.input_type][0].field
        of_bytes = any(field.name == rule.body and field.type_name == HTTP_BODY for field in fields)
        return of_bytes or bool(rule.response_body) or method.server_streaming or method.client_streaming

    def _call(self, method: descriptor_pb2.MethodDescriptorProto, rule: Any) -> dict[str, Any]:
        verb = rule.WhichOneof("pattern")
        fields = self._messages[method.input_type][0].field
        renamed = {field.name: field.json_name for field in fields if field.json_name != field.name}
        return {"verb": verb.upper(), "path": getattr(rule, verb), "body": rule.body, "renamed": renamed}

    def _method(self, method: descriptor_pb2.MethodDescriptorProto, text: str) -> str:
        sent, answer = self._name(method.input_type, sent=True), self._name(method.output_type, sent=False)
        optional = " = {}" if not any(self._required(method.input_type, sent=True)) else ""
        name = camel(method.name)
        return (
            f"\n{comment(text, 2)}  {name}(request: {sent}{optional}, options?: CallOptions): Promise<{answer}> {{\n"
            f"    return this.call(CALLS.{name}, request, options);\n  }}"
        )

    def _name(self, message: str, *, sent: bool) -> str:
        name = message.removeprefix(PACKAGE)
        # A message that is sent and answered has two types.
        return f"{name}Input" if sent and message in self._outputs else name

    def _interface(self, name: str, *, sent: bool) -> str:
        message, comments, index = self._messages[name]
        lines: list[str] = []
        for position, (field, required) in enumerate(zip(message.field, self._required(name, sent=sent), strict=True)):
            if field.type_name == HTTP_BODY:
                continue
            key = field.name if sent else field.json_name
            key = key if IDENTIFIER.match(key) else json.dumps(key)
            text = comments.get((MESSAGE_FIELD, index, FIELD_OF_MESSAGE, position), "")
            mark = "" if required else "?"
            lines.append(f"{comment(text, 2)}  {key}{mark}: {self._type(name, field, sent=sent)};")
        text = comment(comments.get((MESSAGE_FIELD, index), ""), 0)
        body = "\n".join(lines)
        return f"{text}export interface {self._name(name, sent=sent)} {{\n{body}\n}}\n"

    def _required(self, name: str, *, sent: bool) -> list[bool]:
        message, comments, index = self._messages[name]
        if not sent:
            return [not absent_in_answers(name, field) for field in message.field]
        paths = [getattr(r, r.WhichOneof("pattern")) for m, r, _ in self._methods if m.input_type == name]
        texts = [comments.get((MESSAGE_FIELD, index, FIELD_OF_MESSAGE, at), "") for at in range(len(message.field))]
        return [
            "Required." in text or any(f"{{{field.name}}}" in path for path in paths)
            for field, text in zip(message.field, texts, strict=True)
        ]

    def _type(self, message: str, field: Field, *, sent: bool) -> str:
        if field.label != Field.LABEL_REPEATED:
            return self._value(field, sent=sent)
        for entry in self._messages[message][0].nested_type:
            if entry.options.map_entry and field.type_name == f"{message}.{entry.name}":
                (inner,) = [inner for inner in entry.field if inner.name == "value"]
                return f"Record<string, {self._value(inner, sent=sent)}>"
        value = self._value(field, sent=sent)
        return f"({value})[]" if " " in value else f"{value}[]"

    def _value(self, field: Field, *, sent: bool) -> str:
        if field.type == Field.TYPE_ENUM:
            return field.type_name.removeprefix(PACKAGE)
        if field.type == Field.TYPE_MESSAGE:
            return "string[]" if field.type_name == LISTS_OF_TEXT else self._name(field.type_name, sent=sent)
        return SCALARS.get(field.type, "string")

    def _enum(self, name: str) -> str:
        enum, comments, index = self._enums[name]
        lines = [
            f"{comment(comments.get((ENUM_FIELD, index, VALUE_OF_ENUM, at), ''), 2)}  | {json.dumps(value.name)}"
            for at, value in enumerate(enum.value)
        ]
        text = comment(comments.get((ENUM_FIELD, index), ""), 0)
        return f"{text}export type {enum.name} =\n" + "\n".join(lines) + ";\n"


def camel(name: str) -> str:
    """Return a method's name in TypeScript: ``GetTopics`` becomes ``getTopics``."""
    return name[0].lower() + name[1:]


def comment(text: str, indent: int) -> str:
    """Return a doc comment that ends in a line break; nothing for no text."""
    if not text:
        return ""
    space = " " * indent
    safe = text.replace("*/", "*\\/")
    if len(safe) + indent + 7 <= WIDTH:
        return f"{space}/** {safe} */\n"
    lines = textwrap.wrap(safe, WIDTH - indent - 3, break_long_words=False, break_on_hyphens=False)
    return f"{space}/**\n" + "".join(f"{space} * {line}\n" for line in lines) + f"{space} */\n"


def write(descriptors: Path, target: Path) -> None:
    """Write ``messages.ts`` and ``calls.ts`` into ``target``."""
    built = TypeScript(descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes()))
    target.mkdir(parents=True, exist_ok=True)
    (target / "messages.ts").write_text(built.messages(), encoding="utf-8")
    (target / "calls.ts").write_text(built.calls(), encoding="utf-8")


if __name__ == "__main__":
    write(ROOT / "gen" / "meetra.binpb", TARGET)
