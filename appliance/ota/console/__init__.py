"""Rollouts, sets and boxes as the console shows them: one view over the parts that know."""
