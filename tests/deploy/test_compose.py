"""The compose file: as Docker Compose itself reads it, with the settings and images that there are."""

from __future__ import annotations

import functools
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.database_roles import OWNER, RUNTIME
from cli.free_port import free_port
from cli.postgres import STOP_SIGNAL, PostgresServer, binaries
from server.config import ApiSettings, MigrationSettings
from server.storage import Database, check_access, migrate
from tests.deploy.images import environment, stages
from tests.deploy.programs import ROOT, program, run
from tests.docs.shell_commands import unknown_settings

COMPOSE = ROOT / "deploy" / "compose"
FORMS = {"plain": (), "tls": ("compose.tls.yaml",), "gpu": ("compose.gpu.yaml",)}
OURS = {"migrate", "keys", "api", "worker", "inference", "gateway"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with secrets."""
    folder = tmp_path_factory.mktemp("checkout") / "deploy" / "compose"
    shutil.copytree(COMPOSE, folder, ignore=shutil.ignore_patterns("secrets", "settings.env"))
    for _ in range(2):
        subprocess.run(["sh", folder / "make-secrets.sh"], check=True, capture_output=True)
    (folder / "settings.env").write_text("MEETRA_LOG_LEVEL=DEBUG\n")
    return folder


@functools.cache
def read(folder: Path, form: str) -> dict[str, Any]:
    """Return the compose file of a form as Compose understands it. Fails where Compose refuses it."""
    files: list[str | Path] = ["--file", folder / "compose.yaml"]
    for name in FORMS[form]:
        files += ["--file", folder / name]
    done = run(program("docker-compose"), *files, "config")
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr.lower(), done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


@pytest.mark.parametrize("form", FORMS)
def test_compose_takes_it_and_every_part_is_one_of_ours(form: str, folder: Path) -> None:
    services = read(folder, form)["services"]
    assert set(services) == OURS | {"postgres"}
    assert "@sha256:" in services["postgres"]["image"]
    for name in OURS:
        service, target = services[name], services[name]["build"]["target"]
        assert service["image"] == f"meetra-{target}"
        assert target in stages()
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert unknown_settings(" ".join(service.get("environment", {}))) == []
    # Only the gateway can be reached, and nothing that holds data reaches the world.
    assert [name for name, service in services.items() if "ports" in service] == ["gateway"]
    assert {name for name, service in services.items() if "outside" in service.get("networks", {})} == {
        "api", "worker", "gateway"
    }  # fmt: skip
    for service in services.values():
        for waited in service.get("depends_on", {}):
            assert waited in services


def test_parts_find_each_other_and_have_what_they_must_be_given(folder: Path) -> None:
    services = read(folder, "plain")["services"]
    api = {**environment("server"), **services["api"]["environment"]}
    assert set(services["api"]["environment"]) == set(services["worker"]["environment"])
    host, port = api["MEETRA_INFERENCE_ADDRESS"].split(":")
    assert host in services
    assert environment("inference-cpu")["MEETRA_INFERENCE_LISTEN"] == f"0.0.0.0:{port}"
    assert services["gateway"]["environment"]["MEETRA_GATEWAY_API_HOST"] == "api"
    assert services["api"]["environment"]["MEETRA_LOG_LEVEL"] == "DEBUG"
    needed = {f"MEETRA_{name.upper()}" for name, field in ApiSettings.model_fields.items() if field.is_required()}
    assert needed - set(api) == {"MEETRA_DATABASE_URL"}
    # Of files, and in no environment.
    for name, settings in (("api", "runtime.toml"), ("worker", "runtime.toml"), ("migrate", "owner.toml")):
        assert services[name]["environment"]["MEETRA_CONFIG"] == f"/run/secrets/{settings}"
        assert [secret["source"] for secret in services[name]["secrets"]] == [settings]


def test_secrets_are_files_that_nobody_else_here_gets_at(folder: Path) -> None:
    made = folder / "secrets"
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    declared = read(folder, "plain")["secrets"]
    assert {Path(secret["file"]).name for secret in declared.values()} == {path.name for path in made.iterdir()}
    # Whoever owns them here, user 1000 of a container reads them.
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.iterdir()} == {0o444}
    passwords = {(made / f"{role}-password").read_text() for role in ("postgres", "owner", "runtime")}
    assert [len(password) for password in passwords] == [32, 32, 32]
    rendered = yaml.safe_dump(read(folder, "plain"))
    assert not [password for password in passwords if password in rendered]


def test_the_certificate_is_served_where_others_reach_it(folder: Path) -> None:
    gateway = read(folder, "tls")["services"]["gateway"]
    mounted = {secret["target"] for secret in gateway["secrets"]}
    assert {gateway["environment"][f"MEETRA_TLS_{name}"] for name in ("CERTIFICATE", "KEY")} == mounted
    assert [(port["published"], port.get("host_ip")) for port in gateway["ports"]] == [("443", None)]


def test_the_scripts_of_containers_are_ones_that_shells_accept(folder: Path) -> None:
    (script,) = read(folder, "plain")["services"]["keys"]["command"]
    for text in (script, (COMPOSE / "make-secrets.sh").read_text()):
        assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0


@pytest.mark.database
async def test_the_database_is_made_for_the_settings_that_the_parts_read(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = PostgresServer(tmp_path / "data", free_port(), "of a superuser")
    server.ensure_initialised()
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([*server.command(), "-c", "fsync=off"], stdout=log, stderr=log)
    try:
        superuser = await Database.connect(server.url())
        await superuser.close()
        psql = [str(binaries() / "psql"), "--no-psqlrc", "--quiet", "--no-password"]
        subprocess.run([*psql, server.url(), "-c", "CREATE DATABASE meetra"], check=True)
        sql = (COMPOSE / "postgres" / "roles.sql").read_text().replace("/run/secrets", str(folder / "secrets"))
        url = server.url().rpartition("/")[0] + "/meetra"
        subprocess.run([*psql, url], input=sql, text=True, check=True, env={**os.environ, "PGOPTIONS": ""})
        here = f"127.0.0.1:{server.port}"
        urls = {}
        for role in ("owner", "runtime"):
            config = tmp_path / f"{role}.toml"
            config.write_text((folder / "secrets" / f"{role}.toml").read_text().replace("postgres:5432", here))
            monkeypatch.setenv("MEETRA_CONFIG", str(config))
            monkeypatch.delenv("MEETRA_DATABASE_OWNER_URL", raising=False)
            if role == "owner":
                urls[role] = MigrationSettings().database_owner_url.get_secret_value()
            else:
                given: dict[str, Any] = {"audio_dir": tmp_path, "token_keys": tmp_path}
                urls[role] = ApiSettings(**given).database_url.get_secret_value()
        assert OWNER in urls["owner"]
        assert RUNTIME in urls["runtime"]
        assert await migrate(urls["owner"])
        runtime = await Database.connect(urls["runtime"])
        await runtime.run(check_access)
        await runtime.close()
    finally:
        process.send_signal(STOP_SIGNAL)
        process.wait(timeout=300)
