"""Passwords, tokens, and the interceptor that puts a Caller on every call."""

from server.auth.caller import Caller, current_caller
from server.auth.passwords import Passwords, hash_password
from server.auth.tokens import Tokens

__all__ = ["Caller", "Passwords", "Tokens", "current_caller", "hash_password"]
