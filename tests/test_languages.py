from __future__ import annotations

import pytest

from vidmodel_tf.words.languages import best_codes, is_language


@pytest.mark.parametrize("code", ["en", "deu", "pt-BR", "zh-Hans", "en-orig", "pt_BR", "EN"])
def test_codes(code: str) -> None:
    assert is_language(code)


@pytest.mark.parametrize("code", ["", "v1", "english", "e", "en-", "en us", "2024", "info"])
def test_other_parts_of_names(code: str) -> None:
    assert not is_language(code)


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        (["en"], ["en", "en-orig", "en-GB", "en-US"]),
        (["de"], ["ger"]),
        (["deu"], ["ger"]),
        (["fr", "de"], ["fra", "ger"]),
        (["en-US", "de"], ["en-US", "ger"]),
        (["EN_us"], ["en-US"]),
        (["pt"], ["pt-BR"]),
        (["pt-PT", "ja"], []),
        ([], []),
    ],
)
def test_the_best_codes_for_languages(languages: list[str], expected: list[str]) -> None:
    assert best_codes(["ger", "en-US", "en-GB", "en-orig", "en", "fra", "pt-BR", "e"], languages) == expected


def test_a_code_comes_once() -> None:
    assert best_codes(["en", "en-US"], ["en-US", "en", "eng"]) == ["en-US", "en"]
