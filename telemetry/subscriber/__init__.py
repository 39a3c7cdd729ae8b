"""Readings from any MQTT broker: a persistent session whose acknowledgements mean "on disk"."""
