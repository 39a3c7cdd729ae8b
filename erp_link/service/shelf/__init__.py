"""The stock as a phone at the shelf carries it, and the site's lists for its shelves."""
