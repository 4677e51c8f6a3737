"""Arguments of the ``meetra`` command, and who is asked with them."""

from __future__ import annotations

import pytest

from cli.__main__ import parser
from cli.commands import COMMANDS


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["analyze"],
        ["analyze", "a.wav", "--channels", "some"],
        ["stream", "a.wav", "--speed", "-1"],
        ["analyze", "a.wav", "--speakers", "9999999999"],
        ["stream", "a.wav", "--speakers", "-1"],
        ["stream", "-", "--rate", "99999999999999999999"],
        ["stream", "-", "--channels", "1_0"],
        ["stream", "a.wav", "--drop-every", "inf"],
        ["up", "--port", "web"],
        ["up", "--cors-origin", "https://*"],
        ["up", "--apis", "0"],
        ["users", "remove", "a@example.org"],
        ["users", "role", "a@example.org"],
        ["users", "add", "a@example.org", "--role", "king"],
        ["users", "add"],
        ["report"],
        ["report", "yesterday"],
        ["export", "latest"],
        ["meetings", "list", "--limit", "-1"],
        ["completion", "tcsh"],
        ["organizations", "Demo", "--stored-bytes", "much"],
    ],
)
def test_what_is_no_command_is_refused_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        parser().parse_args(arguments)
    assert raised.value.code == 2
    assert "usage: meetra" in capsys.readouterr().err


def test_every_command_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit) as raised:
            parser([command]).parse_args([command, "--help"])
        assert raised.value.code == 0
        assert f"usage: meetra {command}" in capsys.readouterr().out


def test_options_that_may_be_given_again_are_all_kept() -> None:
    given = parser().parse_args(["stream", "a", "--key-terms", "Ada, Grace", "--key-terms", "Meetra"])
    assert given.key_terms == ["Ada, Grace", "Meetra"]
    assert (given.mic, given.speed, given.participant) == (None, 1.0, [])
    assert parser().parse_args(["stream", "--mic"]).mic == ""
    assert parser().parse_args(["up", "--cors-origin", "https://a", "--cors-origin", "https://b"]).cors_origin == [
        "https://a",
        "https://b",
    ]
