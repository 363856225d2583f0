"""The vocabulary of the public API is made from a training split, by path or from a data set that is open already."""

import dataclasses

import vidmodel_tf as vm
from tests.conftest import MODEL
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.run_folder.run import load_run
from vidmodel_tf.text.tokenize import tokenize


def test_it_knows_the_words_of_the_training_clips_alone(data_set):
    config = dataclasses.replace(MODEL, min_word_count=1)
    data = open_data_set(data_set).with_fold((1, 3))
    vocabulary = vm.Vocabulary.from_dataset(data, config)
    texts = [clip.text[field] for clip in data.in_split("train") for field in config.text_fields]
    assert set(vocabulary.words) == {token for text in texts for token in tokenize(text)}
    assert vm.Vocabulary.from_dataset(data_set, config).lines == (
        vm.Vocabulary.from_dataset(open_data_set(data_set), config).lines
    )


def test_a_run_has_one_too(run_dir, tmp_path):
    vocabulary = load_run(run_dir).vocabulary
    assert isinstance(vocabulary, vm.Vocabulary)
    vocabulary.save(tmp_path / "vocabulary.txt")
    assert isinstance(vm.Vocabulary.load(tmp_path / "vocabulary.txt"), vm.Vocabulary)
