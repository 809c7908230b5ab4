"""QR codes as pictures."""

from io import BytesIO

import segno


def drawn(text: str) -> bytes:
    """The text as a QR code in SVG: on white, since scanners see nothing on a dark page.

    With a unit segno adds a viewBox, without which it can't be shown larger or smaller.
    """
    out = BytesIO()
    code = segno.make(text, error="m", micro=False)
    code.save(out, kind="svg", scale=4, xmldecl=False, light="white", unit="px")
    return out.getvalue()
