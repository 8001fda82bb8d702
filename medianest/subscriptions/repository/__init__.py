"""Every query on subscriptions and their items."""
