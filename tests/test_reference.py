"""What users can type and what programs can read is documented: options, keys of recipes, keys of JSON, benchmarks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from asst.cli.app import app
from asst.cli.asking import DEMO_VIDEO
from asst.training.recipe import Recipe
from asst.training.recipe_files import setting_keys
from asst.training.space_recipe import CaptionRecipe

ROOT = Path(__file__).parents[1]
FORMATS = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
ROW = {"video": "a", "duration": 10.0, "sentence": "a taxi", "moments": [[1.0, 3.0]]}
PRIOR = [
    "evaluate",
    "--model",
    "prior",
    "--dataset",
    "jsonlines",
    "--fit-split",
    "train",
    "--split",
    "test",
    "--data",
    ".",
]
JSON = [
    ["locate", str(DEMO_VIDEO), "a taxi sign on top of a car"],
    ["shots", str(DEMO_VIDEO)],
    ["features", "info", "store"],
    ["features", "extractors"],
    ["models"],
    ["recipes"],
    ["recipes", "--keys"],
    ["tables", "2"],
    ["train", "charades_sta/prior", "data.dataset=jsonlines", "data.root=.", "--run", "run"],
    ["evaluate", "run", "--split", "test"],
    PRIOR,
    ["audit", "jsonlines", "--data", "."],
]


def reference() -> Any:
    spec = spec_from_file_location("reference", ROOT / "scripts/reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_option_and_every_key_of_a_recipe_is_on_a_page_with_its_meaning() -> None:
    made = reference()
    commands, recipes = made.command_page(), made.recipe_page()
    verbs = made.all_verbs()
    assert len(verbs) > 20
    for name, command in verbs:
        assert f"## {name}\n\n{(command.help or '').split()[0]}" in commands
        for parameter in command.params:
            assert parameter.help, (name, parameter.name)
    rows = set(re.findall(r"^\| `([\w.]+)` \|[^|]*\| \S", recipes, flags=re.MULTILINE))
    assert rows == {setting.key for kind in (Recipe, CaptionRecipe) for setting in setting_keys(kind)}


def keys_of(value: Any) -> Iterator[str]:
    """Every key of a JSON value, but for names of metrics and splits, which are data."""
    if isinstance(value, list):
        for one in value:
            yield from keys_of(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if "=" not in key and key not in ("train", "val", "test"):
                yield key
            yield from keys_of(one)


@pytest.mark.usefixtures("one_thread")
def test_every_key_of_json_is_in_the_document_of_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for split in ("train", "val", "test"):
        Path(f"{split}.jsonl").write_text(json.dumps(ROW) + "\n")
    stored = CliRunner().invoke(app, ["features", str(DEMO_VIDEO), "--out", "store", "--extractor", "none"])
    assert stored.exit_code == 0, stored.output
    documented = set(re.findall(r"`([^`\n]+)`", FORMATS))
    missing = {}
    for words in JSON:
        done = CliRunner().invoke(app, [*words, "--json"])
        assert done.exit_code in (0, 1), done.output
        found = {key for line in done.stdout.splitlines() for key in keys_of(json.loads(line))}
        assert found, words
        if lacking := sorted(found - documented):
            missing[" ".join(words[:2])] = lacking
    assert missing == {}


def test_every_benchmark_is_listed() -> None:
    listed = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
    assert {path.name for path in (ROOT / "benchmarks").glob("*.py")} == set(re.findall(r"`(\w+\.py)`", listed))


def test_links_between_documents_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")]
    links = [
        (page, link) for page in pages for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    ]
    assert len(links) > 60
    made = set(reference().PAGES)
    for page, link in links:
        path, _, anchor = link.partition("#")
        if "://" in link or path in made:
            continue
        target = page.parent / path if path else page
        assert target.exists(), (page.name, link)
        if anchor:
            titles = re.findall(r"^#+ (.*)", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, (
                page.name,
                link,
            )
