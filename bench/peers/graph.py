"""What the graphs of all peers share: one sweep, and one effort of building.

Every graph is built with a list of 200 candidates (efConstruction, in Vamana the window) and at
most 32 edges per vector in the layer that holds all vectors (M = 16 in HNSW), so that bytes and
build times compare. Searching sweeps the length of the candidate list.
"""

import runner as shared

M = 16             # edges per vector an upper layer; the bottom layer has twice as many
DEGREE = 2 * M
EF_CONSTRUCTION = 200
EFS = [10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024]


class GraphMethod(shared.Method):
    def sweep(self):
        k = self.run.set.k
        return [{"ef": ef} for ef in sorted({k} | {ef for ef in EFS if ef > k})]
