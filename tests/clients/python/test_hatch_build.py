"""The client's wheel stands alone: it is built in a clean checkout, brings the generated code, and needs no server."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.clients.python.stranger import build_wheel, clean_checkout, install
from tests.recordings import ROOT

pytestmark = pytest.mark.children

CLIENT = ROOT / "clients" / "python"
IMPORTED = """
import importlib, pkgutil
import meetra, meetra.v1, meetra_client, meetra_client.sync
for package in (meetra.v1, meetra_client):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
for absent in ("server", "cli", "meetra.inference", "numpy"):
    try:
        importlib.import_module(absent)
    except ModuleNotFoundError:
        continue
    raise SystemExit(f"{absent} is there")
print(meetra_client.__file__, meetra.v1.__file__, meetra.__file__, sep="\\n")
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clean_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(checkout, tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(wheel, tmp_path_factory.mktemp("stranger") / "environment")


def test_a_clean_checkout_has_no_generated_code(checkout: Path) -> None:
    assert not list(checkout.parents[1].rglob("*_pb2.py"))


def test_the_wheel_holds_the_client_and_the_public_messages_with_their_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    protos = [path.stem for path in (ROOT / "proto" / "meetra" / "v1").glob("*.proto")]
    for ending in ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi"):
        assert {f"meetra/v1/{name}{ending}" for name in protos} <= names
    assert {"meetra_client/py.typed", "meetra/v1/py.typed", "meetra/v1/__init__.py"} <= names
    assert {name.split("/")[0] for name in names} == {"meetra", "meetra_client", "meetra_client-0.1.0.dist-info"}
    assert "meetra/__init__.py" not in names, "the server's own `meetra` may lie beside it"
    assert not [name for name in names if name.startswith("meetra/") and not name.startswith("meetra/v1/")]


def test_every_module_is_imported_with_nothing_but_what_it_depends_on(python: Path) -> None:
    told = subprocess.run([python, "-I", "-c", IMPORTED], check=False, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr + told.stdout
    client, messages, namespace = told.stdout.splitlines()
    assert Path(client).is_relative_to(python.parents[1])
    assert Path(messages).is_relative_to(python.parents[1])
    assert namespace == "None"


def test_an_unpacked_sdist_makes_the_same_wheel(checkout: Path, wheel: Path, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(build, cwd=checkout, check=True, capture_output=True)
    (archive,) = tmp_path.glob("meetra_client-*.tar.gz")
    with tarfile.open(archive) as packed:
        # Python 3.11 has filters from 3.11.4 on.
        packed.extraction_filter = getattr(tarfile, "data_filter", None)
        packed.extractall(tmp_path)
    again = build_wheel(tmp_path / archive.name.removesuffix(".tar.gz"), tmp_path / "wheels")
    first, second = (
        {name: archive.read(name) for name in archive.namelist()}
        for archive in (zipfile.ZipFile(wheel), zipfile.ZipFile(again))
    )
    assert first == second


def test_a_type_checker_finds_the_types_and_the_examples_pass_it(python: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    lines = ("from meetra_client.sync import MeetraClient", "client = MeetraClient()", "client.upload(5)")
    wrong.write_text("\n".join((*lines, "client.insights.balances")))
    mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(python), "--cache-dir", str(tmp_path)]
    for path in sorted((CLIENT / "examples").glob("*.py")):
        told = subprocess.run([*mypy, path], cwd=tmp_path, check=False, capture_output=True, text=True)
        assert told.returncode == 0, told.stdout + told.stderr
    told = subprocess.run([*mypy, wrong], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert 'wrong.py:3: error: Argument 1 has incompatible type "int"' in told.stdout
    assert 'wrong.py:4: error: "BlockingInsights" has no attribute "balances"' in told.stdout


def test_what_is_depended_on_is_what_the_generated_code_wants(wheel: Path) -> None:
    described = tomllib.loads((CLIENT / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"grpcio-tools=={version('grpcio-tools')}" in described["build-system"]["requires"]
    assert f"mypy-protobuf=={version('mypy-protobuf')}" in described["build-system"]["requires"]
    packed = zipfile.ZipFile(wheel)
    stub, messages = (packed.read(f"meetra/v1/live_{kind}.py").decode() for kind in ("pb2_grpc", "pb2"))
    wanted = {
        "grpcio": re.search(r"GRPC_GENERATED_VERSION = '(.+)'", stub),
        "protobuf": re.search(r"Protobuf Python Version: (.+)", messages),
    }
    for name, found in wanted.items():
        assert found is not None
        assert f"{name}>={found[1]}" in described["project"]["dependencies"]
