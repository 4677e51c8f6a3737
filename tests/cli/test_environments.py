"""The environment of each process: its settings, its secrets, and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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


@pytest.mark.parametrize("url", ["s3://bucket/a", "gs://bucket/a"])
def test_credentials_of_the_object_store_go_to_who_reads_it_and_those_of_other_clouds_to_nobody(url: str) -> None:
    store = {"MEETRA_AUDIO_STORE": url}
    clouds = {"AWS_SECRET_ACCESS_KEY": "a", "AWS_REGION": "x", "GOOGLE_SERVICE_ACCOUNT": "/g", "AZURE_CLIENT_ID": "z"}
    own = {name: value for name, value in clouds.items() if name.startswith("AWS_" if url[0] == "s" else "GOOGLE_")}
    for environment in (of_api, of_worker):
        assert environment({**PLAIN, **clouds, **store}) == {**PLAIN, **own, **store}
        assert environment({**PLAIN, **clouds, "MEETRA_AUDIO_STORE": "ftp://x"}).keys() & clouds.keys() == set()
    for environment in (of_tools, of_inference):
        assert environment({**PLAIN, **clouds, **store}) == PLAIN


def test_a_store_that_the_file_of_settings_names_gets_its_credentials(tmp_path: Path) -> None:
    (tmp_path / "meetra.toml").write_text('audio_store = "s3://bucket/a"\n')
    given = {"MEETRA_CONFIG": str(tmp_path / "meetra.toml"), "AWS_REGION": "x"}
    assert of_api(given) == given
    assert of_api({**given, "MEETRA_AUDIO_STORE": ""}).keys() == {"MEETRA_CONFIG", "MEETRA_AUDIO_STORE"}
