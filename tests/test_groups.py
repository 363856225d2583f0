from tests.stub_clips import StubClip
from vidmodel_tf.clips.splits.groups import group_by_source


def test_sources_and_their_clips_are_sorted_whatever_their_order():
    clips = [StubClip("3", "hall", {}), StubClip("2", "cam", {}), StubClip("1", "cam", {})]
    for order in (clips, clips[::-1]):
        sources = group_by_source(order)
        assert [(source.name, [clip.id for clip in source.clips]) for source in sources] == [
            ("cam", ["1", "2"]),
            ("hall", ["3"]),
        ]


def test_classes_of_every_kind_of_label_are_counted():
    labels = [
        {"mood": "calm", "things": ("car", "dog")},
        {"mood": None, "things": ("car",)},
        {"mood": None, "things": ()},
    ]
    (source,) = group_by_source(StubClip(str(number), "cam", each) for number, each in enumerate(labels))
    assert source.num_clips == 3
    assert source.class_counts == {("mood", "calm"): 1, ("things", "car"): 2, ("things", "dog"): 1}
    assert source.classes_by_clip[2] == ()
