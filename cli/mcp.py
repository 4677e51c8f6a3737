"""``meetra mcp``: the tools for an assistant on this machine, over its standard input and output."""

from __future__ import annotations

import argparse
import logging
from importlib.metadata import version
from typing import Any

from google.protobuf.message import Message

from cli.account import add_account_arguments, client_of, resolve_account
from meetra_client import MeetraError

EXAMPLES = """\
An assistant starts it, with your own rights; such as in the settings of its MCP servers:

  {"mcpServers": {"meetra": {"command": "meetra", "args": ["mcp"],
                             "env": {"MEETRA_URL": "https://...", "MEETRA_TOKEN": "..."}}}}

An API key with the scope `read` is the token to give it.
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.formatter_class, command.epilog = argparse.RawDescriptionHelpFormatter, EXAMPLES
    add_account_arguments(command)


async def run_mcp(arguments: argparse.Namespace) -> int:
    """Serve until the input ends; return 0. Raises NotRunning, BadAddress, MeetraError."""
    # Here, not above: every other command would wait for the protocol's library to load.
    from server.mcp import CallFailed, build_tools

    # Standard output is the assistant's alone; what goes wrong in a tool is told there.
    logging.getLogger("mcp").setLevel(logging.ERROR)
    async with client_of(resolve_account(arguments)) as client:

        async def call(stub: Any, method: str, message: Message) -> Any:
            try:
                return await getattr(client.stub(stub), method)(message)
            except MeetraError as error:
                raise CallFailed(str(error)) from None

        await build_tools(version("meetra"), lambda _: call).run_stdio_async()
    return 0
