"""What makes a model of a trained method."""
