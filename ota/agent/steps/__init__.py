"""What the agent decides, remembers and says; carried out in `ota.agent.agent`."""
