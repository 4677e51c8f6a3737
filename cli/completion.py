"""``meetra completion``: a script that completes the command line in a shell."""

from __future__ import annotations

import argparse

from argcomplete.shell_integration import shellcode

SHELLS = ("bash", "zsh", "fish")
EXAMPLES = """\
examples:
  eval "$(meetra completion bash)"      # also for zsh; in ~/.bashrc or ~/.zshrc
  meetra completion fish | source       # in ~/.config/fish/config.fish
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.formatter_class, command.epilog = argparse.RawDescriptionHelpFormatter, EXAMPLES
    command.add_argument("shell", choices=SHELLS)


async def run_completion(arguments: argparse.Namespace) -> int:
    """Print the script; return 0."""
    print(shellcode(["meetra"], shell=arguments.shell))
    return 0
