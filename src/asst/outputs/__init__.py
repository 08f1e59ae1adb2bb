"""One writer a format: an :class:`~asst.moments.Answer` becomes a table, JSON lines, a page, a plot or a clip.

A writer takes answers and a stream or a path, and knows nothing of models or of the command line.
"""
