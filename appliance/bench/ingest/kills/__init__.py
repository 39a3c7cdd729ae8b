"""Real processes of a gateway killed, frozen and filled up, and the account of every reading."""
