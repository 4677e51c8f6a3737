"""Authentication: passwords, tokens, and the Caller of each call."""

from server.auth.authenticator import Authenticator
from server.auth.caller import Caller, current_caller, set_caller
from server.auth.passwords import Passwords, hash_password
from server.auth.tokens import Tokens

__all__ = [
    "Authenticator",
    "Caller",
    "Passwords",
    "Tokens",
    "current_caller",
    "hash_password",
    "set_caller",
]
