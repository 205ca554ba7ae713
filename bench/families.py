"""What a method's name says: its family (colour of the chart) and its class of bits.

Names are those of `obliq eval` ("obliq lm4"), FAISS's factory strings behind "faiss " and
"rabitqlib IVF<nlist> <bits> bits". Methods of one class spend about as many bits a dimension and
are compared with each other: 1, 2, 4, 8, and 32 for exact vectors.
"""

import re

# Okabe and Ito's colours where they last: told apart by colour-blind readers.
COLOURS = {
    "obliq lm": "#0072b2",
    "obliq sq": "#d55e00",
    "obliq": "#56b4e9",
    "rabitqlib IVF": "#009e73",
    "rabitqlib IVF + router": "#004d38",
    "faiss RaBitQfs": "#cc79a7",
    "faiss PQ4fs": "#e69f00",
    "faiss PQ4fs + refine": "#8c6100",
    "faiss PQ": "#b8ac00",
    "faiss SQ": "#8c8c8c",
    "faiss Flat": "#404040",
}
OTHER_COLOUR = "#7b5ea7"


def family_of(method):
    """A key of COLOURS, or the method's first word."""
    if method.startswith("obliq"):
        found = re.match(r"obliq (lm|sq)", method)
        return found.group(0) if found else "obliq"
    if method.startswith("rabitqlib IVF"):
        return "rabitqlib IVF + router" if "router" in method else "rabitqlib IVF"
    if re.search(r"PQ\d+x4fs", method):
        refined = "Refine" in method or "RFlat" in method
        return "faiss PQ4fs + refine" if refined else "faiss PQ4fs"
    found = re.search(r"RaBitQfs|PQ|SQ|Flat", method)
    return f"faiss {found.group(0)}" if found else method.split()[0]


def bits_class(method, dim):
    """1, 2, 4, 8 or 32; None for an unknown name."""
    bits = bits_a_dimension(method, dim)
    if bits is None:
        return None
    return next((size for size in (1, 2, 4, 8) if bits <= size * 1.25), 32)


def bits_a_dimension(method, dim):
    """Bits of the most accurate code that a name promises; 32 for exact vectors."""
    if re.search(r"RFlat|\bFlat|fp32", method):
        return 32
    for pattern, factor in ((r"Refine\(SQ(\d+)\)", 1), (r"PQ(\d+)x4fs", 4 / dim),
                            (r"PQ(\d+)", 8 / dim), (r"SQ(\d+)", 1), (r"RaBitQfs(\d+)", 1),
                            (r"(\d+) bits", 1), (r"obliq [a-z]+([\d.]+)", 1)):
        found = re.search(pattern, method)
        if found:
            return float(found.group(1)) * factor
    return 1 if "RaBitQfs" in method else None
