"""Tools for assistants, after the Model Context Protocol: calls of the public API that only read."""

from server.mcp.calls import CallApi, CallFailed
from server.mcp.tools import build_tools

__all__ = ["CallApi", "CallFailed", "build_tools"]
