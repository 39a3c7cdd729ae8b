"""From quiet to alarm and back: one limit of one fence on one series, by kinds of limits."""
