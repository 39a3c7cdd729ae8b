"""What people teach the inspector at a station, and who lets it judge: lessons, candidates, signatures."""
