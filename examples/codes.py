"""Codes without an index: TurboQuant and others as a way to keep vectors small.

    python examples/codes.py

Prints for some quantizers the bytes per vector, the cosine between a vector and what its code
stands for, and the error of inner products estimated from codes alone, relative to |x| |q|.
"""

import numpy as np

import obliq


def main() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2000, 256)).astype(np.float32)
    queries = rng.normal(size=(50, 256)).astype(np.float32)
    scale = np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(x, axis=1)

    print(f"{'spec':8} {'bytes':>6} {'cosine':>7} {'error':>8}")
    errors = {}
    for spec in ("tq2", "tqp4", "lm2", "lm4", "lm8", "e8q14", "sq8"):
        quantizer = obliq.Quantizer(spec, dim=256)
        codes = quantizer.encode(x)
        decoded = quantizer.decode(codes)
        cosine = (x * decoded).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(decoded, axis=1)
        products = quantizer.estimate(codes, queries)  # [50][2000], codes stay packed
        errors[spec] = float(np.sqrt(np.mean(((products - queries @ x.T) / scale) ** 2)))
        size = codes.codes.shape[1] + 4 * codes.factors.shape[1]
        print(f"{spec:8} {size:6} {cosine.mean():7.4f} {errors[spec]:8.5f}")
    assert errors["lm8"] < errors["lm4"] < errors["lm2"]

    # Codes are arrays: keep them as any other, with the spec, dim and seed that made them.
    quantizer = obliq.Quantizer("lm4", dim=256, seed=7)
    codes = quantizer.encode(x)
    again = obliq.Quantizer("lm4", dim=256, seed=7)
    assert (again.decode(codes) == quantizer.decode(codes)).all()


if __name__ == "__main__":
    main()
