"""A fleet of virtual boxes over the real registry and agent, for figures and for breaking."""
