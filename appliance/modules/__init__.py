"""Module stations at the hub: their messages from the broker, booked before they are acknowledged."""
