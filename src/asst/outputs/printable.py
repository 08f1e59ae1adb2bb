"""Text from outside, made safe to print."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with control characters replaced, so that a sentence or a path cannot steer the terminal.

    >>> printable("a cat" + chr(27) + "[2J")
    'a cat\N{REPLACEMENT CHARACTER}[2J'
    """
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def one_line(text: str) -> str:
    """The same with every run of white space as one space, for formats in which a line or a name ends at a line break.

    >>> one_line(" a cat" + chr(10) + "sleeps")
    'a cat sleeps'
    """
    return printable(" ".join(text.split()))
