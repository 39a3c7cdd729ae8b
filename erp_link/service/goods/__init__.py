"""What goods are, and what becomes of them before they are accepted: desks over one store."""
