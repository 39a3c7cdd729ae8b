"""What people said of kept lines: the review queue, its answers, and what they teach."""
