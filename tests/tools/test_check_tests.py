"""What the check of tests finds, on a small tree; `make lint` runs it on ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.check_tests import has_logic, strays, untested

FUNCTION = "def f():\n    return 1\n"


def laid(root: Path, *paths: str, text: str = FUNCTION) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def test_a_module_needs_a_file_of_tests_named_after_it(tmp_path: Path) -> None:
    laid(tmp_path, "server/media/gain.py", "server/__main__.py", "clients/python/meetra_client/tracks.py")
    assert untested(tmp_path, {}) == [
        "server/__main__.py: no test of its own",
        "server/media/gain.py: no test of its own",
        "clients/python/meetra_client/tracks.py: no test of its own",
    ]
    laid(tmp_path, "tests/server/media/test_gain_levels.py", "tests/server/test_main.py")
    laid(tmp_path, "tests/clients/python/test_tracks.py")
    assert untested(tmp_path, {}) == []


@pytest.mark.parametrize("elsewhere", ["tests/server/test_gain.py", "tests/server/media/test_gains.py"])
def test_a_test_of_another_name_or_elsewhere_does_not_count(tmp_path: Path, elsewhere: str) -> None:
    laid(tmp_path, "server/media/gain.py", elsewhere)
    assert untested(tmp_path, {}) == ["server/media/gain.py: no test of its own"]


def test_another_test_counts_where_it_is_named_and_nothing_is_named_in_vain(tmp_path: Path) -> None:
    laid(tmp_path, "server/media/gain.py", "tests/server/media/test_track.py")
    assert untested(tmp_path, {"server/media/gain.py": "server/media/test_track.py"}) == []
    laid(tmp_path, "tests/server/media/test_gain.py")
    assert untested(tmp_path, {"server/media/gain.py": "server/media/test_no.py", "server/gone.py": "server"}) == [
        "server/media/gain.py: has a test of its own; TESTED_BY need not name another",
        "server/media/gain.py: tested by tests/server/media/test_no.py, which is not there",
        "server/gone.py: named in TESTED_BY, and not there",
    ]


@pytest.mark.parametrize(
    ("text", "logic"),
    [
        ("X = 1\n", False),
        ("from a import b\n", False),
        ("class A(Protocol):\n    def f(self): ...\n", False),
        ("class A(Exception):\n    code = 1\n", False),
        (FUNCTION, True),
        ("class A:\n    async def f(self): ...\n", True),
    ],
)
def test_functions_are_logic_and_protocols_are_none(tmp_path: Path, text: str, logic: bool) -> None:
    laid(tmp_path, "module.py", text=text)
    assert has_logic(tmp_path / "module.py") is logic


def test_a_file_of_tests_belongs_to_a_module_or_a_package(tmp_path: Path) -> None:
    laid(tmp_path, "server/media/gain.py", "server/media/__init__.py", "gateway/rest.lua")
    laid(tmp_path, "tests/server/media/test_gain.py", "tests/server/media/test_media_levels.py", text="")
    laid(tmp_path, "tests/gateway/test_rest.py", "tests/e2e/test_anything.py", text="")
    assert strays(tmp_path) == []
    laid(tmp_path, "tests/server/media/test_loudness.py", "tests/test_links.py", text="")
    assert strays(tmp_path) == [
        "tests/server/media/test_loudness.py: named after no module of server/media",
        "tests/test_links.py: named after no module of ours",
    ]
