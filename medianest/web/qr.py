"""QR codes as part of a page: an SVG without scripts, styles or anything that is loaded."""

from __future__ import annotations

from markupsafe import Markup


def qr_code(text: str) -> Markup:
    """Black on white with its quiet border, as readers need it in the dark look as well; `.qr` gives it a size."""
    import segno

    made = segno.make(text, error="m", micro=False)
    # all that comes from outside are the dots
    return Markup(made.svg_inline(border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr"))  # noqa: S704
