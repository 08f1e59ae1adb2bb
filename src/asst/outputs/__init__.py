"""One writer a format: answers become a table, JSON lines, a page, a plot, subtitles, a timeline or a clip.

A writer takes answers and a stream or a path, and knows nothing of models or of the command line.
"""
