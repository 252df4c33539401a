"""How often a film has brought down the process that worked on it: one immutable object in the store each."""

from __future__ import annotations

import json
import secrets

from facelib.project.store import Store

MOST_ATTEMPTS = 3
"""A film is set aside after so many."""


def add_attempt(store: Store, key: str, reason: str) -> int:
    """Write down how an attempt failed, such as `its process was killed by SIGKILL`; return how many there are now.

    Raises:
        OSError: When the store cannot be written.
    """
    content = json.dumps({"reason": reason, "token": secrets.token_hex(8)}).encode()
    return store.put_next(f"attempts/{key}/{{:03d}}.json", content)


def attempts(store: Store, key: str) -> list[str]:
    """Return the reasons of the attempts that failed, in order.

    Raises:
        OSError: When the store cannot be read.
    """
    return [str(json.loads(store.get(name))["reason"]) for name in store.find(f"attempts/{key}")]


def set_aside(store: Store, key: str) -> str:
    """Return why a film is set aside, with the remedy; empty where it may be tried (again).

    Raises:
        OSError: When the store cannot be read.
    """
    reasons = attempts(store, key)
    if len(reasons) < MOST_ATTEMPTS:
        return ""
    return (
        f"set aside after {len(reasons)} attempts, in the last of which {reasons[-1]}; convert the film with another "
        f"program, or give the workers more memory, and remove {store.address}/attempts/{key} to try it again"
    )
