"""Where features are kept: our files, and those that the field publishes."""
