"""Excursion reports as files: signed JSON, CSV and PDF."""
