"""Imports obliq, builds, searches and codes: what must work with NumPy alone, on any CPU.

Run by itself: with OBLIQ_EXPECT_SIMD the instruction level must be that one."""

import os

import numpy as np

import obliq

expected = os.environ.get("OBLIQ_EXPECT_SIMD", obliq.simd())
assert obliq.simd() == expected, f"level {obliq.simd()} instead of {expected}"
base = np.random.default_rng(1).normal(size=(500, 48)).astype(np.float32)
for spec in ("sq8", "lm4", "tqp4"):
    index = obliq.Index.build(base, quantizer=spec, nlist=8)
    assert (index.search(base[:20], k=3, nprobe=8).ids[:, 0] == np.arange(20)).all()
    quantizer = obliq.Quantizer(spec, 48)
    assert quantizer.decode(quantizer.encode(base)).shape == base.shape
    print(spec, "works at level", obliq.simd())
