"""Learning a space of pictures and sentences."""
