"""Vehicles by the thousand on a real broker, the bridge and core that follow them, and who else could."""
