"""Training samples and batches: the same in every run, and padded as a slow loop would."""

from __future__ import annotations

import io
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from asst.data.batch import Batch, Collate
from asst.data.observations import CropObservation, PieceObservation
from asst.data.record import Record
from asst.data.sample import Sample, Window, padded
from asst.data.samples import EpochOrder, Queries, TrainingSamples
from asst.errors import InputError
from asst.features.stores.native import CachedStore, Store, require
from asst.features.values import Features
from asst.nn.config import ASSTConfig, Head
from asst.nn.losses import classification_loss, detection_loss, sample_anchors
from asst.nn.network import ASSTNetwork
from asst.text import Vector, WordVectors, tokenize

SENTENCES = ("a person opens the door", "sits down", "The person's phone rings, and rings.")


def word_vectors() -> WordVectors:
    """Vectors of three numbers for every word but one."""

    def lookup(words: Collection[str]) -> dict[str, Vector]:
        return {
            word: np.array([len(word), ord(word[0]), ord(word[-1])], dtype=np.float32)
            for word in words
            if word != "phone"
        }

    return WordVectors("test", 3, lookup)


def records(durations_s: tuple[float, ...] = (20.0, 50.0, 8.0)) -> list[Record]:
    return [
        Record(f"r{index}", f"v{index}", "train", sentence, duration_s, ((1.0, 4.0), (5.0, 7.0)), ((1.0, 4.0),))
        for index, (sentence, duration_s) in enumerate(zip(SENTENCES, durations_s, strict=True))
    ]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "features")
    for entry in records():
        steps = round(entry.duration_s * 4)
        vectors = np.random.default_rng(steps).standard_normal((steps, 6)).astype(np.float16)
        made.write(entry.video, Features(vectors, 0.0, 0.25, "noise"))
    return made


def crops(store: Store, seed: int = 0) -> TrainingSamples:
    return TrainingSamples(records(), store, word_vectors(), CropObservation(), seed)


def shown(sample: Sample) -> tuple[object, ...]:
    return sample.record, sample.window, sample.features.tobytes(), sample.words.tobytes(), sample.moments.tobytes()


def test_a_sample_is_a_function_of_seed_epoch_and_index(store: Store) -> None:
    first, again = crops(store), crops(store)
    keys = [(epoch, index) for epoch in range(3) for index in range(3)]
    seen = {key: shown(first[key]) for key in keys}
    assert {key: shown(again[key]) for key in reversed(keys)} == seen
    assert len({window for _, window, *_ in seen.values()}) == 9
    assert shown(crops(store, seed=1)[0, 0]) != seen[0, 0]
    # Neither the number of records nor their neighbours matter to a record's draw.
    fewer = TrainingSamples(records()[:2], store, word_vectors(), CropObservation())
    assert shown(fewer[2, 1]) == seen[2, 1]


def test_some_samples_show_a_sentence_of_another_video(store: Store) -> None:
    samples = TrainingSamples(records(), store, word_vectors(), CropObservation(), 0, wrong_sentences=0.5)
    said = word_vectors()
    foreign = 0
    for key in [(epoch, index) for epoch in range(20) for index in range(3)]:
        found, plain = samples[key], crops(store)[key]
        others = [said.vectors(tokenize(own.sentence)) for own in records() if own.video != records()[key[1]].video]
        right = any(np.array_equal(found.words, own) for own in others) if found.foreign else True
        assert right
        assert found.foreign or shown(found) == shown(plain)
        assert found.window == plain.window
        foreign += found.foreign
    assert 15 < foreign < 45
    batch = Collate(128)([samples[epoch, 0] for epoch in range(20)])
    assert batch.foreign is not None
    assert batch.foreign.tolist() == [samples[epoch, 0].foreign for epoch in range(20)]
    with pytest.raises(InputError, match="wrong sentences are those of other videos"):
        TrainingSamples(records()[:1], store, said, CropObservation(), 0, wrong_sentences=0.5)


def test_a_sample_holds_the_window_and_the_sentence_of_its_record(store: Store) -> None:
    sample = crops(store)[4, 2]
    assert sample.record == 2
    assert np.array_equal(sample.features, sample.window.read(store.read("v2")))
    expected = word_vectors().vectors(tokenize(SENTENCES[2]))
    assert np.array_equal(sample.words, expected)
    assert not sample.words[tokenize(SENTENCES[2]).index("phone")].any()
    assert len(sample.moments) == 2


def sample(steps: int, words: int, moments: int, target: int | None = None) -> Sample:
    generator = np.random.default_rng((steps, words, moments))
    spans = np.sort(generator.uniform(0, steps, (moments, 2)))
    features, vectors = generator.standard_normal((steps, 5)), generator.standard_normal((words, 3))
    window = Window(0.0, 0.25, steps)
    return Sample(steps, window, features.astype(np.float32), vectors.astype(np.float32), spans, target)


def test_a_batch_is_what_a_slow_loop_makes_and_zero_elsewhere() -> None:
    samples = [sample(7, 2, 1), sample(16, 5, 3), sample(1, 1, 0)]
    batch = Collate(16)(samples)
    assert batch.features.shape == (3, 16, 5)
    assert batch.words.shape == (3, 5, 3)
    assert batch.moments.shape == (3, 3, 2)
    assert batch.features.dtype == batch.words.dtype == batch.moments.dtype == torch.float32
    parts: tuple[tuple[torch.Tensor, torch.Tensor, list[Any]], ...] = (
        (batch.features, batch.feature_mask, [own.features for own in samples]),
        (batch.words, batch.word_mask, [own.words for own in samples]),
        (batch.moments, batch.moment_mask, [own.moments for own in samples]),
    )
    for values, mask, rows in parts:
        for row, own in enumerate(rows):
            for place in range(values.shape[1]):
                assert bool(mask[row, place]) == (place < len(own))
                for channel in range(values.shape[2]):
                    expected = own[place, channel] if place < len(own) else 0.0
                    assert float(values[row, place, channel]) == np.float32(expected)
    assert batch.targets is None
    assert batch.records.tolist() == [7, 16, 1]
    assert batch.windows == tuple(own.window for own in samples)
    assert len(batch) == 3


def test_targets_are_there_where_every_sample_has_one() -> None:
    batch = Collate(8)([sample(4, 1, 1, target=20), sample(8, 1, 1, target=0)])
    assert batch.targets is not None
    assert batch.targets.tolist() == [20, 0]
    assert Collate(8)([sample(4, 1, 1, target=20), sample(8, 1, 1)]).targets is None
    moved = batch.to("meta")
    assert {tensor.device.type for tensor in (moved.features, moved.word_mask, moved.moments, moved.records)} == {
        "meta"
    }
    assert moved.targets is not None
    assert moved.targets.device.type == "meta"


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="9 rows do not fit into 8"):
        Collate(8)([sample(9, 1, 1)])
    with pytest.raises(ValueError, match="nothing to pad"):
        padded([])


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # where there is one core
def test_a_loader_gives_the_same_batches_with_workers_and_after_a_restart(store: Store) -> None:
    samples = crops(store)
    order = EpochOrder(len(samples), seed=3)

    def batches(workers: int, epoch: int, first: int = 0) -> list[Batch]:
        order.set_epoch(epoch, first)
        return list(DataLoader(samples, batch_size=1, sampler=order, collate_fn=Collate(128), num_workers=workers))

    def content(found: list[Batch]) -> list[bytes]:
        written = []
        for batch in found:
            into = io.BytesIO()
            torch.save([batch.features, batch.words, batch.moments, batch.records], into)
            written.append(into.getvalue())
        return written

    here = content(batches(0, epoch=1))
    assert len(here) == 3
    assert content(batches(2, epoch=1)) == here
    assert content(batches(0, epoch=1, first=1)) == here[1:]
    assert content(batches(0, epoch=2)) != here


def test_the_order_of_an_epoch_is_a_permutation_of_its_own() -> None:
    order = EpochOrder(50, seed=1)
    passes = []
    for epoch in range(3):
        order.set_epoch(epoch)
        passes.append(list(order))
        assert sorted(order) == [(epoch, index) for index in range(50)]
        assert list(order) == passes[-1]
    assert len({tuple(index for _, index in keys) for keys in passes}) == 3
    order.set_epoch(2, first=47)
    assert list(order) == passes[2][47:]
    assert len(order) == 3


def test_a_query_shows_all_of_its_video_and_none_of_its_truth(store: Store) -> None:
    queries = Queries(records(), store, word_vectors(), CropObservation())
    assert [len(queries[index]) for index in range(3)] == [1, 3, 1]
    batch = Collate(128).windows([queries[index] for index in range(3)])
    assert batch.records.tolist() == [0, 1, 1, 1, 2]
    assert batch.feature_mask.sum(dim=1).tolist() == [80, 128, 128, 128, 32]
    assert batch.moments.shape == (5, 0, 2)
    assert batch.targets is None
    vectors = torch.from_numpy(store.read("v1").vectors.astype(np.float32))
    for row, first in ((1, 0), (2, 64), (3, 72)):
        assert torch.equal(batch.features[row], vectors[first : first + 128])
        assert batch.windows[row].to_steps([first / 4]) == pytest.approx([0])


def test_pieces_are_seen_whole_in_training_and_in_queries(store: Store) -> None:
    videos = [
        Record(entry.id, entry.video, "train", entry.sentence, 25.0, ((5.0, 10.0),), ((5.0, 10.0),))
        for entry in records()
    ]
    trained = TrainingSamples(videos, store, word_vectors(), PieceObservation())[0, 1]
    asked = Queries(videos, store, word_vectors(), PieceObservation())[1]
    assert len(asked) == 1
    assert trained.window == asked[0].window == Window(0.0, 30 / 128, 107)
    assert np.array_equal(trained.features, asked[0].features)
    assert trained.target == 6
    assert asked[0].target is None


def test_features_are_held_while_they_fit(store: Store) -> None:
    size = {video: store.read(video).vectors.nbytes for video in store.videos()}
    held = CachedStore(store, ["v1", "v0", "v1", "v2"], budget_bytes=size["v1"] + size["v0"] + 1)
    require(held, store.videos())  # what does not fit is there still
    assert "absent" not in held
    assert held.held_bytes == size["v0"] + size["v1"]
    for video in store.videos():
        store_path = store.folder / f"{video}.safetensors"
        expected = np.array(store.read(video).vectors)
        assert np.array_equal(held.read(video).vectors, expected)
        store_path.unlink()
    assert len(held.read("v1")) == 200
    with pytest.raises(InputError, match="no features of v2"):
        held.read("v2")


def test_a_missing_video_and_a_sentence_without_words_are_named_before_training(store: Store) -> None:
    missing = Record("x", "absent", "train", "a door", 9.0, ((1.0, 2.0),), ((1.0, 2.0),))
    with pytest.raises(InputError, match="1 video has no features: absent"):
        TrainingSamples([*records(), missing], store, word_vectors(), CropObservation())
    silent = Record("y", "v0", "train", "...", 20.0, ((1.0, 2.0),), ((1.0, 2.0),))
    with pytest.raises(InputError, match="record y: no word"):
        Queries([silent], store, word_vectors(), CropObservation())


def test_batches_are_what_the_network_and_its_losses_take(store: Store) -> None:
    def config(head: Head) -> ASSTConfig:
        return ASSTConfig(
            feature_channels=6, word_channels=3, dilation_channels=8, channels=8, language_channels=8,
            attention_channels=8, head=head,
        )  # fmt: skip

    detection = ASSTNetwork(config("detection"))
    batch = Collate(128)([crops(store)[0, index] for index in range(3)])
    output = detection(batch.features, batch.feature_mask, batch.words, batch.word_mask)
    drawn = sample_anchors(
        detection.clips, detection.clip_mask(batch.feature_mask), batch.moments, batch.moment_mask, ratio=1
    )
    assert drawn.positive.any(dim=1).all()
    assert output.offsets is not None
    loss = detection_loss(output.logits, output.offsets, detection.clips, drawn, batch.moments)
    assert loss.total.isfinite()

    classification = ASSTNetwork(config("classification"))
    pieces = [Record(f"r{n}", f"v{n}", "train", "a door", 25.0, ((15.0, 25.0),), ((15.0, 25.0),)) for n in range(3)]
    samples = TrainingSamples(pieces, store, word_vectors(), PieceObservation())
    batch = Collate(128)([samples[0, index] for index in range(3)])
    output = classification(batch.features, batch.feature_mask, batch.words, batch.word_mask)
    assert batch.targets is not None
    possible = classification.clip_mask(batch.feature_mask)
    assert classification_loss(output.logits, possible, batch.targets).isfinite()
