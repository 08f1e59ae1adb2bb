"""Extraction by several processes, and by several machines."""
