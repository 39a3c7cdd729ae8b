"""Vehicles that are none, with faults on request: for tests, the bench and the demo."""
