"""The proofs of transfers: where each stands on its page, and the path to the signed head."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from models.ledger import Seal
from service.sealing.merkle import Paths

LEAF_BYTES = 48
"""What a seal keeps of a transfer: 16 bytes of its id, and the 32 of its leaf."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The way from a transfer's leaf to the signed head of its page."""

    index: int
    path: list[bytes]
    seal: Seal


def proofs_of(seals: Sequence[Seal], of_page: Mapping[int, set[UUID]]) -> dict[UUID, Proof]:
    """The proofs of these transfers, by id. Hashes each page once: for a thread of its own.

    A transfer that isn't among those that were sealed has none: `jumpa verify` says why.
    """
    return {
        transfer_id: proof
        for seal in seals
        for transfer_id, proof in _of_page(seal, of_page.get(seal.page, set())).items()
    }


def leaves_in(kept: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Id and leaf of each transfer of a page, in its order, as a seal keeps them."""
    for at in range(0, len(kept), LEAF_BYTES):
        yield kept[at : at + 16], kept[at + 16 : at + LEAF_BYTES]


def _of_page(seal: Seal, wanted: set[UUID]) -> dict[UUID, Proof]:
    paths = Paths([leaf for _, leaf in leaves_in(seal.leaves)])
    ids = {one.bytes: one for one in wanted}
    found = ((ids.get(own), index) for index, (own, _) in enumerate(leaves_in(seal.leaves)))
    return {one: Proof(index, paths.to(index), seal) for one, index in found if one is not None}
