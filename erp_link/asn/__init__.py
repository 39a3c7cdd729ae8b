"""Announced lists as they come: CSV, X12 856."""
