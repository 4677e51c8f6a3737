"""``meetra models``, run as a user runs it, against a hub on local sockets."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inference.catalogue.embedded import EMBEDDED
from tests.inference.catalogue.model_hub import COMMIT, ModelHub, Served, running_hub

pytestmark = pytest.mark.children

# What comes at all comes within it, on however busy a machine.
PATIENCE_S = 300
EARS, HEART = b"speech " * 100_000, b"feelings " * 50_000
CATALOGUE = f"""
[[model]]
name = "ears"
task = "speech recognition"
repository = "someone/ears"
revision = "{COMMIT}"
licence = "MIT"
commercial_use = true
format = "onnx"
backend = "onnx"
files = [
  {{ path = "encoder.onnx", sha256 = "{hashlib.sha256(EARS).hexdigest()}", size = {len(EARS)} }},
  {{ path = "vocab.txt" }},
]

[[model]]
name = "heart"
task = "emotions"
repository = "someone/heart"
licence = "CC-BY-NC-4.0"
commercial_use = false
format = "onnx"
backend = "onnx"
files = [{{ path = "model.onnx" }}]

[sets]
ours = ["ears", "heart"]
"""


def _hears_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Shell:
    """Runs the command with a models folder and a catalogue of its own."""

    def __init__(self, folder: Path, hub: ModelHub) -> None:
        self.hub, self.models = hub, folder / "models"
        (folder / "mine.toml").write_text(CATALOGUE)
        hub.add("someone/ears", "encoder.onnx", EARS)
        hub.add("someone/ears", "vocab.txt", b"a\nb\n", large=False)
        hub.add("someone/heart", "model.onnx", HEART)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("HF_", "MEETRA_"))},
            "MEETRA_MODELS_CATALOGUE": str(folder / "mine.toml"),
            "MEETRA_MODELS_DIR": str(self.models),
            "MEETRA_MODELS_HUB": hub.address,
            "NO_PROXY": "127.0.0.1",
        }

    def start(self, *arguments: str, meetra: bool = False, **environment: str) -> subprocess.Popen[str]:
        """Through ``meetra models``, or through what it starts, which is up sooner."""
        module = ["cli", "models"] if meetra else ["inference.catalogue"]
        return subprocess.Popen(
            [sys.executable, "-m", *module, *arguments],
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # As in a terminal, whoever runs the tests: programs in the background are often started deaf to Ctrl-C.
            preexec_fn=_hears_ctrl_c,
        )

    def run(self, *arguments: str, meetra: bool = False, **environment: str) -> tuple[int, str, str]:
        """The exit code, standard output and standard error."""
        process = self.start(*arguments, meetra=meetra, **environment)
        out, err = process.communicate(timeout=PATIENCE_S)
        return process.returncode, out, err

    def kept_of(self, file: str) -> int:
        """Bytes on disk of a file that is not whole."""
        return sum(part.stat().st_size for part in (self.models / ".parts").rglob(f"{file}.*"))


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with running_hub() as hub:
        yield Shell(tmp_path, hub)


def until_sent(hub: ModelHub, path: str) -> None:
    """Waits until bytes of a file are on their way."""
    while not hub.transfers(path):
        time.sleep(0.02)


@contextmanager
def held_half_way(served: Served) -> Iterator[threading.Event]:
    """The next transfer of a file stops at its half until the event is set, or the context ends."""
    hold = threading.Event()
    served.holds = [hold]
    try:
        yield hold
    finally:
        hold.set()


def until_said(process: subprocess.Popen[str], words: str) -> str:
    """Waits until a process has said something on its standard error; all that it said so far."""
    assert process.stderr is not None
    said = ""
    while words not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    return said


def test_a_set_is_pulled_and_the_line_that_switches_to_it_is_printed(shell: Shell) -> None:
    code, out, err = shell.run("pull", "ours", meetra=True)
    assert (code, out) == (0, "MEETRA_INFERENCE_MODELS=ours\n")
    assert "ears: downloaded 2 of 2 files, verified" in err
    assert "CC-BY-NC-4.0: forbids commercial use" in err
    assert (shell.models / "ears/encoder.onnx").read_bytes() == EARS
    assert (shell.models / "heart/model.onnx").read_bytes() == HEART
    code, out, err = shell.run("pull", "ours")
    assert (code, out) == (0, "MEETRA_INFERENCE_MODELS=ours\n")
    assert "ears: already installed, verified" in err
    assert [r.sent for r in shell.hub.transfers("encoder.onnx")] == [len(EARS)]


def test_one_model_that_fails_does_not_keep_the_others_away(shell: Shell) -> None:
    shell.hub.files["someone/ears", "encoder.onnx"].sent_instead = EARS[::-1]
    code, out, err = shell.run("pull", "ours")
    assert (code, out) == (1, "")
    assert "ears: someone/ears/encoder.onnx: received digest" in err
    assert "1 of 2 models are missing" in err
    assert not (shell.models / "ears").exists()
    assert (shell.models / "heart/model.onnx").read_bytes() == HEART


def test_a_killed_pull_goes_on_with_the_rest(shell: Shell) -> None:
    with held_half_way(shell.hub.files["someone/ears", "encoder.onnx"]):
        process = shell.start("pull", "ears")
        # Half of it comes, and all of that is on disk but for what a buffer may hold.
        while shell.kept_of("encoder.onnx") < len(EARS) // 2 - io.DEFAULT_BUFFER_SIZE:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE_S)
    kept = shell.kept_of("encoder.onnx")
    code, _, err = shell.run("pull", "ears")
    assert code == 0, err
    _, second = shell.hub.transfers("encoder.onnx")
    assert second.start == kept
    assert second.sent == len(EARS) - second.start
    assert shell.run("verify", "ears")[0] == 0


def test_ctrl_c_stops_at_once_and_says_how_to_go_on(shell: Shell) -> None:
    with held_half_way(shell.hub.files["someone/ears", "encoder.onnx"]):
        process = shell.start("pull", "ears", meetra=True)
        until_sent(shell.hub, "encoder.onnx")
        os.killpg(process.pid, signal.SIGINT)
        # It does not wait for the bytes, which do not come.
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "run the same command again to continue" in err
    assert "Traceback" not in err


def test_two_pulls_of_one_model_at_once_fetch_it_once(shell: Shell) -> None:
    with held_half_way(shell.hub.files["someone/ears", "encoder.onnx"]) as hold:
        first = shell.start("pull", "ears")
        until_sent(shell.hub, "encoder.onnx")
        second = shell.start("pull", "ears")
        until_said(second, "waiting for another process")
        hold.set()
        for process, words in ((first, "downloaded 2 of 2 files"), (second, "already installed")):
            _, err = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0, err
            assert words in err
    assert [r.sent for r in shell.hub.transfers("encoder.onnx")] == [len(EARS)]
    assert shell.run("verify", "ears")[0] == 0


def test_pulls_of_different_models_at_once_are_all_recorded(shell: Shell) -> None:
    running = [shell.start("pull", name) for name in ("ears", "heart")]
    for process in running:
        _, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, err
    assert set(json.loads((shell.models / "pulled.json").read_text())["models"]) == {"ears", "heart"}


def test_verify_hashes_everything_here_and_finds_a_flipped_bit(shell: Shell) -> None:
    assert shell.run("pull", "ours")[0] == 0
    code, out, _ = shell.run("verify")
    assert code == 0
    shipped = [entry.key for entry in EMBEDDED]
    assert out.splitlines() == [f"ok       {name}" for name in (*shipped, "ears", "heart")]
    path = shell.models / "heart/model.onnx"
    data = bytearray(path.read_bytes())
    data[1234] ^= 8
    path.write_bytes(data)
    code, out, _ = shell.run("verify")
    assert code == 1
    assert "ok       ears" in out
    assert "WRONG    heart: heart (emotions): " in out
    assert "run: meetra models pull heart" in out
    assert shell.run("verify", "heart", meetra=True)[0] == 1
    assert shell.run("verify", "ears")[0] == 0
    assert shell.run("pull", "heart")[0] == 0
    assert shell.run("verify")[0] == 0


def test_verify_of_a_named_model_that_is_not_here_fails(shell: Shell) -> None:
    code, out, _ = shell.run("verify", "ears")
    assert code == 1
    assert out.startswith("missing  ears")


def test_without_a_network_a_pull_says_what_is_missing_and_asks_nobody(shell: Shell) -> None:
    assert shell.run("pull", "ears")[0] == 0
    asked = len(shell.hub.requests)
    code, out, err = shell.run("pull", "ours", HF_HUB_OFFLINE="1")
    assert (code, out) == (1, "")
    assert "ears: installed, verified" in err
    assert "heart (?): heart (emotions) is missing" in err
    assert f"copy its models folder (each model's folder, and pulled.json) to {shell.models}" in err
    assert shell.run("pull", "ears", HF_HUB_OFFLINE="1")[0] == 0
    assert len(shell.hub.requests) == asked


def test_a_token_is_used_and_never_shown(shell: Shell) -> None:
    shell.hub.files["someone/heart", "model.onnx"].gated = True
    code, _, err = shell.run("pull", "heart")
    assert code == 1
    assert f"accept the terms at {shell.hub.address}/someone/heart and set HF_TOKEN" in err
    code, out, err = shell.run("pull", "heart", HF_TOKEN=shell.hub.token)
    assert code == 0
    assert shell.hub.token not in out + err + (shell.models / "pulled.json").read_text()


def test_list_says_what_is_known_and_what_is_here(shell: Shell) -> None:
    assert shell.run("pull", "ears")[0] == 0
    code, out, _ = shell.run("list", "--json")
    listed = json.loads(out)
    models = {model["key"]: model for model in listed["models"]}
    assert code == 0
    assert (models["ears"]["state"], models["heart"]["state"]) == ("here", "missing")
    assert models["silero-vad-6.2.3"]["state"] == "here"
    assert listed["sets"]["ours"] == ["ears", "heart"]
    assert models["ears"]["path"] == str(shell.models / "ears")
    code, out, _ = shell.run("list", "--task", "emotions")
    assert code == 0
    assert "heart" in out
    assert "NO commercial use" in out
    assert "silero" not in out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("pull", "nothing-of-the-kind"), "no model or set named 'nothing-of-the-kind'"),
        (("export", "nothing.nemo", "out"), "no file nothing.nemo, and no model of that name"),
        (("export", "ears", "out"), "run: meetra models pull ears"),
        (("pull", "ears", "--unheard-of"), "unrecognized arguments: --unheard-of"),
        (("list", "--task", "cooking"), "invalid choice"),
    ],
)
def test_a_mistake_is_said_in_one_line(shell: Shell, arguments: tuple[str, ...], complaint: str) -> None:
    code, _, err = shell.run(*arguments)
    assert code in (1, 2)
    assert complaint in err
    assert "Traceback" not in err


def test_help_names_all_commands_and_settings(shell: Shell) -> None:
    code, out, _ = shell.run("--help", meetra=True)
    assert code == 0
    for word in ("list", "pull", "verify", "export", "MEETRA_MODELS_DIR", "MEETRA_MODELS_HUB", "HF_TOKEN"):
        assert word in out
    assert "--trust-first-use" in shell.run("pull", "--help")[1]


def test_the_public_hubs_own_client_takes_our_hub_for_one(shell: Shell, tmp_path: Path) -> None:
    """What we test against answers as the real one: its client finds all it looks for."""
    pytest.importorskip("huggingface_hub")
    shell.hub.add("someone/ears", "secret.onnx", EARS, gated=True)
    script = """
import sys
from huggingface_hub import errors, get_hf_file_metadata, hf_hub_download, hf_hub_url
for name in ("encoder.onnx", "vocab.txt"):
    said = get_hf_file_metadata(hf_hub_url("someone/ears", name))
    print(name, said.commit_hash, said.etag, said.size)
    hf_hub_download("someone/ears", name, local_dir=sys.argv[1])
for name, refusal in (("secret.onnx", errors.GatedRepoError), ("none.onnx", errors.EntryNotFoundError)):
    try:
        hf_hub_download("someone/ears", name, local_dir=sys.argv[1], token=False)
    except refusal:
        print("refused", name)
"""
    environment = {"HF_ENDPOINT": shell.hub.address, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "fetched")],
        env={**shell.environment, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    words = b"a\nb\n"
    assert done.stdout.splitlines() == [
        f"encoder.onnx {COMMIT} {hashlib.sha256(EARS).hexdigest()} {len(EARS)}",
        f"vocab.txt {COMMIT} {hashlib.sha1(b'blob 4' + bytes(1) + words).hexdigest()} {len(words)}",
        "refused secret.onnx",
        "refused none.onnx",
    ]
    assert (tmp_path / "fetched/encoder.onnx").read_bytes() == EARS
