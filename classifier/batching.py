"""Decide which windows share a padded batch.

A padded batch costs its longest window times its size, so that product is what a budget limits. The
result of a window never depends on its batch; only the cost does.
"""

from collections.abc import Sequence


def take_batch(lengths: Sequence[int], *, max_batch_tokens: int) -> int:
    """Count how many windows from the front fit in one padded batch.

    Args:
        lengths: Tokens per waiting window, special tokens included, in the order they wait.
        max_batch_tokens: Budget for `batch size * longest`, in tokens.

    Returns:
        Number of windows to take. At least 1 when any waits, so that a window longer than the
        budget still runs, alone.
    """
    longest = 0
    for size, length in enumerate(lengths, start=1):
        longest = max(longest, length)
        if longest * size > max_batch_tokens:
            return max(size - 1, 1)
    return len(lengths)


def plan_batches(lengths: Sequence[int], *, max_batch_tokens: int) -> list[list[int]]:
    """Group windows of similar length into batches within the budget.

    Returns:
        Indices of the windows of each batch; each index stands exactly once.
    """
    order = sorted(range(len(lengths)), key=lambda index: lengths[index])
    batches = []
    while order:
        size = take_batch([lengths[index] for index in order], max_batch_tokens=max_batch_tokens)
        batches.append(order[:size])
        order = order[size:]
    return batches
