"""A tree of hashes as in RFC 6962: its root speaks for all leaves, a short path for one."""

import hashlib
from collections.abc import Iterable, Sequence

_NODE = b"\x01"
EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


class Tree:
    """A tree that is given its leaves one by one; it keeps a hash for each level."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Put a leaf, 32 bytes, to the right of the others."""
        self.size += 1
        size, peaks = self.size, self._peaks
        while not size & 1:
            leaf = hashlib.sha256(_NODE + peaks.pop() + leaf).digest()
            size >>= 1
        peaks.append(leaf)

    def root(self) -> bytes:
        """The root of the leaves so far."""
        if not self._peaks:
            return EMPTY
        *left, root = self._peaks
        for peak in reversed(left):
            root = _node(peak, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root of a tree with these leaves."""
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


class Paths:
    """The paths of a tree's leaves; the tree is hashed once for all of them."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels = [leaves]
        while len(level := self._levels[-1]) > 1:
            above = [_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
            # Who has nobody beside goes up as is.
            self._levels.append([*above, *level[len(above) * 2 :]])

    def to(self, index: int) -> list[bytes]:
        """The hashes that lead from a leaf to the root, the nearest first."""
        beside = [(level, index >> height ^ 1) for height, level in enumerate(self._levels)]
        return [level[at] for level, at in beside if at < len(level)]


def root_from(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root to which a path leads from a leaf; None if a tree of this size has no such path."""
    if not 0 <= index < size:
        return None
    node, last, root = index, size - 1, leaf
    for beside in path:
        if last == 0:
            return None
        if node & 1 or node == last:
            root = _node(beside, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = _node(root, beside)
        node, last = node >> 1, last >> 1
    return root if last == 0 else None


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
