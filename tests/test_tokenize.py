from __future__ import annotations

import csv
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.real_data import TITLES, needs
from vidmodel_tf.text.tokenize import tokenize, tokenize_fields

SENTENCES = {
    "english": ("Don't STOP: 10 Tips!", ["don", "t", "stop", "10", "tips"]),
    "german": ("Über Straßen-Größe, ÄÖÜ", ["über", "straßen", "größe", "äöü"]),
    "french": ("L'ÉCOLE d’été — où ?", ["l", "école", "d", "été", "où"]),
    "french_decomposed": ("E\u0301COLE", ["e\u0301cole"]),
    "greek": ("Ο ΔΡΟΜΟΣ, ο δρόμος", ["ο", "δρομοσ", "ο", "δρόμοσ"]),
    "turkish": ("İSTANBUL'da", ["istanbul", "da"]),
    "russian": ("Съешь ЁЖИКА", ["съешь", "ёжика"]),
    "chinese": ("播放红色猫 video 7。", ["播", "放", "红", "色", "猫", "video", "7"]),
    "japanese": ("東京タワーへ行く", ["東", "京", "タ", "ワ", "ー", "へ", "行", "く"]),
    "half_width_kana": ("ﾈｺ", ["ネ", "コ"]),
    "korean": ("고양이가 좋아요!", ["고양이가", "좋아요"]),
    "arabic": ("قطة، كلب؟ ٢٠٢٤ جميـــل", ["قطة", "كلب", "2024", "جميل"]),
    "persian_joiner": ("می\u200cخواهم", ["میخواهم"]),
    "hebrew": ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
    "hindi": ("हिन्दी में वीडियो।", ["हिन्दी", "में", "वीडियो"]),
    "thai": ("แมว ดำ", ["แ", "ม", "ว", "ด", "ำ"]),
    "full_width": ("ＰＳ５", ["ps", "5"]),
    "styled": ("𝗢𝗳𝗳𝗶𝗰𝗶𝗮𝗹 𝒱𝒾𝒹𝑒𝑜 Ⓛⓘⓥⓔ", ["official", "video", "live"]),
    "letters_next_to_digits": ("S02E05 4K mp3", ["s", "02", "e", "05", "4", "k", "mp", "3"]),
    "numbers": ("1,000.5 H₂O", ["1", "000", "5", "h", "₂", "o"]),
    "emoji": ("wow😂😂 ❤️!", ["wow", "😂", "😂", "❤"]),
    "skin_tone": ("👍🏽👍", ["👍", "👍"]),
    "family": ("👨\u200d👩\u200d👧", ["👨", "👩", "👧"]),
    "flags": ("🇩🇪🇫🇷 🇯", ["🇩🇪", "🇫🇷", "🇯"]),
    "keycap": ("1\ufe0f\u20e3 #\ufe0f\u20e3", ["1"]),
    "tags_of_a_flag": ("🏴\U000e0067\U000e0062\U000e007f", ["🏴"]),
    "soft_hyphen": ("vi\u00addeo", ["video"]),
    "byte_order_mark": ("\ufeffvideo", ["video"]),
    "zero_width_space": ("a\u200bb", ["a", "b"]),
    "signs": ("© $5 _a_ [b] ™ \u2028", ["5", "a", "b"]),
    "lone_surrogate": ("a\ud800b", ["a", "b"]),
    "nothing": (" \n\t", []),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_tokens_of_a_sentence(name):
    sentence, expected = SENTENCES[name]
    assert tokenize(sentence) == expected


@given(st.text())
def test_tokens_are_stable_and_free_of_space(text):
    tokens = tokenize(text)
    assert [tokenize(token) for token in tokens] == [[token] for token in tokens]
    assert tokenize(" ".join(tokens)) == tokens


def test_fields_are_told_apart():
    assert tokenize_fields("\x01Red cat\x02funny, pets", 2) == [["red", "cat"], ["funny", "pets"]]
    assert tokenize_fields("Red cat", 2) == [["red", "cat"], []]


@needs(TITLES)
def test_real_titles_have_tokens():
    with TITLES.open(encoding="utf-8", newline="") as file:
        titles = [row["title"] for row in csv.DictReader(file)]
    assert len(titles) > 1000
    assert all(tokenize(title) for title in titles)


def test_words_need_no_tensorflow():
    code = "import sys, vidmodel_tf.text.vocabulary; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
