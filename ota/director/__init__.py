"""What one box shall run: assignments signed for it alone (I5)."""
