"""The quality desk: signed usage decisions, returns and scrap, dossiers and claims."""
