"""Commands and queries of the core, over the domain's rules and the SQL store."""
