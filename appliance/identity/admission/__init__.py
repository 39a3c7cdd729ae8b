"""Who may join or come back: signing requests, approvals by a person, and what became of them."""
