"""Which pages may call: patterns of origins, against names that resemble them."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from gateway import NoOrigin, parse_origin
from gateway.origins import origin_regex
from tests.gateway.running_gateway import running_gateway

WILDCARD = "https://*.example.com"
THEIRS = ("https://app.example.com", "https://a-b.example.com", "https://7.example.com", "https://x_1.example.com")
TRICKS = (
    "https://example.com",
    "https://.example.com",
    "https://example.com.evil.com",
    "https://app.example.com.evil.com",
    "https://evil.com/.example.com",
    "https://evil.com#.example.com",
    "https://evil.com?.example.com",
    "https://evil.com:443.example.com",
    "https://evil.com@app.example.com",
    "https://evilexample.com",
    "https://appXexample.com",
    "https://app.example.com:8443",
    "https://app.example.com:443",
    "https://app.example.com/",
    "https://app.example.com.",
    "https://a.b.example.com",
    "https://-.example.com",
    "http://app.example.com",
    "https://app.example.comX",
    "XXhttps://app.example.com",
    "https://app.example.com https://evil.com",
    "https://*.example.com",
    "null",
)


def test_what_is_an_origin_is_taken_in_lower_case() -> None:
    for text in (
        "*",
        "https://app.example",
        "http://localhost:3000",
        "HTTPS://*.Example.COM",
        "https://*.localhost:81",
    ):
        assert parse_origin(text) == text.lower()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "app.example",
        "https://",
        "https://app.example/",
        "https://app.example/x",
        "https://*",
        "https://*.com",
        "https://*example.com",
        "https://a.*.example.com",
        "https://*.*.example.com",
        "https://app.example:0",
        "https://app.example:99999",
        "https://app.example:*",
        "https://app..example",
        "https://-app.example",
        "https://app.example\n",
        "ftp://app.example",
        "https://us er.example",
        "https://app.example|.*",
        "**",
    ],
    ids=str,
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(NoOrigin):
        parse_origin(text)


def test_a_pattern_matches_what_it_says_and_nothing_like_it() -> None:
    assert re.fullmatch(origin_regex("https://app.example"), "https://app.example")
    for other in ("https://app-example", "https://xapp.example", "https://app.example:443", "https://app.example.evil"):
        assert not re.fullmatch(origin_regex("https://app.example"), other)
    pattern = re.compile(origin_regex(WILDCARD))
    assert [origin for origin in THEIRS if not pattern.fullmatch(origin)] == []
    assert [origin for origin in TRICKS if pattern.fullmatch(origin)] == []


@pytest.mark.system
async def test_envoy_allows_those_alone(tmp_path: Path) -> None:
    async with (
        running_gateway(tmp_path, 9, cors_origins=(WILDCARD, "http://localhost:3000")) as address,
        httpx.AsyncClient(base_url=f"http://{address}", timeout=300) as http,
    ):
        for origin in (*THEIRS, "http://localhost:3000", *TRICKS, "http://localhost:3001"):
            asked = {"origin": origin, "access-control-request-method": "GET"}
            answers = [
                await http.options("/single-feature-api/meetings", headers=asked),
                await http.get("/single-feature-api/meetings", headers={"origin": origin}),
            ]
            allowed = origin in (*THEIRS, "http://localhost:3000")
            for answer in answers:
                assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None), origin


@pytest.mark.system
async def test_a_star_allows_every_page(tmp_path: Path) -> None:
    async with (
        running_gateway(tmp_path, 9, cors_origins=("*",)) as address,
        httpx.AsyncClient(base_url=f"http://{address}", timeout=300) as http,
    ):
        for origin in ("https://anything.example:8443", "null", "http://localhost"):
            answer = await http.get("/single-feature-api/meetings", headers={"origin": origin})
            assert answer.headers["access-control-allow-origin"] == origin
            # Tokens are sent in headers, never as cookies.
            assert "access-control-allow-credentials" not in answer.headers
