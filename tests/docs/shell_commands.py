"""What a command of the documents must have, without running it: the program, its options, files and settings."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import re
import shlex
from functools import cache
from pathlib import Path

from pydantic_settings import BaseSettings

import gateway.limits
import gateway.process_settings
import inference.config
import inference.ray.config
import server.config
from cli.__main__ import parser as meetra_parser
from inference.catalogue import catalogue
from inference.catalogue.__main__ import parser as models_parser
from tests.docs.code_blocks import without_comments
from tests.docs.test_links import ROOT

# Programs of others, which a reader has or installs.
OF_OTHERS = frozenset(
    "arecord awk cat chmod cp curl docker echo eval export ffmpeg grep head helm jq kubectl mkdir npm npx openssl pip"
    " python python3 ray sh sha256sum sleep tail tar".split()
)
SETTING = re.compile(r"\bMEETRA_[A-Z0-9_]+")


def problems(command: str) -> list[str]:
    """Return what is wrong with a command: programs, options, targets, modules and files that do not exist."""
    found = []
    for words in simple_commands(command):
        while words and re.fullmatch(r"[A-Za-z_]+=.*", words[0], re.DOTALL):
            words = words[1:]
        if words:
            found += _problems_of(words)
    return found


def simple_commands(command: str) -> list[list[str]]:
    """Return the simple commands of a line of shell, each as words: those of pipes, lists and substitutions."""
    inner: list[list[str]] = []

    def substitute(text: str) -> str:
        while (start := text.find("$(")) >= 0:
            end = _end_of_substitution(text, start + 2)
            inner.extend(simple_commands(text[start + 2 : end]))
            text = f"{text[:start]}SUBSTITUTED{text[end + 1 :]}"
        return text

    lexer = shlex.shlex(
        substitute(without_comments(command).replace("\\\n", " ")), posix=True, punctuation_chars="|&;<>"
    )
    lexer.whitespace_split, lexer.commenters = True, ""
    found: list[list[str]] = [[]]
    skip = False
    for word in lexer:
        if skip:
            skip = False
        elif word and set(word) <= set("<>"):
            skip = True  # the file of a redirection
        elif word and set(word) <= set("|&;"):
            found.append([])
        else:
            found[-1].append(word)
    return [words for words in found if words] + inner


def _end_of_substitution(text: str, start: int) -> int:
    depth, quoted = 1, False
    for position in range(start, len(text)):
        letter = text[position]
        if letter == "'":
            quoted = not quoted
        elif not quoted and letter in "()":
            depth += 1 if letter == "(" else -1
            if depth == 0:
                return position
    raise AssertionError(f"a substitution is not closed: {text}")


def _problems_of(words: list[str]) -> list[str]:
    program = words[0].removeprefix(".venv/bin/")
    if program == "meetra":
        return _meetra(words[1:])
    if program == "make":
        return _make(words[1:])
    if program in ("python", "python3") and words[1:2] == ["-m"]:
        return _module(words[2], words[3:])
    return [] if program in OF_OTHERS else [f"{program} is no program that readers have"]


def _meetra(arguments: list[str]) -> list[str]:
    if arguments[:1] == ["models"]:
        return _parsed(models_parser(), arguments[1:]) + _models(arguments[1:])
    return _parsed(meetra_parser(), arguments)


def mention_problems(mention: str) -> list[str]:
    """Return what is wrong with a command as prose mentions it: its subcommands and options."""
    words = re.findall(r"[\w.@/-]+", mention.removeprefix(".venv/bin/"))
    if words[0] == "make":
        return _make([word for word in words[1:2] if word.islower()])
    parser, names = meetra_parser(), words[1:]
    if names[:1] == ["models"]:
        parser, names = models_parser(), names[1:]
    while names and (choices := _subcommands(parser)):
        if names[0] not in choices:
            return [f"{mention}: no {names[0]}"] if names[0].islower() and names[0].isalpha() else []
        parser, names = choices[names[0]], names[1:]
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", mention))
    return [f"{mention}: no {option}" for option in options if option not in parser._option_string_actions]


def _subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _parsed(parser: argparse.ArgumentParser, arguments: list[str]) -> list[str]:
    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told), contextlib.redirect_stdout(told):
            parser.parse_args(arguments)
    except SystemExit as ended:
        if ended.code:
            return [told.getvalue().strip().splitlines()[-1]]
    return []


def _models(arguments: list[str]) -> list[str]:
    known = catalogue()
    named = [word for word in arguments[1:] if not word.startswith("-")] if arguments[:1] == ["pull"] else []
    return [f"no model {name}" for name in named if name != "NAME" and not known.find(name) and name not in known.sets]


def _make(arguments: list[str]) -> list[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = []
    for word in arguments:
        name, is_variable, value = word.partition("=")
        if not re.search(rf"^{re.escape(name)}( \?=|:.*##)", makefile, re.MULTILINE):
            found.append(f"make knows no {name}")
        elif is_variable and name == "TESTS" and not (ROOT / value.partition("::")[0]).exists():
            found.append(f"no {value}")
    return found


def _module(name: str, arguments: list[str]) -> list[str]:
    if importlib.util.find_spec(name) is None:
        return [f"no module {name}"]
    files = [word for word in arguments if re.match(r"(tests|requirements|sample|docs)/", word)]
    return [f"no {file}" for file in files if not Path(ROOT, file.partition("::")[0]).exists()]


def unknown_settings(text: str) -> list[str]:
    """Return the settings in a text that nothing of the product reads."""
    return [name for name in SETTING.findall(text) if name not in _settings()]


@cache
def _settings() -> frozenset[str]:
    """Return the settings of the processes, and the other variables that our sources name."""
    known = set()
    for module in (server.config, inference.config, inference.ray.config, gateway.limits, gateway.process_settings):
        for settings in vars(module).values():
            if isinstance(settings, type) and issubclass(settings, BaseSettings):
                prefix = settings.model_config.get("env_prefix", "")
                known |= {f"{prefix}{name.upper()}" for name in settings.model_fields}
    for folder in ("cli", "server", "inference", "gateway", "privacy", "clients", "tools", "tests/browser"):
        for path in (ROOT / folder).rglob("*.py"):
            known.update(SETTING.findall(path.read_text(encoding="utf-8")))
    return frozenset(known)
