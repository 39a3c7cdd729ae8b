"""What an ERP has to be told, and when: decisions only."""
