"""Features made from annotation, without videos."""
