"""Webhooks: messages signed, sent to addresses that were looked at, again and again until taken."""
