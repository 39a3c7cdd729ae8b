"""VDA 5050 2.0, 2.1 and 3.0 as one set of types: topics, messages and their way over the wire."""
