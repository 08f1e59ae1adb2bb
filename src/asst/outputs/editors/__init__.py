"""Timelines for editing programs."""
