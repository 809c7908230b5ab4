"""Positions as people type them."""

import typer


def latitude(text: str) -> float:
    """Degrees north. Raises BadParameter."""
    return _degrees(text, 90)


def longitude(text: str) -> float:
    """Degrees east. Raises BadParameter."""
    return _degrees(text, 180)


def _degrees(text: str, most: int) -> float:
    try:
        found = float(text)
    except ValueError:
        example = text.replace(",", ".", 1) if _has_comma(text) else "3.56"
        raise typer.BadParameter(
            f"{text} is not a number of degrees. Write it with a point, like {example}."
        ) from None
    if not -most <= found <= most:
        raise typer.BadParameter(f"{text} is not between -{most} and {most} degrees.")
    return found


def _has_comma(text: str) -> bool:
    """Whether it is a number but for its decimal comma."""
    return text.count(",") == 1 and text.replace(",", "").lstrip("-").isdecimal()
