"""The device journal: append-only, hash-chained, signed, durable before it is acknowledged."""
