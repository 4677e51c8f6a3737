"""An OpenID Connect issuer over real HTTP: its description, its keys, and tokens that it signs."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

AUDIENCE = "meetra-of-example"
RSA = generate_private_key(65537, 2048)
OTHER_RSA = generate_private_key(65537, 2048)


def jwk(key_id: str, private: RSAPrivateKey = RSA, **changed: Any) -> dict[str, Any]:
    """The public half of a key."""
    return {**RSAAlgorithm.to_jwk(private.public_key(), as_dict=True), "kid": key_id, "use": "sig", **changed}


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A whole answer of HTTP."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass
class IdentityProvider:
    """The issuer; what it says may be changed while it runs."""

    port: int = 0
    keys: list[dict[str, Any]] = field(default_factory=lambda: [jwk("one")])
    asked: list[str] = field(default_factory=list)
    """Paths, in the order of the requests."""
    described: dict[str, Any] = field(default_factory=dict)
    """Changes of its description."""
    raw: dict[str, bytes] = field(default_factory=dict)
    """By path, whole answers in the place of its own; empty: none comes."""
    hosts: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The claim ``iss``."""
        return f"http://127.0.0.1:{self.port}/realm"

    @property
    def jwks_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/keys"

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Those of a good token, but for what is changed; None leaves a claim out."""
        now = int(time.time())
        good = {"iss": self.url, "aud": AUDIENCE, "sub": "248289761001", "iat": now, "exp": now + 300}
        good |= {"email": "a@example.org", "email_verified": True}
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    def token(
        self,
        private: RSAPrivateKey | Ed25519PrivateKey = RSA,
        algorithm: str = "RS256",
        key_id: str | None = "one",
        **changed: Any,
    ) -> str:
        """A token that it signed."""
        headers = {} if key_id is None else {"kid": key_id}
        # Without the checks of a library that signs honest tokens.
        return jwt.PyJWS().encode(json.dumps(self.claims(**changed)).encode(), private, algorithm, headers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = request.split()[1]
            self.asked.append(path)
            self.hosts += [line[6:] for line in request.splitlines() if line.lower().startswith("host: ")]
            if path in self.raw:
                raw = self.raw[path]
            elif path == "/realm/.well-known/openid-configuration":
                described = {"issuer": self.url, "jwks_uri": self.jwks_url, **self.described}
                raw = answer(json.dumps(described).encode())
            elif path == "/keys":
                raw = answer(json.dumps({"keys": self.keys}).encode())
            else:
                raw = answer(b"", "404 Not Found")
            if not raw:
                # Until the client has enough of it.
                await reader.read()
            writer.write(raw)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def running_issuer(tls: ssl.SSLContext | None = None) -> AsyncIterator[IdentityProvider]:
    """The issuer on 127.0.0.1."""
    issuer = IdentityProvider()
    server = await asyncio.start_server(issuer._serve, "127.0.0.1", 0, ssl=tls)
    issuer.port = server.sockets[0].getsockname()[1]
    try:
        yield issuer
    finally:
        server.close()
