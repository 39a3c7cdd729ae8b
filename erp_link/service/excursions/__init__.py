"""Alarms of the building, and what they did to the goods that were there."""
