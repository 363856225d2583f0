from vidmodel_tf.clips.manifest.passed_over import describe_counts


def test_counts_in_words():
    assert describe_counts({".jpg": 1}) == "1 file: 1 .jpg"
    assert describe_counts({f".{i}": i for i in range(1, 11)}).startswith("55 files: 10 .10, 9 .9, ")
    assert describe_counts({f".{i}": i for i in range(1, 11)}).endswith(", 3 .3, ...")
