"""Users' expressions in CEL: what they may say, checked with units where they are saved."""
