"""Checks a receipt offline: a file, a public key, and nothing else."""

import json
from pathlib import Path

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from service.cli.refusals import Refused
from service.keys import public_keys_in
from service.sealing.figures import NOT_PROVEN
from service.sealing.proving import NoReceipt, Proof, prove


def verify_receipt(file: Path, key: str) -> None:
    """Say whether the receipt is what was sealed; exit code 1 if it isn't."""
    receipt = _read(file)
    given = _public_keys(key) if key else ()
    try:
        proof = prove(receipt, given)
    except NoReceipt as error:
        raise Refused(str(error)) from error
    _tell(receipt, proof, is_key_given=bool(given))
    if proof.problems or not proof.is_sealed:
        raise typer.Exit(1)


def _read(file: Path) -> dict[str, object]:
    try:
        receipt = json.loads(file.read_bytes())
    except ValueError as error:
        raise Refused(f"{file} is no JSON: {error}") from None
    except RecursionError:
        raise Refused(f"{file} is no receipt: it is nested too deep.") from None
    if not isinstance(receipt, dict):
        raise Refused(f"{file} is no receipt.")
    return receipt


def _public_keys(given: str) -> tuple[Ed25519PublicKey, ...]:
    """The keys in a PEM file, or one written as 64 hexadecimal digits."""
    try:
        if len(given) == 64:
            return (Ed25519PublicKey.from_public_bytes(bytes.fromhex(given)),)
        return public_keys_in(Path(given).read_text())
    except (ValueError, OSError) as error:
        raise Refused(f"--key is no Ed25519 public key: {error}") from None


def _tell(receipt: dict[str, object], proof: Proof, *, is_key_given: bool) -> None:
    if not proof.is_sealed:
        typer.echo("This receipt has no proof yet: its page was not sealed when it was made.")
        return
    for problem in proof.problems:
        typer.echo(problem)
    if proof.problems:
        typer.echo("This receipt does not fit.")
        return
    for line in proof.shown:
        typer.echo(line)
    typer.echo(
        f"{proof.transfers} transfers stand in the sealed book as shown, and the figures of the"
        f" receipt are theirs. Not proven: {NOT_PROVEN}."
    )
    if not is_key_given:
        typer.echo(
            f"The key was taken from the receipt, so this proves only that it fits itself."
            f" Compare {', '.join(proof.key_ids)} with the keys that the waste bank published."
        )
