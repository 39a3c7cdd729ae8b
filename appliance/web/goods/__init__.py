"""Pages of goods: what waits for acceptance, and what products are."""
