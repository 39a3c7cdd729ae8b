"""Engines outside and their adapters: brokers, stores, child processes."""
