"""Composition: station, hub, journal, uplink, identity, config, web pages, CLI."""
