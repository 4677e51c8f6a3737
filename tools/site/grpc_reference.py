"""Write the gRPC reference from the descriptor set: a page for each proto, and one that lists all methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from google.api import annotations_pb2
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from meetra.v1 import access_pb2

from tools.openapi import leading_comments
from tools.site.prose import cell, prose

PACKAGE = "meetra.v1"
SERVICE, MESSAGE, ENUM, SYNTAX = 6, 4, 5, 12
METHOD_OF_SERVICE, FIELD_OF_MESSAGE, VALUE_OF_ENUM, MESSAGE_IN_MESSAGE, ENUM_IN_MESSAGE = 2, 2, 2, 3, 4
INDEX = "grpc/index.md"

Path = tuple[int, ...]
"""Of an element in a file, as descriptors number them."""
Texts = Callable[..., str]
"""Gives the comment of an element as Markdown, by the numbers of its path."""


class Reference:
    """The pages of one descriptor set."""

    def __init__(self, files: descriptor_pb2.FileDescriptorSet) -> None:
        self._files = [file for file in files.file if file.package == PACKAGE]
        self._protos = frozenset(_stem(file) for file in self._files)
        self._page_of_type = {
            f".{PACKAGE}.{name}": f"{_stem(file)}.md" for file in self._files for name in _type_names(file)
        }

    def pages(self) -> dict[str, str]:
        """Return Markdown by path."""
        pages = {f"grpc/{_stem(file)}.md": "\n".join(self._page(file)) + "\n" for file in self._files}
        return {INDEX: "\n".join(self._index()) + "\n", **pages}

    def titles(self) -> dict[str, str]:
        """Return the title of each page but the index."""
        return {f"grpc/{stem}.md": f"{stem}.proto" for stem in sorted(self._protos)}

    def _index(self) -> Iterator[str]:
        yield "# gRPC\n"
        yield (
            "Every call of the public API, generated from the protos. REST and gRPC are served on one port; a token"
            " goes in the metadata `authorization: Bearer ...`. A caller needs one of a method's rights: what roles and"
            " keys give is in [Operating](../operating.md#users). Errors name a reason: [Errors](../errors.md).\n"
        )
        for file in sorted(self._files, key=_stem):
            for service in file.service:
                yield f"## {service.name}\n"
                yield "| Method | REST | Rights |\n|---|---|---|"
                for method in service.method:
                    link = f"[{method.name}]({_stem(file)}.md#{method.name.lower()})"
                    yield f"| {link} | {_rest(method)} | {_rights(method)} |"
                yield ""

    def _page(self, file: descriptor_pb2.FileDescriptorProto) -> Iterator[str]:
        comments, page = leading_comments(file), f"grpc/{_stem(file)}.md"

        def text(*path: int) -> str:
            return prose(comments.get(path, ""), page, self._protos)

        yield f"# {_stem(file)}.proto\n"
        yield text(SYNTAX) + "\n"
        for s, service in enumerate(file.service):
            yield f"## {service.name}\n\n{text(SERVICE, s)}\n"
            for m, method in enumerate(service.method):
                yield from self._method(method, text(SERVICE, s, METHOD_OF_SERVICE, m))
        if file.message_type:
            yield "## Messages\n"
        for m, message in enumerate(file.message_type):
            yield from self._message(message, message.name, (MESSAGE, m), text)
        if file.enum_type:
            yield "## Enums\n"
        for e, enum in enumerate(file.enum_type):
            yield from _enum(enum, enum.name, (ENUM, e), text)

    def _method(self, method: descriptor_pb2.MethodDescriptorProto, text: str) -> Iterator[str]:
        yield f"### {method.name}\n\n{text}\n"
        yield "| | |\n|---|---|"
        yield f"| Request | {self._type(method.input_type, stream=method.client_streaming)} |"
        yield f"| Response | {self._type(method.output_type, stream=method.server_streaming)} |"
        if _rest(method):
            yield f"| REST | {_rest(method)} |"
        yield f"| Rights | {_rights(method)} |"
        if scope := method.options.Extensions[access_pb2.session_scope]:
            yield f"| Session token | {_plain(access_pb2.SessionScope.Name(scope), 'SESSION_SCOPE_')} |"
        action = method.options.Extensions[access_pb2.audit].action
        yield f"| Audit log | {_plain(access_pb2.AuditAction.Name(action), 'AUDIT_ACTION_')} |\n"

    def _message(self, message: descriptor_pb2.DescriptorProto, name: str, path: Path, text: Texts) -> Iterator[str]:
        yield f"### {name}\n\n{text(*path)}\n"
        entries = {f".{PACKAGE}.{name}.{nested.name}": nested for nested in message.nested_type}
        if message.field:
            yield "| Field | Type | |\n|---|---|---|"
        for f, field in enumerate(message.field):
            told = cell(text(*path, FIELD_OF_MESSAGE, f))
            yield f"| `{field.name}` = {field.number} | {self._field_type(field, entries)} | {told} |"
        yield ""
        for n, nested in enumerate(message.nested_type):
            if not nested.options.map_entry:
                yield from self._message(nested, f"{name}.{nested.name}", (*path, MESSAGE_IN_MESSAGE, n), text)
        for e, enum in enumerate(message.enum_type):
            yield from _enum(enum, f"{name}.{enum.name}", (*path, ENUM_IN_MESSAGE, e), text)

    def _field_type(self, field: Field, entries: dict[str, descriptor_pb2.DescriptorProto]) -> str:
        entry = entries.get(field.type_name)
        if entry is not None and entry.options.map_entry:
            key, value = entry.field
            return f"map of {self._value_type(key)} to {self._value_type(value)}"
        if field.label == Field.LABEL_REPEATED:
            return f"list of {self._value_type(field)}"
        return f"{self._value_type(field)}{', optional' if field.proto3_optional else ''}"

    def _value_type(self, field: Field) -> str:
        if field.type_name:
            return self._type(field.type_name)
        return Field.Type.Name(field.type).removeprefix("TYPE_").lower()

    def _type(self, full_name: str, *, stream: bool = False) -> str:
        name = full_name.removeprefix(f".{PACKAGE}.").lstrip(".")
        page = self._page_of_type.get(full_name)
        shown = f"[{name}]({page}#{_anchor(name)})" if page else f"`{name}`"
        return f"a stream of {shown}" if stream else shown


def _enum(enum: descriptor_pb2.EnumDescriptorProto, name: str, path: Path, text: Texts) -> Iterator[str]:
    yield f"### {name}\n\n{text(*path)}\n"
    yield "| Value | |\n|---|---|"
    for v, value in enumerate(enum.value):
        yield f"| `{value.name}` = {value.number} | {cell(text(*path, VALUE_OF_ENUM, v))} |"
    yield ""


def _stem(file: descriptor_pb2.FileDescriptorProto) -> str:
    return PurePosixPath(file.name).stem


def _type_names(file: descriptor_pb2.FileDescriptorProto) -> Iterator[str]:
    yield from (enum.name for enum in file.enum_type)
    for message in file.message_type:
        yield message.name
        yield from (f"{message.name}.{nested.name}" for nested in message.nested_type)
        yield from (f"{message.name}.{enum.name}" for enum in message.enum_type)


def _anchor(name: str) -> str:
    return name.replace(".", "").lower()


def _rest(method: descriptor_pb2.MethodDescriptorProto) -> str:
    """Return the paths of a method as Markdown, nothing where it has none."""
    rule = method.options.Extensions[annotations_pb2.http]
    rules = [one for one in (rule, *rule.additional_bindings) if one.WhichOneof("pattern")]
    verbs = [(one.WhichOneof("pattern"), one) for one in rules]
    return ", ".join(f"`{verb.upper()} {getattr(one, verb)}`" for verb, one in verbs)


def _rights(method: descriptor_pb2.MethodDescriptorProto) -> str:
    rights = method.options.Extensions[access_pb2.rights]
    return ", ".join(_plain(access_pb2.Right.Name(right), "RIGHT_") for right in rights) or "nobody's"


def _plain(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower().replace("_", " ")
