"""The shared words of Tallyman: types, ids, events, errors, ports.

Standard library only, no I/O. Every other package speaks in these words; nothing is
defined twice. Units stand in names, time is UTC, quantities are integers in base units.
"""
