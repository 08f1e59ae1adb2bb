"""Simulated Charades-STA and THUMOS14: features made from annotation, where those of the real videos cannot be had.

A generator turns what the Charades CSV says of a video (which actions when, which objects, which scene) into a sequence
of feature vectors. Their times and their errors are made up: what is measured on them tells methods apart and finds
faults, and says nothing of real videos. Every name that leaves here begins with ``simulated``.

The sentences and the split play no part: `CharadesVideo` holds neither. ``words`` parts an action
class into verb and object, ``settings`` says how strong and how noisy each modality is, ``noise`` draws the noise and
``generate`` makes the vectors. ``actions`` does all of this for THUMOS14's labelled spans.
``tapes`` is apart from these: it puts real pictures in a row.
"""
