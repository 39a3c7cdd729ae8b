"""What goes out to partners and other systems, and what partners send: projections of the feed."""
