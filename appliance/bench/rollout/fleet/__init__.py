"""The real registry, director, rollouts and agents in virtual time: only network and goods are made up."""
