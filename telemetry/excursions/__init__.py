"""Exports of data loggers that travelled or stood with goods, and what they say of their alarms."""
