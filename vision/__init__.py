"""Frame to label reading, frame to defect map: pure decisions apart from engines (I4, I7)."""
