"""turbovec (the turbovec wheel): TurboQuant codes of 2 or 4 bits, all of them scanned; no lists.

It is calibrated before adding, as its documentation advises: on 4,096 rows drawn at random (it
asks for about 1,024). Unit vectors are searched by inner product, the only metric it has; on an L2
set it would answer another question, so it refuses. A sweep is one point: nothing trades speed
for recall.

Widths are 2 and 4; 3 works but is stored as 4. The saved file has codes and scales; no ids (row
numbers) and no raw vectors. Searches run on a pool of threads that no call can resize: it has as
many as there are CPUs that the process may use, and so follows how the process is pinned.
"""

import importlib.metadata

import numpy as np
import turbovec

import runner as shared

DEFAULT = "2;4"
SAMPLE, SEED = 4096, 1


class TurbovecFlat(shared.Method):
    """`spec` is the bits per coordinate."""

    def __init__(self, run, spec):
        if run.set.metric == "l2":
            raise SystemExit("turbovec: it has inner product only and cannot search an L2 set")
        self.run, self.bits = run, int(spec)
        self.name = f"turbovec flat {spec} bits"

    def build(self):
        base = self.run.set.base
        self.index = turbovec.TurboQuantIndex(base.shape[1], self.bits)
        rows = np.random.default_rng(SEED).permutation(len(base))[:SAMPLE]
        self.index.calibrate(base[rows])
        self.index.add(base)

    def save(self, path):
        self.index.write(path)

    def load(self, path):
        self.index = turbovec.TurboQuantIndex.load(path)
        self.index.prepare()
        self.rows = list(self.run.set.queries[:, None])
        self.empty = turbovec.TurboQuantIndex(self.run.set.dim, self.bits)

    def sweep(self):
        return [{}]

    def set(self, params):
        pass

    def one(self, query):
        self.index.search(self.rows[query], self.run.set.k)

    def all(self, threads):
        return self.index.search(self.run.set.queries, self.run.set.k)[1]

    def empty_call(self):
        self.empty.search(self.rows[0], 1)


def main():
    versions = {"turbovec": importlib.metadata.version("turbovec")}
    shared.main(TurbovecFlat, DEFAULT, versions, "turbovec flat")


if __name__ == "__main__":
    main()
