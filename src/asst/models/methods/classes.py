"""What methods that find actions have in common: classes, of which some are part of another."""

from __future__ import annotations

from typing import Annotated, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from asst.models.methods.base import Trainable
from asst.settings import Settings

Label = Annotated[str, Field(min_length=1)]


class Classes(Settings):
    """The classes of a method.

    Attributes:
        labels: their names, in their order.
        includes: by a class, those that are part of it. What is learnt is one class a span, the most particular one;
            the score of a class has those of its parts in it.
    """

    labels: Annotated[tuple[Label, ...], Field(strict=False, min_length=1)]
    includes: dict[str, list[str]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _are_known(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels must name each class once, not {list(self.labels)}")
        named = {*self.includes, *(part for parts in self.includes.values() for part in parts)}
        if unknown := sorted(named - set(self.labels)):
            raise ValueError(f"includes names {unknown[0]!r}, which is no class")
        return self

    def inclusion(self) -> Tensor:
        """The matrix that adds the scores of parts to those of the whole, shape ``(classes, classes)``.

        >>> Classes(labels=("cliff dive", "dive"), includes={"dive": ["cliff dive"]}).inclusion().tolist()
        [[1.0, 1.0], [0.0, 1.0]]
        """
        matrix = torch.eye(len(self.labels))
        for whole, parts in self.includes.items():
            for part in parts:
                matrix[self.labels.index(part), self.labels.index(whole)] = 1
        return matrix


class ActionMethod(Trainable):
    """Finds actions of some classes."""

    finds_actions = True
    inclusion: Tensor

    def take_classes(self, classes: Classes) -> None:
        """Makes these what is found."""
        self.labels = classes.labels
        self.register_buffer("inclusion", classes.inclusion(), persistent=False)
