"""How many of a data set's words have a vector."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping

_LOW_COVERAGE = 0.5  # of tokens; below it the vectors are probably of another language or another kind of text


@dataclasses.dataclass(frozen=True)
class Coverage:
    """Shares of the words of a vocabulary that have a vector, 0 to 1.

    Attributes:
        types: Of the different words.
        tokens: The same, each word as often as it comes in the training clips.
    """

    types: float
    tokens: float

    @classmethod
    def of(cls, counts: Mapping[str, int], covered: Collection[str]) -> Coverage:
        """The coverage of counted words.

        Args:
            counts: How often each word of the vocabulary comes.
            covered: The words that have a vector.

        Example:
            >>> Coverage.of({"red": 3, "qwx": 1}, {"red"})
            Coverage(types=0.5, tokens=0.75)
        """
        found = [word for word in counts if word in covered]
        num_tokens = sum(counts.values())
        return cls(
            types=round(len(found) / max(1, len(counts)), 4),
            tokens=round(sum(counts[word] for word in found) / max(1, num_tokens), 4),
        )

    def describe(self) -> str:
        """One line for people, a warning where less than half of the words have a vector.

        Example:
            >>> Coverage(types=0.845, tokens=0.945).describe()
            'word vectors: for 84.5 % of the words of the vocabulary, 94.5 % counted as often as they come'
        """
        shares = f"{100 * self.types:.1f} % of the words of the vocabulary, {100 * self.tokens:.1f} % counted as often"
        if self.tokens < _LOW_COVERAGE:
            return f"warning: word vectors for only {shares} as they come: are they of the language of the data set?"
        return f"word vectors: for {shares} as they come"
