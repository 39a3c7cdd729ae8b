"""Holds against reservations, picks, goods issues and receipts, in processes that may be killed."""
