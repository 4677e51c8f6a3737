"""The page behind the gateway: open to everybody, with its own word on what may be kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.api import annotations_pb2

from server.api import page_files
from server.api.public_services import public_methods
from server.storage.pool import Database
from tests.gateway.running_gateway import PATIENCE_S, running_gateway
from tests.server.api.conftest import running_api
from tests.server.signing import KEYS

pytestmark = pytest.mark.system

HTML, SCRIPT = "<!doctype html><title>Meetra</title>", "console.log('meetra');" * 50


@pytest.fixture
async def page(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    built = tmp_path / "dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text(HTML)
    (built / "assets" / "index-4f1c.js").write_text(SCRIPT)
    monkeypatch.setattr(page_files, "PAGE", built)
    async with (
        running_api(owner, database, tmp_path / "audio") as api,
        running_gateway(tmp_path, api.port, keys=KEYS.current, api_http_port=api.http_port) as address,
        httpx.AsyncClient(base_url=f"http://{address}", timeout=PATIENCE_S) as http,
    ):
        yield http


async def test_the_page_needs_no_token_and_says_what_may_be_kept(page: httpx.AsyncClient) -> None:
    index, script = await page.get("/"), await page.get("/assets/index-4f1c.js", headers={"accept-encoding": "gzip"})
    assert (index.status_code, index.text, index.headers["cache-control"]) == (200, HTML, "no-store")
    assert index.headers["content-security-policy"] == page_files.POLICY
    assert (script.text, script.headers["content-encoding"]) == (SCRIPT, "gzip")
    assert script.headers["cache-control"] == page_files.FOR_EVER
    assert {answer.headers["x-content-type-options"] for answer in (index, script)} == {"nosniff"}
    assert all("server" not in answer.headers for answer in (index, script))


async def test_heads_have_no_bodies_and_the_length(page: httpx.AsyncClient) -> None:
    head = await page.head("/assets/index-4f1c.js")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0


async def test_addresses_of_the_page_are_not_those_of_the_api(page: httpx.AsyncClient) -> None:
    browser = {"accept": "text/html"}
    assert (await page.get("/meetings/4f1c", headers=browser)).text == HTML
    for path in ("/api/nothing", "/single-feature-api/nothing", "/.well-known/nothing", "/nowhere"):
        answer = await page.get(path, headers=browser if path != "/nowhere" else {})
        assert (answer.status_code, answer.json()) == (404, {"message": "Not found"}), path
    for path in ("/", "/meetings"):
        assert (await page.post(path)).status_code == 404


async def test_no_path_of_rest_is_the_page_s(page: httpx.AsyncClient) -> None:
    paths = {
        getattr(rule, rule.WhichOneof("pattern"))
        for method in public_methods()
        for rule in every_rule(method.GetOptions().Extensions[annotations_pb2.http])
    }
    assert len(paths) > 40
    for path in paths:
        answer = await page.get(path.replace("{", "").replace("}", ""), headers={"accept": "text/html"})
        assert answer.text != HTML, path


def every_rule(rule: Any) -> list[Any]:
    """A path of a method and its further ones."""
    return [rule, *rule.additional_bindings] if rule.WhichOneof("pattern") else []
