"""The fleet view's memory: where places stand, how journeys went, and what the map shows now."""
