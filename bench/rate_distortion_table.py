"""The table of docs/notes/rate_distortion.md from the JSON lines of `obliq distortion`.

    rate_distortion_table.py DIM_128.jsonl DIM_768.jsonl > table.md

A row per spec, by code bits: distortion D (x^ times one constant, the best for all samples) and its
gap log2(D 4^bits)/2 to Shannon at both dims, the D published for large dims,
dim * variance and bias of an inner product at rho = 0, real bytes and rates at the second dim.
"""

import json
import sys

LLOYD_MAX = {1: .36338, 2: .11748, 3: .034548, 4: .0095010, 5: .0025047, 6: .00064424,
             7: .00016348, 8: .000041185}
# D for large dims: exact for lm and tq, by simulation for the others (two-basis codes, nested
# lattices, trellises of 256 states), of the published encoder: a plain spec may do better.
EXPECTED = {
    **{f"{name}{bits}": d for name in ("lm", "tq") for bits, d in LLOYD_MAX.items()},
    "tcq1": .2854, "tcq2": .0804, "tcq3": .0224, "tcq4": .0064,
    "tq2.5": .0967, "kashin4:paper": .056, "kashin4:alternating": .0165, "kashin4:signs": .0141,
    "kashin4:anneal": .0152, "kashin2": .1054, "kashin4": .0137, "kashin6": .00119,
    "kashin8": .00009, "e8q3": .1624, "e8q4": .0825, "e8q4:opt": .0825, "e8q5": .0492,
    "e8q6": .0333, "e8q7": .0243, "e8q8": .0185, "e8q10": .01167, "e8q12": .00802,
    "e8q14": .00587, "e8q16": .00448, "d4q8": .01654, "d4q16": .00413,
}


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(text) for text in file if text.strip()]
    return {line["spec"]: line for line in lines if "spec" in line}


def number(value):
    """Three digits, without the zero in front of the point."""
    text = f"{value:.3g}" if value >= 1e-4 else f"{value:.2e}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def rate(value):
    return f"{value / 1e6:.1f} M" if value >= 1e6 else f"{value / 1e3:.1f} k"


def row(small, large):
    spec = small["spec"]
    cells = [f"`{spec}`", f"{large['bits']:g}", f"{large['bytes_per_vector']:g}"]
    for line in (small, large):
        cells += [number(line["shrunk_mse"]), f"{line['gap_bits']:.3f}"]
    cells.append(number(EXPECTED[spec]) if spec in EXPECTED else "")
    cells += [number(small["ip_var_d"][0]), number(large["ip_var_d"][0]),
              f"{large['ip_bias'][-1]:+.4f}", rate(large["encode_per_s"]),
              rate(large["products_per_s"])]
    return "| " + " | ".join(cells) + " |"


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    small, large = (read_lines(path) for path in sys.argv[1:])
    dims = [next(iter(lines.values()))["dim"] for lines in (small, large)]
    rho = next(iter(large.values()))["rho"][-1]
    head = ["spec", "bits", f"bytes, {dims[1]}", f"D, {dims[0]}", "gap", f"D, {dims[1]}", "gap",
            "D published", f"d Var, {dims[0]}", f"d Var, {dims[1]}", f"bias at {rho:g}",
            f"encode/s, {dims[1]}", f"products/s, {dims[1]}"]
    print("| " + " | ".join(head) + " |")
    print("|---" * len(head) + "|")
    shared = [spec for spec in small if spec in large]
    for spec in sorted(shared, key=lambda each: small[each]["bits"]):
        print(row(small[spec], large[spec]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
