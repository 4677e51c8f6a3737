"""The environment of each process: its settings, its secrets, and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cli.environments import of_api, of_inference, of_tools, of_worker

PLAIN = {"PATH": "/bin", "HOME": "/root", "LANG": "C", "TZ": "UTC", "LD_LIBRARY_PATH": "/lib"}
TRACES = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", "OTEL_TRACES_SAMPLER_ARG": "0.1"}
OUR_PROGRAMS = {"PYTHONPATH": "/here", "MALLOC_ARENA_MAX": "2", "GRPC_VERBOSITY": "NONE", **TRACES}
MODELS = {"CUDA_VISIBLE_DEVICES": "0", "MEETRA_INFERENCE_DEVICE": "cpu", "MEETRA_MODELS_DIR": "/m", "ORT_X": "1"}
SERVER = {"MEETRA_LEASE_S": "3", "meetra_poll_s": "2", "MEETRA_CONFIG": "/c", "MEETRA_DATABASE_URL": "postgresql://x"}
SUMMARIES = {"MEETRA_SUMMARY_KEY": "sk-1", "MEETRA_SUMMARY_URL": "http://x/v1", "HTTPS_PROXY": "http://u:p@proxy"}
TOKENS = {"MEETRA_TOKEN_KEYS": "/keys", "MEETRA_TOKEN_TTL_S": "60"}
OF_OTHERS = {
    "AWS_SECRET_ACCESS_KEY": "a",
    "HF_TOKEN": "b",
    "GITHUB_TOKEN": "c",
    "NVIDIA_API_KEY": "d",
    "MEETRA_PASSWORD": "e",
    "MEETRA_TOKEN": "f",
    "MEETRA_DATABASE_OWNER_URL": "postgresql://owner",
    "MEETRA_TLS_KEY": "/key.pem",
    "PGPASSWORD": "g",
    # Of an inference server on another machine, not of the one beside it.
    "MEETRA_INFERENCE_TLS_CERTIFICATE": "/inference.pem",
    "MEETRA_INFERENCE_TLS_CLIENT_CA": "/clients.pem",
    "MEETRA_INFERENCE_CA": "/ca.pem",
    "MEETRA_INFERENCE_CLIENT_KEY": "/client.key",
    "SSH_AUTH_SOCK": "/run/ssh",
    # A collector beside the system has what the one behind it wants.
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer h",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "authorization=Bearer i",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY": "/otlp.key",
}
CALLER = {**PLAIN, **OUR_PROGRAMS, **MODELS, **SERVER, **SUMMARIES, **TOKENS, **OF_OTHERS}


@pytest.mark.parametrize(
    ("environment", "given"),
    [
        (of_tools, PLAIN),
        (of_inference, {**PLAIN, **OUR_PROGRAMS, **MODELS}),
        (of_worker, {**PLAIN, **OUR_PROGRAMS, **SERVER, **SUMMARIES}),
        (of_api, {**PLAIN, **OUR_PROGRAMS, **SERVER, **SUMMARIES, **TOKENS}),
    ],
)
def test_each_is_given_what_its_program_reads(
    environment: Callable[[dict[str, str]], dict[str, str]], given: dict[str, str]
) -> None:
    assert environment(CALLER) == given
