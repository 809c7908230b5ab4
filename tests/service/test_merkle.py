"""The tree of hashes equals the plain definition in RFC 6962, and proves nothing that isn't so."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from service.sealing.merkle import EMPTY, Paths, root_from, root_of

LEAVES = st.lists(st.binary(min_size=32, max_size=32), max_size=70)
SOME = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70, unique=True)


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word; leaves are hashed already."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    sides = naive_root(leaves[:split]) + naive_root(leaves[split:])
    return hashlib.sha256(b"\x01" + sides).digest()


@given(LEAVES)
def test_the_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    assert root_of(leaves) == naive_root(leaves)


def test_an_empty_page_has_a_root() -> None:
    assert root_of([]) == EMPTY


@given(SOME, st.data())
def test_a_path_leads_from_its_leaf_to_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = Paths(leaves).to(index)
    assert root_from(leaves[index], index, len(leaves), path) == root_of(leaves)


@given(SOME, st.data())
def test_no_other_leaf_place_or_path_leads_there(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(
        st.integers(0, len(leaves) - 1).filter(lambda i: i != index or len(leaves) == 1)
    )
    path, root = Paths(leaves).to(index), root_of(leaves)
    forged = bytes(32) if leaves[index] != bytes(32) else b"\x01" * 32
    assert root_from(forged, index, len(leaves), path) != root
    assert root_from(leaves[index], index, len(leaves), [*path, root]) != root
    if path:
        assert root_from(leaves[index], index, len(leaves), path[:-1]) != root
    if other != index:
        assert root_from(leaves[other], index, len(leaves), path) != root


@given(st.integers(-3, 3), st.integers(-3, 3))
def test_a_place_outside_of_the_tree_leads_nowhere(index: int, size: int) -> None:
    if not 0 <= index < size:
        assert root_from(bytes(32), index, size, []) is None
