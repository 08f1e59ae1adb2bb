"""Where features are kept: our files, those that the field publishes, and arrays in memory."""
