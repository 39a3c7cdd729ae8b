"""Pages of excursions: their list, one report with its files, what goods bear, zones, loggers."""
