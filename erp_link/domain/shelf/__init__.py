"""What a site knows about its shelves that no delivery told: lists that are imported whole."""
