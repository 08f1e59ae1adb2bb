"""``python -m asst``: the ``asst`` command, where its folder is not on the path."""

from asst.cli import main

if __name__ == "__main__":
    main()
