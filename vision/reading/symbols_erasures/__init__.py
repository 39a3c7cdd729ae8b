"""Damaged QR and Data Matrix codes, read with the damage masked as erasures.

Locate a dense square, follow its lattice through wrinkles, place the pattern that never changes,
erase what cannot be relied on, correct, prove. Called where zxing-cpp has found nothing.
"""
