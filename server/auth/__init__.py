"""Authentication: passwords, tokens, roles, and the Caller of each call."""

from server.auth.accounts import Accounts
from server.auth.authenticator import Authenticator
from server.auth.caller import Caller, current_caller, set_caller
from server.auth.members import Members
from server.auth.passwords import Passwords, hash_password, password_matches
from server.auth.throttle import LoginThrottle
from server.auth.tokens import Tokens
from server.auth.user_watch import UserWatch

__all__ = [
    "Accounts",
    "Authenticator",
    "Caller",
    "LoginThrottle",
    "Members",
    "Passwords",
    "Tokens",
    "UserWatch",
    "current_caller",
    "hash_password",
    "password_matches",
    "set_caller",
]
