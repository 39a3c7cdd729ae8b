"""The phones of a site: invited, enrolled as devices with a role, let in by their key, revoked."""
