"""`vidmodel vectors`: word vectors of one's own words."""

from __future__ import annotations

import argparse

from vidmodel_tf.commands import show
from vidmodel_tf.quiet import import_tensorflow
from vidmodel_tf.records.layout import check_data_set_folder

HELP = "word vectors, trained on the words of a data set"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("data", metavar="data/NAME", help="a prepared data set; its training split is read")
    parser.add_argument("--out", required=True, metavar="FILE", help="the file to make, in word2vec's text format")
    parser.add_argument("--units", type=int, default=100, help="length of a vector (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same file (default: %(default)s)")
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> None:
    """Trains, and says how many words have a vector."""
    check_data_set_folder(options.data)
    import_tensorflow()
    from vidmodel_tf.records.train_word_vectors import train_word_vectors

    made = train_word_vectors(options.data, options.out, units=options.units, seed=options.seed)
    if options.json:
        show.print_json(made.to_json())
        return
    print(f"{made.path}: {made.num_words} words, {made.units} numbers each, from {made.num_tokens} words of text")
    print(f"next: vidmodel train {options.data} --out runs/NAME --set model.embeddings={made.path}")
