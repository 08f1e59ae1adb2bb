"""Frames become vectors here: one file an extractor or a language side."""
