"""Simulated features and tapes, where features of the real videos, or annotation of any, cannot be had.

``features`` makes them from annotation alone: from what the Charades CSV says of a video, which actions when, which
objects, which scene (``generate``), from DiDeMo's sentences (``sentences``) and from THUMOS14's labelled spans
(``actions``). Their times and their errors are made up: what is measured on them tells methods apart and finds faults,
and says nothing of real videos. Every name that leaves there begins with ``simulated``. ``tapes`` is apart from these:
it puts real pictures in a row.
"""
