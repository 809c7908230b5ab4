"""The proofs of transfers: where each stands on its page, and the path to the signed head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from models.ledger import Seal
from service.sealing.merkle import Paths

_LEAF_BYTES = 48


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


def _of_page(seal: Seal, wanted: set[UUID]) -> dict[UUID, Proof]:
    starts = range(0, len(seal.leaves), _LEAF_BYTES)
    paths = Paths([seal.leaves[at + 16 : at + _LEAF_BYTES] for at in starts])
    ids = {one.bytes: one for one in wanted}
    found = ((ids.get(seal.leaves[at : at + 16]), at // _LEAF_BYTES) for at in starts)
    return {one: Proof(index, paths.to(index), seal) for one, index in found if one is not None}
