"""Secrets: made, hashed and compared."""

from __future__ import annotations

import hashlib
import secrets
from functools import cache

from pwdlib import PasswordHash

TOKEN_PREFIX = "facelib_"
"""What an API token starts with, so that scanners for leaked secrets find it."""


def new_secret(prefix: str = "") -> str:
    """Return 256 bits of chance as text."""
    return prefix + secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """Return the SHA-256 of a text in hexadecimal digits: enough for 256 bits of chance, not for passwords."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def hash_password(password: str) -> str:
    """Return a password as Argon2 keeps it, with a salt of its own."""
    return _argon2().hash(password)


def is_password(password: str, kept: str | None) -> bool:
    """Return whether a password is the one kept; takes as long when there is none to compare with."""
    valid = _argon2().verify(password, kept or _of_nobody())
    return valid and kept is not None


@cache
def _argon2() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _of_nobody() -> str:
    return hash_password(new_secret())
