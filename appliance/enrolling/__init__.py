"""A product's good look is learned at the station: pictures, quick profile, cracks in the background."""
