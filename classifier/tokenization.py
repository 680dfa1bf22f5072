"""Turn parts into token ids with their character offsets.

No text can forge a marker: role and channel markers are ids that are put in by `windowing`, never
text, and special tokens typed inside a message are tokenized as the plain characters they are. The
latter is a setting that `tokenizers` neither defaults to nor saves, so it is set here, at the one
place where a tokenizer is loaded, in training too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer as FastTokenizer

from classifier.arrays import Ints
from classifier.rendering import Part


@dataclass(frozen=True, slots=True)
class Segment:
    """A tokenized part."""

    part: Part
    input_ids: Ints
    """Shape (n_tokens,), no special tokens."""

    offsets: Ints
    """Shape (n_tokens, 2): characters of the part's text that each token stands for."""

    n_unknown: int
    """Tokens that stand for text the vocabulary cannot spell."""


class Tokenizer:
    """The bundle's tokenizer, made safe against forged markers."""

    def __init__(self, fast: FastTokenizer, *, unknown_id: int | None) -> None:
        fast.encode_special_tokens = True
        fast.no_padding()
        fast.no_truncation()
        self._fast = fast
        self._unknown_id = unknown_id

    @classmethod
    def from_file(cls, path: Path, *, unknown_token: str = "[UNK]") -> "Tokenizer":
        """Load a `tokenizer.json`."""
        fast = FastTokenizer.from_file(str(path))
        return cls(fast, unknown_id=fast.token_to_id(unknown_token))

    def segments(self, parts: Sequence[Part]) -> list[Segment]:
        """Tokenize parts, in order; a part without a token (white space) gives no segment."""
        encodings = self._fast.encode_batch([part.text for part in parts], add_special_tokens=False)
        segments = []
        for part, encoding in zip(parts, encodings, strict=True):
            ids = np.array(encoding.ids, dtype=np.int32)
            if ids.size == 0:
                continue
            offsets = np.array(encoding.offsets, dtype=np.int32)
            unknown = 0 if self._unknown_id is None else int((ids == self._unknown_id).sum())
            segments.append(Segment(part, ids, offsets, unknown))
        return segments
