"""Networks that others published, and what they share."""
