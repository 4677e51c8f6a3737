"""An external issuer by configuration: its tokens work through the gateway, in REST and gRPC, beside ours."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import jwt
import pytest
from meetra.v1 import meetings_pb2, meetings_pb2_grpc

from server.auth import read_keys
from tests.e2e.conftest import Rest, System, start_system
from tests.server.identity_provider import AUDIENCE, OTHER_RSA, RSA, IdentityProvider, jwk, running_issuer

LISTED = "/single-feature-api/meetings"


@pytest.fixture(scope="module")
def issuer() -> Iterator[IdentityProvider]:
    """In a thread of its own: the tests here are no coroutines."""
    started: list[IdentityProvider] = []
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with running_issuer() as running:
            started.append(running)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(60)
    yield started[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def system(issuer: IdentityProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    settings = {
        "MEETRA_OIDC_ISSUER": issuer.url,
        "MEETRA_OIDC_AUDIENCE": AUDIENCE,
        "MEETRA_OIDC_PRIVATE_NETWORK": "true",
        "MEETRA_OIDC_ORGANIZATION": "Demo",
        "MEETRA_OIDC_NEW_USER_ROLE": "reader",
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in settings.items():
            environment.setenv(name, value)
        running = start_system(tmp_path_factory.mktemp("issuer") / "data")
    yield running
    assert running.stop() == 0


def test_a_user_of_the_issuer_works_and_can_do_what_their_role_may(system: System, issuer: IdentityProvider) -> None:
    rest = Rest(system.gateway, issuer.token(email="new@example.org"))
    assert rest.get(LISTED).status_code == 200
    # A reader, whatever the token says.
    assert rest.upload(b"RIFF").status_code == 403
    assert "new@example.org  Demo  reader" in " ".join(system.meetra("users", "list").stdout.split(" "))
    with grpc.insecure_channel(system.gateway.removeprefix("http://")) as channel:
        stub = meetings_pb2_grpc.MeetingServiceStub(channel)
        metadata = (("authorization", f"Bearer {rest.token}"),)
        stub.ListMeetings(meetings_pb2.ListMeetingsRequest(), metadata=metadata, timeout=60)
    ours = Rest(system.gateway, issuer.token(email=system.email))
    assert ours.get("/api/users").status_code == 200
    assert (ours.get("/api/me").json()["role"], rest.get("/api/me").json()["rights"]) == (
        "owner",
        ["RIGHT_ACCOUNT", "RIGHT_READ"],
    )
    made = ours.http.post("/api/keys", json={"name": "a bot", "scopes": ["read"]}).json()
    assert Rest(system.gateway, made["secret"]).get(LISTED).status_code == 200
    assert ours.http.post("/api/logout", json={"everywhere": False}).json() == {}
    assert ours.get(LISTED).status_code == 401
    assert system.login().get(LISTED).status_code == 200


def test_tokens_that_are_no_good_are_401_whoever_they_claim_to_be_of(system: System, issuer: IdentityProvider) -> None:
    (key,) = read_keys(system.data / "secrets" / "token-keys").keys
    ours = jwt.decode(system.login().token, options={"verify_signature": False})
    now = int(time.time())
    bad: dict[str, Any] = {
        "none": None,
        "of another key": issuer.token(OTHER_RSA),
        "of an unknown key": issuer.token(key_id="another"),
        "for another audience": issuer.token(aud="another"),
        "expired": issuer.token(exp=now - 3600),
        "not yet": issuer.token(nbf=now + 3600),
        "of an unverified address": issuer.token(email_verified=False),
        "of a third issuer": issuer.token(iss="https://elsewhere.example"),
        "ours, signed by them": jwt.encode(ours, RSA, "RS256", {"kid": "one"}),
        "ours, signed by them under our id": jwt.encode(ours, RSA, "RS256", {"kid": key.key_id}),
        "theirs, signed by us": jwt.encode(issuer.claims(), key.private, "EdDSA", {"kid": key.key_id}),
        "without a signature": jwt.encode(issuer.claims(), "", "none", {"kid": "one"}),
    }
    for name, token in bad.items():
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        answer = httpx.get(f"{system.gateway}{LISTED}", headers=headers, timeout=60)
        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"}), name


def test_the_issuer_s_keys_go_on_while_it_is_away(system: System, issuer: IdentityProvider) -> None:
    assert Rest(system.gateway, issuer.token(email="new@example.org")).get(LISTED).status_code == 200
    issuer.raw["/realm/.well-known/openid-configuration"] = issuer.raw["/keys"] = b"\n"
    issuer.keys = [jwk("two", OTHER_RSA)]
    assert Rest(system.gateway, issuer.token(email="new@example.org")).get(LISTED).status_code == 200
    log = (system.data / "logs" / "api.log").read_text()
    assert "example.org" not in log
    assert "tokens of the external issuer are refused: " in log
