"""The environment of each process: what its program reads, the secrets that it needs, and nothing else."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from server.config import ApiSettings, ServerSettings
from server.store_url import check_store_url, credentials_prefix

# What any program needs to find its files and to tell the time.
EVERYWHERE = frozenset(
    "PATH HOME LANG LANGUAGE LC_ALL LC_CTYPE LOCALE_ARCHIVE TZ TZDIR TMPDIR LD_LIBRARY_PATH LD_PRELOAD"
    " DYLD_LIBRARY_PATH VIRTUAL_ENV".split()
)
# Python, memory and gRPC of our own programs.
OUR_PREFIXES = ("PYTHON", "MALLOC_", "GRPC_")
# Where traces go, and how (docs/observability.md). Not what may be a secret: a collector beside the system has it.
TRACES, TRACES_SECRET = "OTEL_", ("HEADERS", "KEY")
# The way to the endpoint for summaries. The address of a proxy may hold a password.
TO_THE_OUTSIDE = frozenset(
    "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy SSL_CERT_FILE"
    " SSL_CERT_DIR".split()
)
MODEL_PREFIXES = (
    "MEETRA_INFERENCE_ MEETRA_MODELS_ XDG_CACHE_ CUDA_ NVIDIA_ CUDNN_ CUBLAS_ TENSORRT_ ORT_ CT2_ OMP_ OPENBLAS_ MKL_"
    " KMP_ TORCH_ TORCHINDUCTOR_ TRITON_ PYTORCH_ NEMO_ NUMBA_"
).split()
# Of an inference server on another machine; the one that ``meetra up`` starts is reached over the loopback address.
OF_OTHER_MACHINES = frozenset(
    "MEETRA_INFERENCE_TLS_CERTIFICATE MEETRA_INFERENCE_TLS_KEY MEETRA_INFERENCE_TLS_CLIENT_CA MEETRA_INFERENCE_CA"
    " MEETRA_INFERENCE_CLIENT_CERTIFICATE MEETRA_INFERENCE_CLIENT_KEY".split()
)
# Names such as NVIDIA_API_KEY: no model that is loaded from a disk needs one.
SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")

STORE = "MEETRA_AUDIO_STORE"

Environment = Mapping[str, str]


def of_tools(caller: Environment = os.environ) -> dict[str, str]:
    """Return the environment of PostgreSQL, of its tools, and of Envoy.

    Args:
        caller: the environment of the command, which may hold secrets of anybody.
    """
    return {name: value for name, value in caller.items() if name in EVERYWHERE}


def of_api(caller: Environment = os.environ) -> dict[str, str]:
    """Return the environment of the API, without what ``meetra up`` sets for it."""
    return _of_server(ApiSettings, caller)


def of_worker(caller: Environment = os.environ) -> dict[str, str]:
    """Return the environment of the worker, without what ``meetra up`` sets for it. It has no key of tokens."""
    return _of_server(ServerSettings, caller)


def of_inference(caller: Environment = os.environ) -> dict[str, str]:
    """Return the environment of the inference server, without what ``meetra up`` sets for it. It has no secret."""
    tuning = {
        name: value
        for name, value in caller.items()
        if name.startswith(tuple(MODEL_PREFIXES))
        and name not in OF_OTHER_MACHINES
        and not any(part in name.upper() for part in SECRET_NAMES)
    }
    return {**_of_ours(caller), **tuning}


def _of_server(settings: type[ServerSettings], caller: Environment) -> dict[str, str]:
    read = {f"{settings.model_config['env_prefix']}{name.upper()}" for name in settings.model_fields}
    read -= OF_OTHER_MACHINES
    names = read | {"MEETRA_CONFIG"} | TO_THE_OUTSIDE
    # The settings of the environment are read in any case.
    return {
        **_of_ours(caller),
        **of_store(caller),
        **{n: value for n, value in caller.items() if n in names or n.upper() in read},
    }


def of_store(caller: Environment = os.environ) -> dict[str, str]:
    """Return the variables that the library of the object store reads, credentials among them; none without a store."""
    try:
        url = check_store_url(_store_url(caller))
    except (OSError, ValueError):
        # The server says what is wrong with its settings.
        return {}
    prefix = credentials_prefix(url) if url else None
    return {n: value for n, value in caller.items() if prefix and n.upper().startswith(prefix)}


def _store_url(caller: Environment) -> str:
    given = {name.upper(): value for name, value in caller.items()}
    if STORE in given:
        return given[STORE]
    path = given.get("MEETRA_CONFIG")
    return str(tomllib.loads(Path(path).read_text(encoding="utf-8")).get("audio_store", "")) if path else ""


def _of_ours(caller: Environment) -> dict[str, str]:
    ours = {name: value for name, value in caller.items() if name.startswith(OUR_PREFIXES)}
    traces = {
        name: value
        for name, value in caller.items()
        if name.startswith(TRACES) and not any(part in name for part in TRACES_SECRET)
    }
    return {**of_tools(caller), **ours, **traces}
