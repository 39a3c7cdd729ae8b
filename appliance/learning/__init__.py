"""The learning loop: what operators settled becomes examples, and examples a candidate model set."""
