"""What obliq costs in Python over C++: seconds of the import, microseconds of a search call.

    PYTHONPATH=build/release/python .venv/bin/python bench/python_overhead.py INDEX SET.hdf5

The import is timed in fresh interpreters that have NumPy already. A call: the same index, queries
and nprobe, one query per call on one pinned CPU, in turns through `obliq eval` and through the
package; the overhead is the median over rounds of the difference of their median latencies.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import h5py
import numpy as np
import obliq

from contestants import TOOL, run_program

IMPORT = ("import time; start = time.perf_counter(); import numpy; middle = time.perf_counter(); "
          "import obliq; print(middle - start, time.perf_counter() - middle)")


def import_seconds(repeats=11):
    """(NumPy's, obliq's after it), medians."""
    runs = [subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True,
                           check=True).stdout.split() for _ in range(repeats)]
    return [statistics.median(float(run[part]) for run in runs) for part in (0, 1)]


def cpp_latency(options):
    """Median microseconds of `obliq eval`, on the CPU that this process is pinned to."""
    words = [TOOL, "eval", options.index, options.data, "-k", "10", "--nprobe",
             str(options.nprobe), "--threads", "1", "--repeat", "1", "--json"]
    return json.loads(run_program(words).splitlines()[-1])["p50_us"]


def python_latency(index, queries, nprobe):
    taken = []
    for _ in range(2):  # the first pass warms up
        taken.clear()
        for query in queries:
            start = time.perf_counter_ns()
            index.search(query, 10, nprobe=nprobe, threads=1)
            taken.append(time.perf_counter_ns() - start)
    return statistics.median(taken) / 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("index")
    parser.add_argument("data", help="the set of the index, ann-benchmarks HDF5")
    parser.add_argument("--nprobe", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    numpy_seconds, obliq_seconds = import_seconds()
    print(f"import: NumPy {1e3 * numpy_seconds:.1f} ms, obliq {1e3 * obliq_seconds:.1f} ms more")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    index = obliq.Index.open(options.index, in_memory=True)
    with h5py.File(options.data, "r") as file:
        queries = [np.ascontiguousarray(row[None], dtype=np.float32) for row in file["test"][:]]
    pairs = [(cpp_latency(options), python_latency(index, queries, options.nprobe))
             for _ in range(options.rounds)]
    excess = sorted(theirs - ours for ours, theirs in pairs)
    print(f"search, nprobe {options.nprobe}: C++ {statistics.median(p[0] for p in pairs):.2f} us, "
          f"Python {statistics.median(p[1] for p in pairs):.2f} us, overhead "
          f"{statistics.median(excess):.2f} us ({excess[0]:.2f} to {excess[-1]:.2f})")


if __name__ == "__main__":
    main()
