"""Endpoints in processes of their own, before the one durable path (ADR 0030).

    sensors -> front (MQTT, TLS; a process a core) -> back (the gateway: rules, segments) -> front -> PUBACK

`front` keeps nothing that a kill could lose: what it handed over and was not told to be on disk was
not acknowledged, so it is sent again, and the one path behind knows what it has.
"""
