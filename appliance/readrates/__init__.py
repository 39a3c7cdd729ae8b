"""How often cartons are read, left to a person, and misread; and whether confidence still holds."""
