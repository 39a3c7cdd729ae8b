"""The logs of devices that were offline, brought together: pure, and the same in any order (I6)."""
