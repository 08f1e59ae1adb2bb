"""The classes of a method that finds actions: their names, and which of them are part of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from asst.errors import InputError


def taken_classes(settings: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[str, list[str]], dict[str, Any]]:
    """The keys ``labels`` and ``includes`` of a method's settings, and the other settings.

    ``labels`` are the classes in their order. ``includes`` gives, by a class, those that are part of it: what is
    learnt is one class a span, the most particular one; the score of a class has those of its parts in it.

    Raises:
        InputError: for no class, one named twice, or parts that are no classes.

    >>> taken_classes({"labels": ["cliff dive", "dive"], "includes": {"dive": ["cliff dive"]}, "steps": 8})[2]
    {'steps': 8}
    """
    rest = dict(settings)
    labels, includes = tuple(rest.pop("labels", ())), dict(rest.pop("includes", {}))
    if not labels or len(set(labels)) != len(labels) or not all(isinstance(label, str) and label for label in labels):
        raise InputError(f"labels must name each class once, not {list(labels)}")
    named = {*includes, *(part for parts in includes.values() for part in parts)}
    if unknown := sorted(named - set(labels)):
        raise InputError(f"includes names {unknown[0]!r}, which is no class")
    return labels, {label: list(parts) for label, parts in includes.items()}, rest


def inclusion(labels: Sequence[str], includes: Mapping[str, Sequence[str]]) -> Tensor:
    """The matrix that adds the scores of parts to those of the whole, shape ``(classes, classes)``.

    >>> inclusion(["cliff dive", "dive"], {"dive": ["cliff dive"]}).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    matrix = torch.eye(len(labels))
    for whole, parts in includes.items():
        for part in parts:
            matrix[labels.index(part), labels.index(whole)] = 1
    return matrix
