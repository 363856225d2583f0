"""Lines that were read in pictures, made up by hand; a picture every half second."""

import pytest

from vidmodel_tf.words.ocr import Line
from vidmodel_tf.words.screen_lines import DisplayedLine, ScreenLines

STEP = 0.5


def line(text, top=0.9, score=0.9, left=0.2):
    return Line(text, score, left, top, 0.8, top + 0.05)


def follow(pictures):
    """What comes out; a picture that is None was not read, because it equals the one before."""
    lines = ScreenLines()
    for number, picture in enumerate(pictures):
        start, end = number * STEP, (number + 1) * STEP
        if picture is None:
            lines.extend(start, end)
        else:
            lines.add(start, end, picture)
    return lines.finish()


def test_each_line_once_with_its_time():
    one, two = [line("the first line")], [line("a second one")]
    assert follow([[], one, one, one, [], two, two, two, []]) == [
        DisplayedLine(0.5, 2.0, "the first line"),
        DisplayedLine(2.5, 4.0, "a second one"),
    ]


def test_a_line_in_a_steady_picture_is_read_once_and_stays():
    assert follow([[], [line("steady")], None, None, None, []]) == [DisplayedLine(0.5, 2.5, "steady")]


def test_what_flashes_up_is_texture():
    assert follow([[], [line("flash")], [], [], []]) == []


def test_in_a_clip_of_one_picture_its_line_counts():
    assert follow([[line("short clip")]]) == [DisplayedLine(0.0, 0.5, "short clip")]


def test_readings_that_differ_a_little_are_one_line_with_the_most_certain_text():
    wrong, right = [line("End Tima", score=0.7)], [line("End Time", score=0.9)]
    assert [found.text for found in follow([wrong, wrong, right, right, []])] == ["End Time"]
    assert [found.text for found in follow([right, right, wrong, wrong, []])] == ["End Time"]


def test_a_line_that_is_missed_for_a_second_goes_on():
    here = [line("missed in between")]
    assert follow([here, here, [], [], here, here, []]) == [DisplayedLine(0.0, 3.0, "missed in between")]


def test_the_same_words_after_a_pause_are_said_again():
    here, pause = [line("no, no")], [[]] * 8
    assert len(follow([[], here, here, *pause, here, here, []])) == 2


def test_words_at_another_place_are_another_line():
    both = [line("breaking news", top=0.1), line("breaking news", top=0.9)]
    assert len(follow([both, both, both])) == 2
    assert len(follow([both[:1], both[:1], both[1:], both[1:]])) == 2


def test_lines_written_letter_by_letter():
    texts = ["Wri", "Written", "Written by", "Written by hand", "Written by hand", "Written by hand"]
    (found,) = follow([[line(text)] for text in texts])
    assert (found.start_seconds, found.text) == (0.0, "Written by hand")


@pytest.mark.parametrize(
    "texts", [("No", "Nobody knows"), ("Nobody knows", "No"), ("I know", "What do I know about it")]
)
def test_two_lines_of_which_one_holds_the_other(texts):
    """They stand in the middle, so that the longer one begins farther to the left."""
    pictures = [[line(text, left=0.5 - 0.01 * len(text))] for text in texts for _ in range(3)]
    assert [found.text for found in follow(pictures)] == list(texts)


def test_a_line_that_is_read_in_part():
    part, whole = [line("behind the house", left=0.4)], [line("who was it behind the house")]
    assert [found.text for found in follow([whole, whole, part, whole])] == ["who was it behind the house"]


def test_clocks_and_numbers_are_no_words():
    clock = [[line(f"12:03:{second:02d}", top=0.1), line(f"REC 00:{second:02d}", top=0.2)] for second in range(20)]
    assert follow(clock) == []


def test_what_counts_on_is_one_line():
    (found,) = follow([[line(f"Camera north 2026-11-26 12:03:{second:02d}")] for second in range(20)])
    assert (found.start_seconds, found.end_seconds) == (0.0, 10.0)


def test_a_number_in_a_short_line_counts_on():
    assert len(follow([[line(f"No {number}")] for number in (17, 17, 98, 98, 40, 40)])) == 1


def test_a_logo_is_one_line_and_comes_last():
    logo, words = line("KITCHEN TV", top=0.05), [line("today we cook soup")]
    # missed for three seconds again and again
    pictures = [[*([logo] if number % 10 < 4 else []), *(words if 20 <= number < 26 else [])] for number in range(44)]
    assert follow(pictures) == [
        DisplayedLine(10.0, 13.0, "today we cook soup"),
        DisplayedLine(0.0, 22.0, "KITCHEN TV"),
    ]


def test_lines_of_one_subtitle_from_top_to_bottom():
    both = [line("who came late", top=0.9), line("a man", top=0.8)]
    assert [found.text for found in follow([both, both])] == ["a man", "who came late"]


@pytest.mark.parametrize("text", ["这是我最美好的夏天", "Привет, мир", "مرحبا بالعالم"])
def test_scripts(text):
    assert [found.text for found in follow([[line(text)], [line(text)]])] == [text]
