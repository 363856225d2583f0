"""How many of a data set's words have a vector."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping

LOW_COVERAGE = 0.5  # of tokens; below it the vectors are probably of another language or another kind of text


@dataclasses.dataclass(frozen=True)
class Coverage:
    """Shares of the words of the training clips that have a vector, 0 to 1.

    Attributes:
        types: Of the different words.
        tokens: Of all words, each as often as it comes.
    """

    types: float
    tokens: float

    @classmethod
    def of(cls, counts: Mapping[str, int], covered: Collection[str]) -> Coverage:
        """The coverage of counted words.

        Args:
            counts: How often each word comes.
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

    @property
    def is_low(self) -> bool:
        """Whether a warning is due."""
        return self.tokens < LOW_COVERAGE
