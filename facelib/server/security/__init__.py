"""Who may do what: passwords, tokens, log-ins, scopes, and the audit."""
