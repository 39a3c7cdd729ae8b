"""The desk of devices that were offline: their logs come in, and are booked (I6)."""
