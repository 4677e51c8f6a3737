"""Envoy's own look at tokens: its filter ``jwt_authn``, in a file of its own, so that keys change while Envoy runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TOKEN_FILTER = "tokens"  # noqa: S105 - the filter's name
TOKEN_FILTER_TYPE = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"  # noqa: S105
# Of tokens, as server/auth/tokens.py writes it. The audience is the API's to check: Envoy would answer another one with
# 403, and the keys sign for no other.
ISSUER = "meetra"
# Methods that declare RIGHT_NO_TOKEN, and the call of load balancers.
WITHOUT_TOKEN = (
    "/meetra.v1.AuthService/Login",
    "/meetra.v1.AuthService/ListTokenKeys",
    "/grpc.health.v1.Health/Check",
)
# What clients send while they are answered. A refusal that comes before all is sent is lost on many clients of
# HTTP/1.1, the faster the more: here a bad token is taken away, and the API refuses.
STREAMED = ("/meetra.v1.LiveService/StreamMeeting", "/meetra.v1.MeetingService/UploadMeeting")
# All methods of ours; what is none of them ends at the last route.
OURS = "/meetra."
# Session tokens are a meeting's: they open these alone, and nothing else is opened by the provider of theirs.
SESSION_ISSUER = "meetra-session"
SESSION_TOKEN = r"Bearer ms_.*"  # noqa: S105 - what one looks like
SESSION_METHODS = (
    *(f"/meetra.v1.LiveService/{method}" for method in ("OpenMeeting", "SendAudio", "ControlMeeting", "WatchMeeting")),
    "/meetra.v1.PlaybackService/GetMeetingAudio",
)
# StreamMeeting over a WebSocket, which no transcoder gives another path.
SOCKET = r"/single-feature-api/live/socket/?"
# API keys are no JWTs, and the API's to look up.
API_KEY = r"Bearer mk_.*"
# As long as clocks of one machine may differ; Envoy's default is a minute.
CLOCK_SKEW_S = 1


def render_token_filter(jwks: Mapping[str, Any], *, others_too: bool = False) -> str:
    """Return the file that ``GatewaySettings.token_filter`` names, JSON.

    Args:
        jwks: the public keys, a JSON Web Key Set.
        others_too: whether tokens of other issuers pass, for the API to look at. One that claims to be ours and is not
            never does: it is taken away, and the API refuses the call.
    """
    ours = {
        "issuer": ISSUER,
        "local_jwks": {"inline_string": json.dumps(jwks)},
        "clock_skew_seconds": CLOCK_SKEW_S,
        # The API verifies it again.
        "forward": True,
        # What is wrong with a token, for refused_tokens.lua.
        "failed_status_in_metadata": "refused",
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
    }
    # Stripped of its prefix it is nobody's: the issuer is another.
    session = {
        **ours,
        "issuer": SESSION_ISSUER,
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer ms_"}],
    }
    required, of_session = {"provider_name": "meetra"}, {"provider_name": "session"}
    looked_at, session_looked_at = (
        {"requires_any": {"requirements": [provider, {"allow_missing_or_failed": {}}]}}
        for provider in (required, of_session)
    )
    page = [{"name": "authorization", "string_match": {"safe_regex": {"regex": SESSION_TOKEN}}}]
    socket = {"safe_regex": {"regex": SOCKET}}
    key = {"name": "authorization", "string_match": {"safe_regex": {"regex": API_KEY}}}
    rules: list[dict[str, Any]] = [
        *({"match": {"path": path}} for path in WITHOUT_TOKEN),
        {"match": {"prefix": "/", "headers": [key]}},
        *({"match": {"path": path, "headers": page}, "requires": of_session} for path in SESSION_METHODS),
        {"match": {**socket, "headers": page}, "requires": of_session},
        {"match": {"path": STREAMED[0], "headers": page}, "requires": session_looked_at},
        {"match": socket, "requires": looked_at if others_too else required},
        *({"match": {"path": path}, "requires": looked_at} for path in STREAMED),
        {"match": {"prefix": OURS}, "requires": looked_at if others_too else required},
    ]
    found = {
        "@type": TOKEN_FILTER_TYPE,
        "providers": {"meetra": ours, "session": session},
        "rules": rules,
        "bypass_cors_preflight": True,
        # No word about what is wrong with a token, as of the API.
        "strip_failure_response": True,
    }
    resource = {
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": TOKEN_FILTER,
        "typed_config": found,
    }
    return json.dumps({"resources": [resource]}, indent=1)
