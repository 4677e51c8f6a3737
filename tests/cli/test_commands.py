"""The table of commands, and the errors that end them: all there, and imported only where wanted."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from importlib import import_module

import pytest

from cli.commands import COMMANDS
from cli.home import NotRunning
from cli.refusals import REFUSALS, is_refusal

LOADED = "import sys; from cli.__main__ import parser; parser(sys.argv[1:]); print(*sys.modules)"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_table_says(name: str) -> None:
    assert inspect.iscoroutinefunction(COMMANDS[name].runner())
    assert callable(getattr(COMMANDS[name].load(), COMMANDS[name].arguments))


@pytest.mark.children
def test_what_is_not_named_is_not_imported() -> None:
    for words, wanted in (["--help"], set[str]()), (["tokens", "list"], {"cli.tokens"}):
        said = subprocess.run([sys.executable, "-c", LOADED, *words], capture_output=True, text=True, check=True).stdout
        modules = set(said.split())
        assert modules & {command.load().__name__ for command in COMMANDS.values()} == wanted
        assert wanted or not modules & {"asyncpg", "grpc", "numpy"}


@pytest.mark.children
def test_the_options_of_the_command_on_the_line_complete_it() -> None:
    line = "meetra completion ba"
    asked = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "COMP_LINE": line, "COMP_POINT": str(len(line))}
    program = "import os; os.dup2(1, 8); from cli.__main__ import main; main()"
    said = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "bash"


def test_errors_that_say_all_are_refusals_and_others_are_not() -> None:
    for module, names in REFUSALS.items():
        for name in names:
            error = getattr(import_module(module), name)
            assert is_refusal(error.__new__(error))
    assert is_refusal(NotRunning("nothing runs"))
    assert not is_refusal(ValueError("a defect"))
