"""Reference pages of the documentation, read from the code: the command line and the keys of recipes.

Run: ``python scripts/reference.py`` prints them; ``mkdocs build`` makes pages of them (``mkdocs.yml``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer import Context
from typer.main import get_command

from asst.cli.app import app
from asst.training.recipe import Recipe
from asst.training.recipe_files import setting_keys
from asst.training.space_recipe import CaptionRecipe

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[1]


def verbs(command: Any, context: Any) -> Iterator[tuple[str, Any]]:
    """Every verb of a command with its name in full, such as ``asst library status``."""
    if context.command_path != "asst":
        yield context.command_path, command
    for name, own in getattr(command, "commands", {}).items():
        yield from verbs(own, Context(own, info_name=name, parent=context))


def all_verbs() -> list[tuple[str, Any]]:
    """Every verb of ``asst``."""
    command = get_command(app)
    return list(verbs(command, Context(command, info_name="asst")))


def command_page() -> str:
    """The command line: each verb with its arguments and options."""
    parts = ["# Command line\n"]
    for name, command in all_verbs():
        parts.append(f"## {name}\n\n{_plain(command.help or '')}\n\n| argument or option | meaning |\n| --- | --- |")
        parts += [f"| `{_name(own)}` | {_cell(own.help or '')} |" for own in command.params]
        parts.append("")
    return "\n".join(parts)


def recipe_page() -> str:
    """The keys of recipes."""
    parts = ["# Keys of recipes\n"]
    for title, kind in (("Every method but captions", Recipe), ("captions", CaptionRecipe)):
        parts.append(f"## {title}\n\n| key | default | meaning |\n| --- | --- | --- |")
        parts += [f"| `{own.key}` | {own.default} | {_cell(own.meaning)} |" for own in setting_keys(kind)]
        parts.append("")
    return "\n".join(parts)


def home_page() -> str:
    """The README with its links as they are from beside the other pages."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](")
    return re.sub(r"\[([\w.]+)\]\((?:NOTICE|LICENSE|CONTRIBUTING\.md)\)", r"\1", text)


PAGES = {"index.md": home_page, "commands.md": command_page, "recipes.md": recipe_page}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages; mkdocs calls this."""
    from mkdocs.structure.files import File

    for name, page in PAGES.items():
        files.append(File.generated(config, name, content=page()))
    return files


def _name(parameter: Any) -> str:
    names = "/".join(parameter.opts) if parameter.opts[0].startswith("-") else ""
    takes = "" if getattr(parameter, "is_flag", False) else parameter.metavar or parameter.name
    return " ".join(part for part in (names, takes) if part)


def _plain(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.replace("\b", "").split("\n\n"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    print("\n".join(page() for name, page in PAGES.items() if name != "index.md"))
