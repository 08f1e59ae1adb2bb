"""Features: what an extractor makes of a video, and where they are kept."""
