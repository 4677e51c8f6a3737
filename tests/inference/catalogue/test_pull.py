"""Pulling models from a hub on local sockets, which fails as networks and hubs do."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inference.catalogue.entry import ModelFile, PublishedModel
from inference.catalogue.hub import ATTEMPTS, AccessRefused, Hub, HubUnreachable, NotAtHub, PullFailed
from inference.catalogue.local import check_published, read_record
from inference.catalogue.pull import PARTS, DigestUnknown, NoSpaceLeft, WrongBytes, pull
from inference.models import ModelCorrupt, ModelMissing
from tests.inference.catalogue.model_hub import COMMIT, ModelHub, running_hub

REPOSITORY = "someone/a-model"
WEIGHTS = bytes(range(256)) * 4096
WORDS = b'{"words": ["yes", "no"]}'


@pytest.fixture
def hub() -> Iterator[ModelHub]:
    with running_hub() as running:
        yield running


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def model(*files: ModelFile, **fields: Any) -> PublishedModel:
    known = {
        "name": "a-model",
        "task": "emotions",
        "licence": "MIT",
        "commercial_use": True,
        "format": "onnx",
        "repository": REPOSITORY,
        "revision": COMMIT,
        "files": files or (ModelFile(path="onnx/model.onnx", sha256=sha256(WEIGHTS), size=len(WEIGHTS)),),
    }
    return PublishedModel(**{**known, **fields})


def fetch(hub: ModelHub, folder: Path, entry: PublishedModel, **options: Any) -> list[str]:
    token, timeout_s = options.pop("token", None), options.pop("timeout_s", 5.0)
    with Hub(hub.address, token, timeout_s, first_pause_s=0.01) as asked:
        return pull(entry, asked, folder, options.pop("report", lambda *_: None), **options)


def left_behind(folder: Path) -> list[str]:
    """All files in a models folder but locks and the record."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".lock", ".json")
    )


def test_a_pulled_model_is_whole_recorded_and_not_fetched_again(hub: ModelHub, tmp_path: Path) -> None:
    hub.add(REPOSITORY, "onnx/model.onnx", WEIGHTS)
    hub.add(REPOSITORY, "words.json", WORDS, large=False)
    entry = model(ModelFile(path="onnx/model.onnx"), ModelFile(path="words.json"), revision="main")
    told: list[tuple[str, int, int]] = []
    assert fetch(hub, tmp_path, entry, report=lambda *at: told.append(at)) == ["onnx/model.onnx", "words.json"]
    assert (tmp_path / "a-model/onnx/model.onnx").read_bytes() == WEIGHTS
    assert check_published(entry, tmp_path) == {"onnx/model.onnx": sha256(WEIGHTS), "words.json": sha256(WORDS)}
    assert told[0] == ("onnx/model.onnx", 0, len(WEIGHTS))
    assert ("onnx/model.onnx", len(WEIGHTS), len(WEIGHTS)) in told
    recorded = read_record(tmp_path)["a-model"]
    assert recorded["words.json"].sha256 == sha256(WORDS)
    assert {file.stated_by for file in recorded.values()} == {"hub"}
    # All of it came from the commit the branch stood at.
    assert {r.path.split("/")[-3] for r in hub.transfers("model.onnx")} == {COMMIT}
    asked = len(hub.requests)
    assert fetch(hub, tmp_path, entry) == []
    assert len(hub.requests) == asked
    assert left_behind(tmp_path) == ["a-model/onnx/model.onnx"]


def test_a_cut_download_goes_on_with_the_rest_alone(hub: ModelHub, tmp_path: Path) -> None:
    hub.add(REPOSITORY, "onnx/model.onnx", WEIGHTS, cuts=[300_000, 500_000])
    fetch(hub, tmp_path, model())
    transfers = hub.transfers("model.onnx")
    assert [t.start for t in transfers] == [0, 300_000, 800_000]
    assert sum(t.sent for t in transfers) == len(WEIGHTS)
    assert check_published(model(), tmp_path) == {"onnx/model.onnx": sha256(WEIGHTS)}


def test_a_later_pull_goes_on_where_one_that_gave_up_stopped(hub: ModelHub, tmp_path: Path) -> None:
    served = hub.add(REPOSITORY, "onnx/model.onnx", WEIGHTS, cuts=[400_000, *[0] * ATTEMPTS])
    with pytest.raises(HubUnreachable, match="the downloaded part is kept"):
        fetch(hub, tmp_path, model())
    assert not (tmp_path / "a-model").exists()
    with pytest.raises(ModelMissing, match="meetra models pull a-model"):
        check_published(model(), tmp_path)
    served.cuts.clear()
    fetch(hub, tmp_path, model())
    assert [(t.start, t.sent) for t in hub.transfers("model.onnx")] == [
        (0, 400_000),
        (400_000, len(WEIGHTS) - 400_000),
    ]
    check_published(model(), tmp_path)


def test_a_hub_without_ranges_sends_all_again(hub: ModelHub, tmp_path: Path) -> None:
    hub.add(REPOSITORY, "onnx/model.onnx", WEIGHTS, cuts=[300_000], knows_ranges=False)
    fetch(hub, tmp_path, model())
    assert [t.sent for t in hub.transfers("model.onnx")] == [300_000, len(WEIGHTS)]
    check_published(model(), tmp_path)


def test_silence_counts_as_cut_and_a_busy_hub_is_asked_again(hub: ModelHub, tmp_path: Path) -> None:
    hub.add(REPOSITORY, "onnx/model.onnx", WEIGHTS, stalls_s=[1.5], statuses=[503, 429])
    fetch(hub, tmp_path, model(), timeout_s=0.5)
    assert hub.transfers("model.onnx")[-1].start >= len(WEIGHTS) // 2
    check_published(model(), tmp_path)


@pytest.mark.parametrize("large", [True, False])
def test_wrong_bytes_are_removed_and_named(hub: ModelHub, tmp_path: Path, large: bool) -> None:
    wrong = b"x" + WEIGHTS[1:]
    hub.add(REPOSITORY, "onnx/model.onnx", WEIGHTS, sent_instead=wrong, large=large)
    for entry in (model(), model(ModelFile(path="onnx/model.onnx"))):
        with pytest.raises(WrongBytes, match=r"onnx/model\.onnx.*removed"):
            fetch(hub, tmp_path, entry)
        assert left_behind(tmp_path) == []
        assert read_record(tmp_path) == {}


@pytest.mark.parametrize("states_size", [True, False])
def test_no_byte_more_than_announced_is_kept(hub: ModelHub, tmp_path: Path, states_size: bool) -> None:
    hub.add(REPOSITORY, "onnx/model.onnx", WEIGHTS, sent_instead=WEIGHTS * 2, states_size=states_size)
    with pytest.raises(WrongBytes, match="announced"):
        fetch(hub, tmp_path, model())
    assert sum(path.stat().st_size for path in (tmp_path / PARTS).rglob("*") if path.is_file()) == 0


def test_a_hub_that_holds_another_file_than_the_catalogue_is_refused_before_any_byte(
    hub: ModelHub, tmp_path: Path
) -> None:
    hub.add(REPOSITORY, "onnx/model.onnx", WEIGHTS)
    with pytest.raises(WrongBytes, match="the hub states SHA-256"):
        fetch(hub, tmp_path, model(ModelFile(path="onnx/model.onnx", sha256=sha256(WORDS))))
    with pytest.raises(WrongBytes, match=f"states {len(WEIGHTS)} bytes, the catalogue 7"):
        fetch(hub, tmp_path, model(ModelFile(path="onnx/model.onnx", size=7)))
    assert hub.transfers("model.onnx") == []


def test_a_digest_nobody_states_needs_trust_and_binds_from_then_on(hub: ModelHub, tmp_path: Path) -> None:
    served = hub.add(REPOSITORY, "onnx/model.onnx", WEIGHTS, states_digest=False)
    entry = model(ModelFile(path="onnx/model.onnx"))
    with pytest.raises(DigestUnknown, match="--trust-first-use"):
        fetch(hub, tmp_path, entry)
    assert left_behind(tmp_path) == []
    fetch(hub, tmp_path, entry, trust_first_use=True)
    assert read_record(tmp_path)["a-model"]["onnx/model.onnx"].stated_by == "first use"
    assert check_published(entry, tmp_path) == {"onnx/model.onnx": sha256(WEIGHTS)}
    served.sent_instead = WEIGHTS[::-1]
    (tmp_path / "a-model/onnx/model.onnx").unlink()
    with pytest.raises(WrongBytes, match="first use"):
        fetch(hub, tmp_path, entry, trust_first_use=True)


def test_a_size_nobody_states_stops_the_pull(hub: ModelHub, tmp_path: Path) -> None:
    hub.add(REPOSITORY, "onnx/model.onnx", WEIGHTS, states_size=False)
    with pytest.raises(PullFailed, match="states its size"):
        fetch(hub, tmp_path, model(ModelFile(path="onnx/model.onnx", sha256=sha256(WEIGHTS))))


def test_terms_to_accept_are_named_and_the_token_goes_to_the_hub_alone(
    hub: ModelHub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hub.add(REPOSITORY, "onnx/model.onnx", WEIGHTS, gated=True, cuts=[1000])
    with pytest.raises(AccessRefused, match=f"accept the terms at {hub.address}/{REPOSITORY} and set HF_TOKEN"):
        fetch(hub, tmp_path, model())
    with pytest.raises(AccessRefused, match="with the account of HF_TOKEN") as refused:
        fetch(hub, tmp_path, model(), token="not-the-right-one")
    assert "not-the-right-one" not in str(refused.value)
    fetch(hub, tmp_path, model(), token=hub.token)
    check_published(model(), tmp_path)
    assert {r.authorization for r in hub.requests if r.host == "storage"} == {""}
    assert hub.token not in caplog.text


def test_what_the_hub_does_not_have_is_named(hub: ModelHub, tmp_path: Path) -> None:
    with pytest.raises(NotAtHub, match=rf"no {REPOSITORY}/onnx/model.onnx at revision {COMMIT}"):
        fetch(hub, tmp_path, model())
    assert len(hub.requests) == 1


def test_no_hub_at_all_is_said_with_what_to_check(tmp_path: Path) -> None:
    with running_hub() as gone:
        pass
    with pytest.raises(HubUnreachable, match="MEETRA_MODELS_HUB"):
        fetch(gone, tmp_path, model())
    for address in ("not an address", "ftp://127.0.0.1", "https://[::"):
        with pytest.raises(PullFailed, match="MEETRA_MODELS_HUB"):
            Hub(address, None)


@pytest.mark.parametrize("place", ["ftp://127.0.0.1/model.onnx", "file:///etc/passwd"])
def test_a_redirect_to_anywhere_but_the_web_is_not_followed(hub: ModelHub, tmp_path: Path, place: str) -> None:
    hub.add(REPOSITORY, "onnx/model.onnx", WEIGHTS, redirect_to=place)
    with pytest.raises(PullFailed, match="redirects"):
        fetch(hub, tmp_path, model())
    assert len(hub.requests) == 1


def test_a_redirect_in_circles_ends(hub: ModelHub, tmp_path: Path) -> None:
    hub.add(REPOSITORY, "onnx/model.onnx", WEIGHTS, redirect_to=f"/{REPOSITORY}/resolve/{COMMIT}/onnx/model.onnx")
    with pytest.raises(PullFailed, match="more than"):
        fetch(hub, tmp_path, model())
    assert len(hub.requests) < 10


def test_a_full_disk_is_seen_before_it_is_full(hub: ModelHub, tmp_path: Path) -> None:
    size = shutil.disk_usage(tmp_path).total * 2
    with pytest.raises(NoSpaceLeft, match="MEETRA_MODELS_DIR"):
        fetch(hub, tmp_path, model(ModelFile(path="onnx/model.onnx", sha256=sha256(WEIGHTS), size=size)))
    assert hub.requests == []


def test_https_is_never_left_for_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    pem, key = tmp_path / "hub.pem", tmp_path / "key.pem"
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=hub -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*make.split(), "-keyout", str(key), "-out", str(pem)], check=True, capture_output=True)
    pem.write_text(pem.read_text() + key.read_text())
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with running_hub() as plain, running_hub(pem) as safe:
        plain.add(REPOSITORY, "onnx/model.onnx", WEIGHTS)
        served = safe.add(REPOSITORY, "onnx/model.onnx", WEIGHTS)
        served.redirect_to = f"{plain.address}/stored/{REPOSITORY}/{COMMIT}/onnx/model.onnx"
        with pytest.raises(PullFailed, match="from https to http"):
            fetch(safe, tmp_path / "models", model())
        assert plain.requests == []
        served.redirect_to = ""
        fetch(safe, tmp_path / "models", model())
        check_published(model(), tmp_path / "models")


def test_a_record_that_is_none_is_refused(hub: ModelHub, tmp_path: Path) -> None:
    hub.add(REPOSITORY, "onnx/model.onnx", WEIGHTS)
    for text in ("", "[]", '{"models": 3}', json.dumps({"models": {"a-model": {"files": {"x": {"sha256": "y"}}}}})):
        (tmp_path / "pulled.json").write_text(text)
        with pytest.raises(ModelCorrupt, match=r"pulled\.json"):
            fetch(hub, tmp_path, model())
