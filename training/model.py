"""The network: any encoder, a score for each token, and a verdict for each window.

Only tokens the agent wrote are pooled. Each output looks at the window twice: at the mean of its
tokens, and at the tokens that it takes for telling ones; the scores by which it chooses them are
the evidence that is shown to people, so what is shown is what was looked at.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoModel


class TranscriptEncoder(nn.Module):
    """Encoder with a token head and a window head."""

    def __init__(self, encoder: nn.Module, *, hidden: int, n_outputs: int, dropout: float) -> None:
        """Put fresh heads on an encoder.

        Args:
            encoder: Takes `input_ids` and `attention_mask`, gives `last_hidden_state`.
            hidden: Width of the encoder.
            n_outputs: Labels times questions.
            dropout: Share of features dropped before the window head while training.
        """
        super().__init__()
        self.encoder = encoder
        self.token_head = nn.Linear(hidden, n_outputs)
        self.mean_head = nn.Linear(hidden, n_outputs)
        self.telling_head = nn.Parameter(torch.empty(n_outputs, hidden))
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.telling_head, std=0.02)
        # Telling tokens are rare: begin by taking none for one.
        nn.init.constant_(self.token_head.bias, -3.0)

    @classmethod
    def from_pretrained(
        cls, path: str | Path, *, n_outputs: int, dropout: float
    ) -> "TranscriptEncoder":
        """Put fresh heads on a pretrained encoder (a folder or a hub name).

        Attention dropout is off: it halves the speed on a CPU and helps nothing here.
        """
        # The eager attention is the one whose export is fastest in ONNX Runtime.
        encoder = AutoModel.from_pretrained(
            path, attn_implementation="eager", attention_probs_dropout_prob=0.0, dtype=torch.float32
        )
        if hasattr(encoder, "pooler"):
            encoder.pooler = None
        hidden = int(encoder.config.hidden_size)
        return cls(encoder, hidden=hidden, n_outputs=n_outputs, dropout=dropout)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, pool_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Score windows.

        Args:
            input_ids: Shape (n_windows, n_tokens).
            attention_mask: Same shape; 0 on padding.
            pool_mask: Same shape; 1 on tokens of the agent's.

        Returns:
            Logits of shape (n_windows, n_outputs) and token logits of shape (n_windows, n_tokens,
            n_outputs); the latter mean nothing where `pool_mask` is 0.
        """
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        token_logits = self.token_head(states)
        weight = pool_mask.unsqueeze(-1).to(states.dtype)
        mean = (states * weight).sum(1) / weight.sum(1).clamp(min=1.0)
        attention = torch.softmax(token_logits + (1.0 - weight) * -1e4, dim=1)
        telling = torch.matmul(attention.transpose(1, 2), states)
        logits = self.mean_head(self.dropout(mean))
        logits = logits + (self.dropout(telling) * self.telling_head).sum(-1)
        return logits, token_logits
