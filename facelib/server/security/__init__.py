"""Who may do what: passwords, tokens, log-ins, scopes, and the audit."""

from facelib.server.security.callers import Caller, Scope
from facelib.server.security.secrets import digest_of, new_secret

__all__ = ["Caller", "Scope", "digest_of", "new_secret"]
