"""Write the REST reference from the OpenAPI document: a page for each group of calls, and one that lists all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tools.site.prose import cell, prose

INDEX = "rest/index.md"

Operation = tuple[str, str, dict[str, Any]]


class Reference:
    """The pages of one OpenAPI document."""

    def __init__(self, document: dict[str, Any], protos: frozenset[str]) -> None:
        self._protos = protos
        self._schemas: dict[str, Any] = document["components"]["schemas"]
        self._groups: dict[str, list[Operation]] = {}
        for path, verbs in document["paths"].items():
            for verb, operation in verbs.items():
                self._groups.setdefault(operation["tags"][0], []).append((path, verb.upper(), operation))

    def pages(self) -> dict[str, str]:
        """Return Markdown by path."""
        pages = {
            self._path(group): "\n".join(self._page(group, operations)) + "\n"
            for group, operations in sorted(self._groups.items())
        }
        return {INDEX: "\n".join(self._index()) + "\n", **pages}

    def titles(self) -> dict[str, str]:
        """Return the title of each page but the index."""
        return {self._path(group): group for group in sorted(self._groups)}

    def _path(self, group: str) -> str:
        return f"rest/{group.lower()}.md"

    def _index(self) -> Iterator[str]:
        yield "# REST, call by call\n"
        yield (
            "Every REST call that is a gRPC method too, generated from the protos. What is common to all of them, and"
            " the calls of plain HTTP (sound in byte ranges, uploads in pieces, clients of OpenAI), is in"
            " [REST](../rest.md); they can be tried on [a page](try.md).\n"
        )
        for group, operations in sorted(self._groups.items()):
            yield f"## {group}\n\n| Call | What |\n|---|---|"
            for path, verb, operation in operations:
                anchor = operation["operationId"].lower()
                told = cell(self._prose(operation["summary"], INDEX))
                yield f"| [`{verb} {path}`]({group.lower()}.md#{anchor}) | {told} |"
            yield ""

    def _page(self, group: str, operations: list[Operation]) -> Iterator[str]:
        page = self._path(group)
        yield f"# {group}\n"
        for path, verb, operation in operations:
            yield f"## {operation['operationId']}\n\n`{verb} {path}`\n\n{self._prose(operation['description'], page)}\n"
            if parameters := operation["parameters"]:
                yield "| Parameter | In | Type | |\n|---|---|---|---|"
                for one in parameters:
                    place = f"{one['in']}, required" if one["required"] else one["in"]
                    told = cell(self._prose(one["description"], page))
                    yield f"| `{one['name']}` | {place} | {self._type(one['schema'])} | {told} |"
                yield ""
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                yield from self._fields(f"Body, `{kind}`", content["schema"], page)
            for kind, content in operation["responses"]["200"]["content"].items():
                yield from self._fields(f"Answer, `{kind}`", content["schema"], page)

    def _fields(self, title: str, schema: dict[str, Any], page: str) -> Iterator[str]:
        found = self._resolved(schema)
        if "properties" not in found:
            yield f"{title}\n"
            return
        yield f"{title}\n\n| Field | Type | |\n|---|---|---|"
        for name, one in found["properties"].items():
            optional = "" if name in found.get("required", ()) else ", may be absent"
            yield f"| `{name}` | {self._type(one)}{optional} | {cell(self._prose(one.get('description', ''), page))} |"
        yield ""

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        name = schema.get("$ref", "").rpartition("/")[2]
        found: dict[str, Any] = self._schemas[name] if name else schema
        return found

    def _type(self, schema: dict[str, Any]) -> str:
        """Return how a type is called; the fields of a message are those of its proto."""
        if "$ref" in schema:
            return str(schema["$ref"].rpartition("/")[2])
        if schema.get("type") == "array":
            return f"list of {self._type(schema['items'])}"
        if "additionalProperties" in schema and isinstance(schema["additionalProperties"], dict):
            return f"map to {self._type(schema['additionalProperties'])}"
        if "enum" in schema:
            return ", ".join(f"`{value}`" for value in schema["enum"])
        return str(schema.get("type", "any"))

    def _prose(self, text: str, page: str) -> str:
        return prose(text, page, self._protos)
