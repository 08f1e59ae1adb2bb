"""The one exception that a user's input can cause: its text is the line the user reads."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input from outside: a file, a sentence, an option or a record.

    Its message is one line that says what is wrong, where, and what to do. The command line prints it and exits
    with code 2; the web API answers with it and a 4xx status. Anything else that is raised is a fault of ours.
    """
