"""What a method's name and bytes say: its family (colour of the chart) and its class of bytes."""

import math
import re

# Okabe and Ito's colours where they last: told apart by colour-blind readers.
COLOURS = {
    "obliq sq": "#d55e00",
    "obliq lm": "#0072b2",
    "obliq": "#56b4e9",
    "rabitqlib IVF": "#009e73",
    "rabitqlib IVF + router": "#004d38",
    "rabitqlib HNSW": "#7fc97f",
    "rabitqlib SymphonyQG": "#000000",
    "faiss RaBitQfs": "#cc79a7",
    "faiss PQ4fs": "#e69f00",
    "faiss PQ4fs + refine": "#8c6100",
    "faiss SQ": "#8c8c8c",
    "faiss Flat": "#404040",
    "faiss Panorama": "#9467bd",
    "faiss HNSW": "#b8ac00",
    "hnswlib": "#a6761d",
    "usearch": "#e7298a",
    "turbovec": "#66c2a5",
    "scann": "#8da0cb",
    "svs": "#1f78b4",
    "lorann": "#17becf",
    "lancedb": "#b15928",
    "chromadb": "#6a3d9a",
}
OTHER_COLOUR = "#7b5ea7"

# The classes are those of 2, 4 and 8 bits per dimension with 24 bytes for factors, ids, centroids.
CLASSES = {"d/4 + 24": lambda dim: dim / 4 + 24, "d/2 + 24": lambda dim: dim / 2 + 24,
           "d + 24": lambda dim: dim + 24, "any": lambda dim: math.inf}


def family_of(method):
    """A key of COLOURS, or the method's first word."""
    if method.startswith("obliq"):
        found = re.match(r"obliq (lm|sq)", method)
        return found.group(0) if found else "obliq"
    if method.startswith("rabitqlib IVF"):
        return "rabitqlib IVF + router" if "router" in method else "rabitqlib IVF"
    if method.startswith("rabitqlib "):
        return " ".join(method.split()[:2])
    if not method.startswith("faiss "):
        return method.split()[0]
    if re.search(r"PQ\d+x4fs", method):
        refined = "Refine" in method or "RFlat" in method
        return "faiss PQ4fs + refine" if refined else "faiss PQ4fs"
    found = re.search(r"RaBitQfs|HNSW|PQ|SQ|Panorama|Flat(?!Panorama)", method)
    return f"faiss {found.group(0)}" if found else "faiss"
