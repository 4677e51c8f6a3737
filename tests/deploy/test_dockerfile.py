"""The images, as far as they can be known without building them: docs/deployment.md says what was built."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.deploy.images import PLACE, command, environment, last, lineage, locks, missing, modules, pinned, stages
from tests.deploy.programs import ROOT, program, run
from tests.docs.shell_commands import unknown_settings

IN_PIECES = ("gateway", "server", "inference-cpu", "inference-gpu")
SHIPPED = (*IN_PIECES, "meetra")
# Imported in functions, where it is installed: Ray, models of NeMo, and types.
OPTIONAL = frozenset({"ray", "torch", "nemo", "omegaconf", "lightning", "yaml", "_typeshed"})
# The gateway's configuration is a room of the server's commands; Envoy, which it runs, is only in the gateway. The
# module of ONNX Runtime has two packages: test_the_image_for_a_gpu_differs_in_onnx_runtime_and_cuda_alone.
ELSEWHERE = {"server": frozenset({"envoy"}), "inference-gpu": frozenset({"onnxruntime"})}


def test_the_linter_finds_nothing() -> None:
    linted = run(program("hadolint"), "Dockerfile")
    assert (linted.returncode, linted.stdout) == (0, "")


def test_what_is_built_without_a_target_is_all_of_it() -> None:
    assert list(stages())[-1] == "meetra"
    assert command("meetra") == [
        ".venv/bin/meetra", "up", "--data", "/data", "--host", "0.0.0.0", "--port", "8080"
    ]  # fmt: skip


def test_everything_is_made_from_one_image_that_cannot_change() -> None:
    for name in stages():
        assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-trixie@sha256:[0-9a-f]{64}", lineage(name)[0].base), name


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_image_runs_as_nobody_in_particular_and_says_how_it_is(name: str) -> None:
    assert last(name, "USER") == "1000:1000"
    assert last(name, "HEALTHCHECK")
    assert all(word.isprintable() for word in command(name))
    steps = [step for stage in lineage(name) for step in stage.instructions]
    # What was installed to build it lies in other stages.
    assert not [value for instruction, value in steps if re.search(r"apt-get|pip install|make ", value)]
    assert not [value for instruction, value in steps if instruction == "ADD"]


@pytest.mark.parametrize("name", stages())
def test_what_is_copied_is_there(name: str) -> None:
    ignored = [
        line.removeprefix("**/")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith(("#", "!"))
    ]
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for copy in stages()[name].copies:
        if copy.stage:
            assert copy.stage in stages()
            made = [source.removeprefix(PLACE) for source in copy.sources]
            assert all(source.startswith(PLACE) or source == PLACE[:-1] for source in copy.sources)
            assert all(part in ("/opt/meetra", "gen", "web/dist") or part.startswith(".venv") for part in made), made
            continue
        for source in copy.sources:
            assert (ROOT / source).exists(), source
            assert source in kept or not any(fnmatch(source, pattern) for pattern in ignored), source


def test_no_image_gets_history_secrets_or_what_is_made_here() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    made = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line.startswith("/")}
    below = {path for path in made if path.startswith("deploy/")}
    assert {*made, ".git", "deploy", "tests"} - below <= set(ignored)


@pytest.mark.parametrize("name", IN_PIECES)
def test_what_an_image_imports_is_in_it(name: str) -> None:
    assert missing(name, OPTIONAL | ELSEWHERE.get(name, frozenset())) == []


@pytest.mark.parametrize("name", IN_PIECES)
def test_what_it_runs_is_a_program_of_ours(name: str) -> None:
    interpreter, flag, module, *_ = command(name)
    assert (interpreter, flag) == ("python", "-m")
    assert importlib.util.find_spec(f"{module}.__main__")
    assert f"{module}/__main__.py" in {str(path) for path in modules(name)}
    assert unknown_settings(" ".join(environment(name))) == []


@pytest.mark.parametrize("name", ["gateway", "server", "inference-cpu"])
def test_an_image_has_the_versions_of_the_whole(name: str) -> None:
    whole = {**pinned("requirements/runtime.txt"), **pinned("requirements/models.txt")}
    whole |= pinned("requirements/onnx-asr.txt")
    for lock in locks(name):
        assert {package: versions for package, versions in pinned(lock).items() if versions != whole.get(package)} == {}


def test_the_image_for_a_gpu_differs_in_onnx_runtime_and_cuda_alone() -> None:
    cpu, gpu = pinned("requirements/inference-cpu.txt"), pinned("requirements/inference-gpu.txt")
    assert set(cpu) - set(gpu) == {"onnxruntime"}
    added = set(gpu) - set(cpu)
    assert "onnxruntime-gpu" in added
    assert all(package == "onnxruntime-gpu" or package.startswith("nvidia-") for package in added)
    assert {package: versions for package, versions in cpu.items() if versions != gpu.get(package)} == {
        "onnxruntime": cpu["onnxruntime"]
    }
    # Of CTranslate2, and of ONNX Runtime.
    assert {"nvidia-cublas-cu12", "nvidia-cublas", "nvidia-cudnn-cu13"} <= added


def test_checks_of_health_are_commands_that_an_image_has() -> None:
    for name in SHIPPED:
        checked = json.loads(last(name, "HEALTHCHECK").partition(" CMD ")[2])
        asked = " ".join(checked)
        assert "python" in asked
        if "-m health" in asked and name != "meetra":
            assert "health/__main__.py" in {str(path) for path in modules(name)}
    script = json.loads(last("gateway", "HEALTHCHECK").partition(" CMD ")[2])[2]
    compile(script, "healthcheck", "exec")
    assert environment("gateway")["MEETRA_GATEWAY_PROBE_PORT"] in script


def test_the_command_of_the_image_is_a_script_that_shells_accept() -> None:
    (made,) = [value for value in stages()["server"].values("RUN") if "/usr/local/bin/meetra" in value]
    (text,) = re.findall(r"printf '(.*?)' >", made)
    script = text.replace("\\n", "\n")
    assert script == '#!/bin/sh\nexec python -m cli "$@"\n'
    assert Path("cli/__main__.py") in modules("server")
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
