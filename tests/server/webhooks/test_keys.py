"""Secrets of webhooks are encrypted, each for one webhook, with keys of a closed file."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from privacy import UnsafeFile, write_private
from server.webhooks import UnusableWebhookKeys, WebhookKeys, new_webhook_secret

FIRST, SECOND = "A" * 43, secrets.token_urlsafe(32)


def test_a_new_secret_is_one_of_the_specification() -> None:
    one, other = new_webhook_secret(), new_webhook_secret()
    assert one != other
    assert one.startswith("whsec_")
    assert len(base64.b64decode(one.removeprefix("whsec_"), validate=True)) == 32
    Webhook(one)


def test_a_secret_is_opened_for_its_webhook_alone() -> None:
    keys, id_ = WebhookKeys([FIRST]), uuid4()
    sealed = keys.seal(id_, "whsec_abc")
    assert b"abc" not in sealed
    assert keys.open(id_, sealed) == "whsec_abc"
    with pytest.raises(UnusableWebhookKeys, match="another webhook's"):
        keys.open(uuid4(), sealed)
    with pytest.raises(UnusableWebhookKeys, match="no key"):
        WebhookKeys([SECOND]).open(id_, sealed)


def test_the_first_key_encrypts_and_all_decrypt(tmp_path: Path) -> None:
    file, id_ = tmp_path / "keys", uuid4()
    write_private(file, FIRST + "\n")
    old = WebhookKeys.read(file).seal(id_, "old")
    write_private(file, f"{SECOND}\n{FIRST}=\n")
    both = WebhookKeys.read(file)
    assert both.open(id_, old) == "old"
    assert WebhookKeys([SECOND]).open(id_, both.seal(id_, "new")) == "new"


@pytest.mark.parametrize(
    "text", ["", "short", "!" * 43, FIRST + " x"], ids=["none", "short", "no base64", "one is none"]
)
def test_a_file_without_keys_is_named(tmp_path: Path, text: str) -> None:
    write_private(tmp_path / "keys", text)
    with pytest.raises(UnusableWebhookKeys, match=r"keys: .*32 random bytes") as raised:
        WebhookKeys.read(tmp_path / "keys")
    assert not text or text not in str(raised.value)


def test_a_file_that_is_missing_or_a_link_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableWebhookKeys, match="does not exist"):
        WebhookKeys.read(tmp_path / "keys")
    write_private(tmp_path / "others", FIRST)
    (tmp_path / "keys").symlink_to(tmp_path / "others")
    with pytest.raises(UnsafeFile):
        WebhookKeys.read(tmp_path / "keys")
