"""Real processes of hub, broker and vehicles killed in mid-mission, and the account of every carton."""
