"""Dividing whole rupiah or grams so that nothing is left over."""

from collections.abc import Sequence


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """A total divided in proportion to weights, to the unit; it is summed up exactly.

    Each gets its share rounded down; what is left goes one by one to the largest remainders,
    the earlier one first. The weights are not negative and not all 0, unless the total is 0.
    """
    whole = sum(weights) or 1
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: -(total * weights[i] % whole))
    for index in by_remainder[: total - sum(shares)]:
        shares[index] += 1
    return shares
