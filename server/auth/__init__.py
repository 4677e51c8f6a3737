"""Authentication: passwords, tokens, roles, and the Caller of each call."""

from server.auth.accounts import Accounts
from server.auth.authenticator import Authenticator, find_user
from server.auth.caller import ApiKey, Caller, current_caller, set_caller
from server.auth.external_issuer import ExternalIssuer, ExternalToken, IssuerRules
from server.auth.issuer_keys import IssuerKeys
from server.auth.issuer_requests import fetch_json
from server.auth.keys import MAX_KEYS_OF_USER, Keys, new_secret
from server.auth.members import Members
from server.auth.passwords import Passwords, hash_password, password_matches
from server.auth.session_grants import SessionGrants
from server.auth.session_tokens import LISTEN, MAX_LIFETIME_S, SessionClaims, SessionTokens, sound_id
from server.auth.session_tokens import SCOPES as SESSION_SCOPES
from server.auth.throttle import LoginThrottle
from server.auth.token_keys import (
    KeySet,
    TokenKey,
    TokenKeys,
    UnusableTokenKeys,
    add_key,
    ensure_key,
    read_keys,
    remove_spent,
    revoke_key,
)
from server.auth.tokens import Tokens
from server.auth.user_watch import UserWatch

__all__ = [
    "Accounts",
    "ApiKey",
    "Authenticator",
    "Caller",
    "ExternalIssuer",
    "ExternalToken",
    "IssuerKeys",
    "IssuerRules",
    "KeySet",
    "Keys",
    "LoginThrottle",
    "MAX_KEYS_OF_USER",
    "MAX_LIFETIME_S",
    "Members",
    "Passwords",
    "LISTEN",
    "SESSION_SCOPES",
    "sound_id",
    "SessionClaims",
    "SessionGrants",
    "SessionTokens",
    "TokenKey",
    "TokenKeys",
    "Tokens",
    "UnusableTokenKeys",
    "UserWatch",
    "add_key",
    "current_caller",
    "ensure_key",
    "fetch_json",
    "find_user",
    "hash_password",
    "new_secret",
    "password_matches",
    "read_keys",
    "remove_spent",
    "revoke_key",
    "set_caller",
]
