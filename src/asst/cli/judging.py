"""Models and trained runs asked the questions of a split, what they say kept, and judged."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asst.atomic import check_writable
from asst.cli.options import Annotation, Stores, tell
from asst.cli.progress import counting
from asst.cli.questions import Questions, print_evaluation, print_together, read_questions
from asst.data.lengths import compare_lengths
from asst.errors import InputError
from asst.evaluation.fusion import fuse
from asst.evaluation.prior import fitted_prior
from asst.evaluation.protocol import protocol_of
from asst.evaluation.results import Result, read_result, write_result
from asst.evaluation.scoring import Evaluation
from asst.features.networks.none import NAME, PlaceholderStore
from asst.features.stores.native import FeatureStore
from asst.models import model_named
from asst.models.base import Model, answer_split
from asst.models.checkpoint import Description
from asst.models.reranked import RerankedModel
from asst.models.trained.detector import TrainedDetector
from asst.models.trained.model import TrainedModel
from asst.moments import Answer
from asst.outputs.json_lines import read_answers
from asst.text import WordVectors

if TYPE_CHECKING:
    from asst.training.recipe import Recipe

PRIOR = "prior"


def evaluate_model(
    model: str, questions: Questions, split: str, fit_split: str | None, given: Stores, out: Path | None
) -> Evaluation:
    """Asks ``prior``, fitted on ``fit_split``, or the model of a name or checkpoint, and judges it.

    It reads the features that are given. Answers are kept in ``out``, if that is given. Raises an `InputError` for a
    model that is neither, or features that are missing or of another kind.
    """
    blind, protocol = model == PRIOR, None
    if fit_split and not blind:
        raise InputError(f"--fit-split goes with --model {PRIOR}; any other has learnt already")
    if given.stores and blind:
        raise InputError("a prior looks at no features; leave --store out")
    if blind:
        if questions.videos:
            raise InputError("a prior answers sentences; name the checkpoint of a detector")
        if not fit_split:
            raise InputError("what is the prior fitted on? give --fit-split train or --fit-split val")
        learnt = read_questions(Annotation(questions.key, fit_split, questions.folder))
        answers = fitted_prior(questions.key, learnt.records).answers(questions.records)
    else:
        asked = TrainedDetector.load([Path(model)]) if questions.videos else model_named(model)
        if isinstance(asked, TrainedModel | RerankedModel | TrainedDetector):
            _warn_if_seen(asked.description, questions.key, split)
            protocol = None if questions.videos else asked.description.protocol
            if protocol == "tall":
                tell(f"judged by protocol {protocol}, as {asked.description.recipe} is")
        # What makes the features of a checkpoint need not be here.
        kind = asked.description.features if isinstance(asked, TrainedModel | TrainedDetector) else None
        extractor, made = (kind.extractor, kind.preprocessing) if kind else (asked.extractor.name, "")
        store = PlaceholderStore() if extractor == NAME else given.read_by(model, extractor, made)
        compare_lengths(store, questions.records or questions.videos, tell)
        answers = _answers(asked, questions, store, protocol)
    if out is not None:
        questions.write(answers, out)
        tell(f"wrote {out}")
    return questions.judge(answers, protocol, blind=not blind)


def _answers(
    model: Model | TrainedDetector, questions: Questions, store: FeatureStore, protocol: str | None
) -> list[Answer]:
    """What a model says, with progress; every moment where the protocol drops the weaker of two itself."""
    with counting() as count:
        if not isinstance(model, TrainedDetector):
            thins = protocol_of(questions.key, protocol or "standard").thins
            how: dict[str, Any] = {"top": None, "overlap": 1.0} if thins else {}
            return answer_split(model, questions.records, store, progress=count, **how)
        found = []
        for answer in model.detect_videos(questions.videos, store):
            found.append(answer)
            count(len(found), len(questions.videos))
        return found


def _warn_if_seen(description: Description, dataset: str, split: str) -> None:
    """Say on standard error where a model is judged on what it learnt from."""
    for name in description.seen(dataset, split):
        tell(f"warning: {description.recipe} learnt from {name}; on {split} it answers from memory")


def runs_in(folder: Path) -> list[Path]:
    """The folder itself if it is a run, or holds none; else the runs ``seed0``, ``seed1`` and so on in it."""
    inside = sorted(path.parent for path in folder.glob("seed*/recipe.yaml"))
    return [folder] if (folder / "recipe.yaml").exists() or not inside else inside


def evaluate_runs(runs: Sequence[Path], split: str, changes: Sequence[str], *, as_json: bool) -> None:
    """Judges each run on a split, and prints what one came to, or the mean and the spread over several."""
    found = {run.name: _evaluate_run(run, split, changes) for run in runs}
    if len(found) == 1:
        print_evaluation(next(iter(found.values())), as_json=as_json)
    else:
        print_together(found, as_json=as_json)


def _evaluate_run(run: Path, split: str, changes: Sequence[str]) -> Evaluation:
    """Writes ``RUN/predictions/SPLIT.jsonl`` and ``RUN/results/SPLIT.json``.

    Raises an `InputError` for a folder without a finished checkpoint, or data that cannot be read.
    """
    from asst.training.folder import RunFolder
    from asst.training.sources import open_run

    if (run / "recipe.yaml").exists():
        check_writable(run / "predictions")
    paths, recipe, sources = open_run(run, changes, tell)
    key, protocol = recipe.data.dataset, None if recipe.detects else recipe.protocol
    model: TrainedDetector | RerankedModel | TrainedModel
    if recipe.detects:
        model, questions = TrainedDetector.load(paths), Questions(key, sources.actions(split))
    else:
        reranks = recipe.method == "reranker"
        model = RerankedModel.load(paths[0]) if reranks else TrainedModel.load(paths, sources.words)
        questions = Questions(key, sources.records(split), recipe.data.root)
    asked = questions.records or questions.videos
    compare_lengths(sources.store, asked, tell, recipe.data.length_factor)
    started_s = time.perf_counter()
    answers = _answers(model, questions, sources.store, protocol)
    seconds = time.perf_counter() - started_s
    _warn_if_seen(model.description, key, split)
    changes = _changes(recipe, model.description.words)
    done = max((line["step"] for line in RunFolder(run).log()), default=recipe.training.steps)
    if done < recipe.training.steps and not (recipe.closed_form or recipe.training.patience):
        stopped = f"stopped after {done} of {recipe.training.steps} steps"
        tell(f"warning: {run} has {stopped}; give its command again to train it on")
        changes = f"{changes}, {stopped}" if changes else stopped
    evaluation, wrote = _kept(
        run,
        split,
        questions,
        answers,
        protocol,
        recipe=recipe.name,
        data=model.description.origin_on(sources.store.read(asked[0].video)),
        extractor=model.description.features.extractor,
        model=f"{recipe.name}, seed {recipe.training.seed}",
        seconds=seconds,
        changes=changes,
    )
    what = f"{len(answers)} {'videos' if recipe.detects else 'queries'}, {len(answers) / seconds:.0f} a second"
    tell(f"answered {what}; {wrote}")
    return evaluation


_OF_A_PLACE = ("data.root", "data.features", "data.step_s", "data.words", "data.length_factor", "data.memory_gb")
_OF_A_RUN = ("training.seed", "training.seeds", "training.keep", "training.processes", "training.nodes")


def _changes(recipe: Recipe, words: str) -> str:
    """What a run has otherwise than the packaged recipe of its name: it is no run of that row of the paper's tables.

    Where files lie, and what says nothing of the system, does not count; which word vectors it learnt from does.
    """
    from asst.training.recipe import GLOVE_300, read_recipe
    from asst.training.recipe_files import differing, packaged_recipes

    if recipe.name not in packaged_recipes() or recipe.data.simulated:
        return ""
    packaged = read_recipe([recipe.name])
    stand_in = packaged.data.words.path == Path(GLOVE_300) and words == WordVectors.packaged().source
    found = [f"{key}={now}" for key, (_, now) in differing(packaged, recipe).items()]
    own = [change for change in found if not change.startswith(_OF_A_PLACE) and change.split("=")[0] not in _OF_A_RUN]
    return ", ".join([*own, *(["packaged words"] if stand_in else [])])


def evaluate_fused(runs: Sequence[Path], name: str, split: str, weights: Sequence[float]) -> Evaluation:
    """Asks every run, writes ``predictions/SPLIT.jsonl`` and ``results/SPLIT.json`` of ``runs/NAME``, and judges them.

    Raises an `InputError` as for a single run, and as `asst.evaluation.fusion.fuse`.
    """
    from asst.training.folder import RUNS
    from asst.training.sources import open_run

    for run in runs:
        _evaluate_run(run, split, [])
    answers = fuse([read_answers(run / "predictions" / f"{split}.jsonl") for run in runs], weights)
    _, recipe, sources = open_run(runs[0], [], lambda _: None)
    results = [read_result(run / "results" / f"{split}.json") for run in runs]
    evaluation, wrote = _kept(
        RUNS / recipe.kind / name,
        split,
        Questions(recipe.data.dataset, sources.records(split)),
        answers,
        recipe.protocol,
        blind=False,
        recipe=name,
        data="simulated" if any(own.data == "simulated" for own in results) else "real",
        extractor=" + ".join(dict.fromkeys(own.extractor for own in results)),
        model=" + ".join(f"{weight:g} {own.model}" for weight, own in zip(weights, results, strict=True)),
        seconds=sum(own.seconds for own in results),
        changes=" + ".join(dict.fromkeys(own.changes for own in results if own.changes)),
    )
    tell(wrote)
    return evaluation


def _kept(
    folder: Path,
    split: str,
    questions: Questions,
    answers: Sequence[Answer],
    protocol: str | None = None,
    *,
    blind: bool = True,
    **facts: Any,
) -> tuple[Evaluation, str]:
    """Answers, and how good they are, written to a folder with facts as `Result.of` takes them; what to say of it."""
    predictions, kept = folder / "predictions" / f"{split}.jsonl", folder / "results" / f"{split}.json"
    questions.write(answers, predictions)
    evaluation = questions.judge(answers, protocol, blind=blind)
    write_result(Result.of(evaluation, **facts), kept)
    return evaluation, f"wrote {predictions} and {kept}"
