"""Pages about stock as a whole: what to order, how healthy it is, what is written down wrongly."""
