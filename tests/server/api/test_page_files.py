"""The page's files: what is asked for is looked up by name, and nothing else of the disk is ever read."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from server.api.page_files import FOR_EVER, page_routes, read_page

HTML, SCRIPT = "<!doctype html><title>Meetra</title>", "console.log('meetra');" * 50
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(HTML)
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "assets" / "index-4f1c.js").write_text(SCRIPT)
    (tmp_path / "secret.txt").write_text("secret")
    app = Starlette(routes=page_routes(read_page(folder)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as http:
        yield http


async def test_the_page_is_at_its_root_and_at_each_of_its_own_addresses(page: httpx.AsyncClient) -> None:
    for path in ("/", "/meetings", "/meetings/4f1c/words"):
        answer = await page.get(path, headers=BROWSER)
        assert (answer.status_code, answer.text) == (200, HTML), path
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]


async def test_files_with_a_hash_are_kept_and_others_are_not(page: httpx.AsyncClient) -> None:
    script, icon = await page.get("/assets/index-4f1c.js"), await page.get("/icon.svg")
    assert (script.text, script.headers["cache-control"]) == (SCRIPT, FOR_EVER)
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert (icon.headers["content-type"], icon.headers["cache-control"]) == ("image/svg+xml", "no-store")
    head = await page.head("/assets/index-4f1c.js")
    assert (head.status_code, head.content) == (200, b"")


async def test_what_is_large_is_packed_for_who_takes_it(page: httpx.AsyncClient) -> None:
    path = "/assets/index-4f1c.js"
    packed = await page.get(path, headers={"accept-encoding": "gzip, br"})
    plain = await page.get(path, headers={"accept-encoding": "identity"})
    assert (packed.headers["content-encoding"], packed.text) == ("gzip", SCRIPT)
    assert int(packed.headers["content-length"]) == len(gzip.compress(SCRIPT.encode(), mtime=0))
    assert "content-encoding" not in plain.headers
    assert packed.headers["vary"] == plain.headers["vary"] == "accept-encoding"


async def test_nothing_else_is_there(page: httpx.AsyncClient) -> None:
    for path in ("/nowhere", "/assets/gone.js", "/../secret.txt", "/%2e%2e/secret.txt", "/assets/../../secret.txt"):
        answer = await page.get(path)
        assert (answer.status_code, answer.json()) == (404, {"message": "Not found"}), path
    # An old page that asks for a script of its build must not be given a page as one.
    gone = await page.get("/assets/gone.js", headers=BROWSER)
    assert (gone.status_code, gone.headers["x-http-code"]) == (404, "404")


def test_without_a_build_there_is_no_page(tmp_path: Path) -> None:
    assert read_page(tmp_path / "dist") == {}
