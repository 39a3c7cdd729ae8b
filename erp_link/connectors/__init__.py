"""The site's ERP: one port, one skeleton, a connector for each system."""
