"""Every block of code in README and docs is run, or checked, or said to illustrate only.

Commands and programs that need a system are run by ``tests/e2e/test_documented_commands.py``.
"""

from __future__ import annotations

import ast
import base64
import importlib.util
import json
import re
import tomllib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from google.protobuf import descriptor_pb2
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from meetra.v1 import insights_pb2, live_pb2, search_pb2
from pydantic import BaseModel
from standardwebhooks import Webhook, WebhookVerificationError

from inference.catalogue.listing import read_listing
from inference.onnx.speakers.speaker_encoder import SpeakerEncoderDescription
from inference.onnx.text.text_files import TextDescription
from server.insights import MeetingFacts
from server.storage import EVENT_TYPES
from tests.docs.code_blocks import (
    ILLUSTRATIONS,
    NOT_RUN,
    PYTHON,
    RUN_BY,
    SHELL,
    Block,
    blocks,
    commands,
    mentions,
    not_run_as,
)
from tests.docs.shell_commands import mention_problems, problems, unknown_settings
from tests.docs.test_links import ROOT
from tests.server.conversation.spoken import conversation

BLOCKS = blocks()
CHECKED = [block for block in BLOCKS if not block.run_by and not block.illustrates]
DATA = ("json", "toml", "yaml", "yml", "proto", "sql", "mermaid")

# What JSON is that is no part of a call, by document and a part of the text.
MESSAGES: dict[tuple[str, str], type[Message]] = {
    ("docs/live.md", '"rules"'): live_pb2.LiveConfig,
    ("docs/northstar.md", '"quality_score"'): insights_pb2.GetMeetingQualityResponse,
    ("docs/rest.md", '"involvement_score"'): insights_pb2.TopicDetail,
    ("docs/search.md", '"relevance"'): search_pb2.SearchMeetingsResponse,
}
DESCRIPTIONS: dict[tuple[str, str], type[BaseModel]] = {
    ("docs/engines-export.md", '"speaker_vectors"'): SpeakerEncoderDescription,
    ("docs/engines.md", '"speaker_vectors"'): SpeakerEncoderDescription,
    ("docs/engines.md", '"emotions"'): TextDescription,
}
# Settings of programs of others, whose own names stand in them; the commands and calls in them are ours.
SETTINGS_OF_OTHERS = ("docs/mcp.md",)


def of(*languages: str) -> list[Any]:
    found = [block for block in CHECKED if block.language in languages]
    return [pytest.param(block, id=f"{block.document} block {BLOCKS.index(block)}") for block in found]


def test_every_block_has_a_language_that_is_run_or_checked() -> None:
    known = (*SHELL, *PYTHON, *DATA)
    assert [f"{block}: {block.language!r}" for block in CHECKED if block.language not in known] == []


def test_what_is_said_to_run_blocks_reads_the_document() -> None:
    used = {(block.document, block.language) for block in BLOCKS}
    for (document, language), (reader, *others) in RUN_BY.items():
        assert (document, language) in used, f"{document} has no {language} any more"
        text = (ROOT / reader).read_text(encoding="utf-8")
        assert Path(document).name in text, f"{reader} does not read {document}"
        assert all((ROOT / other).is_file() for other in others)


def test_no_exception_is_left_over() -> None:
    for document, part in ILLUSTRATIONS:
        assert any(block.document == document and part in block.text for block in BLOCKS), f"{document}: {part}"
    shells = [block.text for block in CHECKED if block.language in SHELL]
    used = {not_run_as(command) for text in shells for command in commands(text)}
    assert set(NOT_RUN) - used == set()


@pytest.mark.parametrize("block", of(*SHELL))
def test_commands_have_the_options_that_they_are_given(block: Block) -> None:
    for command in commands(block.text):
        assert problems(command) == [], command
    assert unknown_settings(block.text) == []


def test_commands_that_documents_mention_exist() -> None:
    assert [
        f"{document}: {problem}"
        for document, mention in mentions()
        if document != "CHANGELOG.md"
        for problem in mention_problems(mention)
    ] == []


def test_settings_that_documents_name_exist() -> None:
    for document in sorted({block.document for block in BLOCKS}):
        code = " ".join(re.findall(r"`MEETRA_[A-Z0-9_]+`", (ROOT / document).read_text(encoding="utf-8")))
        # A name that ends in an underscore is the beginning of several.
        assert [name for name in unknown_settings(code) if not name.endswith("_")] == [], document


@pytest.mark.parametrize("block", of(*PYTHON))
def test_programs_compile_and_import_what_there_is(block: Block) -> None:
    tree = compile(block.text, str(block), "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    assert isinstance(tree, ast.Module)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.module is not None
            module = importlib.import_module(node.module)
            missing = [
                one.name
                for one in node.names
                if not hasattr(module, one.name) and not importlib.util.find_spec(f"{node.module}.{one.name}")
            ]
            assert missing == []
        elif isinstance(node, ast.Import):
            assert all(importlib.util.find_spec(one.name) for one in node.names)


def test_a_webhook_is_verified_as_the_document_says() -> None:
    (block,) = [block for block in CHECKED if block.document == "docs/webhooks.md" and block.language == "python"]
    given: dict[str, Any] = {}
    exec(block.text, given)
    secret = "whsec_" + base64.b64encode(bytes(24)).decode()
    body, moment = json.dumps({"type": "meeting.ready"}), datetime.now(UTC)
    headers = {
        "webhook-id": "1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign("1", moment, body),
    }
    assert given["receive"](headers, body.encode(), secret) == {"type": "meeting.ready"}
    with pytest.raises(WebhookVerificationError):
        given["receive"](headers, body.encode() + b" ", secret)


def test_the_score_of_the_example_is_computed() -> None:
    (block,) = [b for b in CHECKED if b.document == "docs/architecture.md" and b.language == "python"]
    given: dict[str, Any] = {"__name__": "server.insights.silence"}
    exec(block.text, given)
    # Speech in 60 of 100 s.
    meeting = MeetingFacts(conversation((1, 0, 40), (2, 50, 70), duration_s=100))
    assert given["SILENCE"].compute(meeting)["score"] == pytest.approx(40)


@pytest.mark.parametrize("block", of("json"))
def test_json_has_fields_that_exist(block: Block) -> None:
    shown = json.loads(block.text.replace("[...]", "[]"))
    for (document, part), message in MESSAGES.items():
        if block.document == document and part in block.text:
            ParseDict(shown, message())
            return
    for (document, part), description in DESCRIPTIONS.items():
        if block.document == document and part in block.text:
            description.model_validate(shown)
            return
    if block.document in SETTINGS_OF_OTHERS:
        (server,) = shown["mcpServers"].values()
        if "command" in server:
            assert problems(" ".join([server["command"], *server["args"]])) == []
            assert unknown_settings(" ".join(server["env"])) == []
        return
    if block.document == "docs/webhooks.md":
        # Its fields are those that tests/server/storage reads of stored events.
        assert shown["type"] in EVENT_TYPES
        assert set(shown) == {"type", "timestamp", "data"}
        assert set(shown["data"]) == names_in("server/storage/webhook_events.py", "_data")
        return
    if block.document == "docs/adapters.md":
        # A request to Attendee: it is to call what the adapter serves, and to tell what it takes.
        adapter = (ROOT / "clients/python/examples/adapters/attendee.py").read_text()
        (webhook,) = shown["webhooks"]
        called = [shown["websocket_settings"]["per_participant_audio"]["url"], webhook["url"]]
        assert all(f'Route("{urlsplit(url).path}'.replace("ADAPTER_TOKEN", "{token}") in adapter for url in called)
        assert all(f'trigger == "{trigger}"' in adapter for trigger in webhook["triggers"])
        return
    assert names_of(shown) - fields() == set()


@pytest.mark.parametrize("block", of("toml", "yaml", "yml", "proto", "sql", "mermaid"))
def test_data_of_other_kinds_is_read(block: Block, tmp_path: Path) -> None:
    if block.language == "toml" and "[[model]]" in block.text:
        # A digest that nobody can copy by mistake.
        (tmp_path / "own.toml").write_text(block.text.replace("...64 digits...", "0" * 64), encoding="utf-8")
        models, sets = read_listing(tmp_path / "own.toml")
        assert models
        assert sets
    elif block.language == "toml":
        tomllib.loads(block.text)
    elif block.language in ("yaml", "yml"):
        assert list(yaml.safe_load_all(block.text))
    elif block.language == "proto":
        written = " ".join(
            " ".join(path.read_text(encoding="utf-8").split()) for path in (ROOT / "proto").rglob("*.proto")
        )
        assert " ".join(block.text.split()) in written
    elif block.language == "sql":
        assert re.findall(r"CREATE ROLE (\w+)", block.text) == ["meetra_owner", "meetra_runtime"]


def names_of(value: Any) -> set[str]:
    """Return the names of all fields in a JSON value."""
    if isinstance(value, dict):
        return {*value, *(name for one in value.values() for name in names_of(one))}
    return {name for one in value for name in names_of(one)} if isinstance(value, list) else set()


def names_in(file: str, function: str) -> set[str]:
    """Return the texts that are keys of dictionaries in a function of ours."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    (found,) = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == function]
    keys = [key for node in ast.walk(found) if isinstance(node, ast.Dict) for key in node.keys]
    return {str(key.value) for key in keys if isinstance(key, ast.Constant)}


@cache
def fields() -> set[str]:
    """Return the names of all fields of the public protos, as JSON has them."""
    files = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "gen" / "meetra.binpb").read_bytes())
    return {
        field.json_name
        for file in files.file
        if file.package == "meetra.v1"
        for message in file.message_type
        for field in message.field
    }
