"""The exceptions that a user's input, or the disk, can cause: the text is the line the user reads."""

from __future__ import annotations


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number and what it counts; ``many`` is what more or less than one is called, if not ``one`` with an ending.

    >>> counted(1, "video"), counted(0, "query"), counted(2, "row is", "rows are")
    ('1 video', '0 queries', '2 rows are')
    """
    if count != 1:
        one = many or (f"{one[:-1]}ies" if one.endswith("y") else f"{one}s")
    return f"{count} {one}"


class InputError(ValueError):
    """Bad input from outside: a file, a sentence, an option or a record.

    Its message is one line that says what is wrong, where, and what to do. The command line prints it and exits
    with code 2; the web API answers with it and a 4xx status. Anything else that is raised is a fault of ours.
    """


class WriteError(InputError):
    """The disk is at fault and no input: it is full, or may not be written to. The next file would fare no better.

    Args:
        path: what was to be written.
        reason: one line on why it could not be, and what to do.
    """

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(str(path), reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot write {self.args[0]}: {self.reason}"
