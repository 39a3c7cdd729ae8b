"""Vehicles and stations of the site: who they are, and what each may say and hear."""
