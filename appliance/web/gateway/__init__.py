"""The page of the gateway: what comes in, what was refused and why, how far everything is."""
