"""The gateway: sensors' readings in, on disk before acknowledgement; alarms out to the hub."""
