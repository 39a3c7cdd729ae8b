"""ERPNext 15 and later, over Frappe's REST API."""
