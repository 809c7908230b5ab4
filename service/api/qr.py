"""QR codes as pictures."""

from io import BytesIO

import segno


def drawn(text: str) -> bytes:
    """The text as a QR code, in SVG."""
    out = BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", scale=4, xmldecl=False)
    return out.getvalue()
