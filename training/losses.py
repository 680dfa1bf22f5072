"""What training minimises: the windows' answers, and the words that show them."""

import torch
from torch import Tensor
from torch.nn import functional


def window_loss(
    logits: Tensor, targets: Tensor, weights: Tensor, positive_weight: Tensor
) -> Tensor:
    """Binary cross-entropy over known answers.

    Args:
        logits: Shape (n_windows, n_outputs).
        targets: Same shape.
        weights: Same shape; 0 where the answer is unknown.
        positive_weight: Shape (n_outputs,), what a positive weighs.

    Returns:
        The weighted mean.
    """
    loss = functional.binary_cross_entropy_with_logits(
        logits, targets, reduction="none", pos_weight=positive_weight
    )
    return (loss * weights).sum() / weights.sum().clamp(min=1.0)


def token_loss(
    token_logits: Tensor, token_targets: Tensor, pool_mask: Tensor, weights: Tensor
) -> Tensor:
    """Binary cross-entropy over the agent's tokens, positives and negatives in equal parts.

    Args:
        token_logits: Shape (n_windows, n_tokens, n_outputs).
        token_targets: Same shape, 1 on quoted tokens.
        pool_mask: Shape (n_windows, n_tokens).
        weights: Shape (n_windows, n_outputs); unknown or unsure windows teach no token.

    Returns:
        The mean of the positives' mean and the negatives' mean.
    """
    loss = functional.binary_cross_entropy_with_logits(
        token_logits, token_targets, reduction="none"
    )
    trusted = pool_mask.unsqueeze(-1) * (weights >= 1.0).unsqueeze(1)
    positive = trusted * token_targets
    negative = trusted * (1.0 - token_targets)
    positive_mean = (loss * positive).sum() / positive.sum().clamp(min=1.0)
    negative_mean = (loss * negative).sum() / negative.sum().clamp(min=1.0)
    return 0.5 * (positive_mean + negative_mean)


def positive_weights(targets: Tensor, weights: Tensor) -> Tensor:
    """Square root of negatives per positive for each output, at most 5.

    Args:
        targets: Shape (n_examples, n_outputs).
        weights: Same shape.
    """
    positive = (targets * weights).sum(0)
    negative = ((1.0 - targets) * weights).sum(0)
    return (negative / positive.clamp(min=1.0)).clamp(min=1.0).sqrt().clamp(max=5.0)


def device_of(model: torch.nn.Module) -> torch.device:
    """Where a model's parameters lie."""
    return next(model.parameters()).device
