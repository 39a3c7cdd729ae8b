"""Care for stock: what runs out, what grows old, and what is written down wrongly."""
