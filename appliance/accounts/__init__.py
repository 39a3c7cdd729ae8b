"""Local accounts: people, roles, sessions, API tokens. No default password, no way around."""
