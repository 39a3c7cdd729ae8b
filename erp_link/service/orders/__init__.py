"""Customer orders: plan, pick, pack, ship; what a hold does to them; quotas for offline devices."""
