"""The claims pack: one file that a supplier or insurer can read and check without us."""
