"""Two builds of obliq beside each other: what a change did to speed, on a noisy machine.

    builds.py A B [--dataset sentences] [--quantizers sq8,lm4] [--nprobe 4,16,64] [--rounds 9]

A and B are git revisions, built under build/compare once and kept there, or paths of programs.
Both index the same centroids; then `obliq eval` runs pinned, in the order A B, B A, A B ... Each
round gives a ratio B/A of QPS for each point, and busy moments of the machine fall on both sides.
Shown is the median of the ratios with a distribution-free confidence interval: two order
statistics between which the true median lies with the level stated, whatever the noise is like.
The last line is about the geometric mean over the points. docs/benchmarks.md says more.
"""

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from contestants import FOLDER, TOOL, Failed, run_program
from sets import RESULTS, SETS, nlist_of, path_of

ROOT = os.path.normpath(os.path.join(FOLDER, ".."))
KEPT = os.path.join(ROOT, "build", "compare")
LEVEL = 0.95


def arguments(words=None):
    parser = argparse.ArgumentParser(description="Compares the speed of two builds of obliq.")
    parser.add_argument("a", metavar="A", help="git revision, or path of an obliq program")
    parser.add_argument("b", metavar="B", help="another one")
    parser.add_argument("--dataset", "--data", default="sample",
                        help=f"one of {', '.join(SETS)}, or an ann-benchmarks HDF5 file")
    parser.add_argument("--sets", default=RESULTS, help="folder of the data sets")
    parser.add_argument("--quantizers", default="sq8,lm4")
    parser.add_argument("--nlist", type=int, help="default: that of the set")
    parser.add_argument("--nprobe", default="4,16,64")
    parser.add_argument("--target-recall", help="target recalls to search for besides")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--repeat", type=int, default=5,
                        help="passes of a round over a point; their median is its QPS")
    parser.add_argument("--mode", choices=("single", "batch"), default="single")
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--json", action="store_true", help="a JSON object per line, no table")
    options = parser.parse_args(words)
    options.nlist = options.nlist or nlist_of(options.dataset)
    if not options.nlist:
        parser.error(f"{options.dataset} is no set with a name: it needs --nlist")
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds}: it must be 1 or more")
    return options


def log(text):
    print(f"builds: {text}", file=sys.stderr, flush=True)


# Programs ------------------------------------------------------------------------------------


def program_of(word, kept=KEPT):
    """Path of the program that `word` names; a revision is built unless it was before."""
    if os.path.isfile(word):
        return os.path.abspath(word)
    try:
        commit = run_program(["git", "-C", ROOT, "rev-parse", "--verify", "--quiet",
                              word + "^{commit}"]).strip()
    except Failed as failure:
        raise Failed(f"'{word}' is neither a program nor a git revision") from failure
    folder = os.path.join(kept, commit[:12])
    program = os.path.join(folder, "obliq")
    if not os.path.isfile(program):
        log(f"building {word} ({commit[:12]})")
        build(commit, folder, program)
    return program


def build(commit, folder, program):
    """Builds a commit in a worktree that is removed afterwards, and keeps the program alone."""
    tree = os.path.join(folder, "tree")
    remove_tree(tree)  # what an interrupted build may have left
    os.makedirs(folder, exist_ok=True)
    run_program(["git", "-C", ROOT, "worktree", "add", "--detach", tree, commit])
    environment = dict(os.environ)
    if shutil.which("ccache"):
        environment.update(CMAKE_CXX_COMPILER_LAUNCHER="ccache", CCACHE_BASEDIR=tree,
                           CCACHE_NOHASHDIR="1")
    made = os.path.join(tree, "build", "release")
    try:
        for words in (["cmake", "-S", tree, "-B", made, "-G", "Ninja",
                       "-DCMAKE_BUILD_TYPE=Release", "-DOBLIQ_TESTS=OFF", "-DOBLIQ_BENCH=OFF"],
                      ["cmake", "--build", made, "--target", "tools/obliq",
                       "--parallel", os.environ.get("OBLIQ_JOBS", str(os.cpu_count()))]):
            run_logged(words, os.path.join(folder, "build.log"), environment)
        shutil.copy2(os.path.join(made, "tools", "obliq"), program + ".tmp")
        os.replace(program + ".tmp", program)
    finally:
        remove_tree(tree)


def run_logged(words, path, environment):
    with open(path, "a", encoding="utf-8") as file:
        done = subprocess.run(words, stdout=file, stderr=subprocess.STDOUT, env=environment,
                              check=False)
    if done.returncode:
        raise Failed(f"{' '.join(words)}\nexit {done.returncode}, see {path}")


def remove_tree(tree):
    shutil.rmtree(tree, ignore_errors=True)
    run_program(["git", "-C", ROOT, "worktree", "prune"])


# Statistics ----------------------------------------------------------------------------------


def interval_ranks(count, level=LEVEL):
    """Ranks (from 1) of the order statistics around the median, the narrowest pair that holds the
    true median with a probability of `level` or more, and that probability. Fewer than six values
    cannot reach .95: then the extremes. For 9: (2, 8), 1 - 2 (1 + 9) / 2^9 = .961."""
    best = (1, count, 1 - 2 / 2**count)
    below = 0
    for rank in range(1, (count + 1) // 2 + 1):
        below += math.comb(count, rank - 1)
        reached = 1 - 2 * below / 2**count
        if reached < level:
            break
        best = (rank, count + 1 - rank, reached)
    return best


class Spread:
    """Ratios of the rounds: their median, and an interval that holds the true one."""

    def __init__(self, ratios):
        ordered = sorted(ratios)
        first, last, self.level = interval_ranks(len(ordered))
        self.median = statistics.median(ordered)
        self.low, self.high = ordered[first - 1], ordered[last - 1]

    def verdict(self):
        if self.level < LEVEL:
            return f"too few rounds: {self.level:.1%} is sure, {LEVEL:.0%} is wanted"
        if self.low > 1:
            return "faster"
        if self.high < 1:
            return "slower"
        return f"no difference seen (less than {100 * max(1 - self.low, self.high - 1):.1f} %)"

    def fields(self):
        return {"ratio": self.median, "low": self.low, "high": self.high, "level": self.level,
                "verdict": self.verdict()}


def compare(rounds):
    """Rounds: [({point: line of A}, {point: line of B}), ...]. Returns ({point: Spread}, Spread of
    the geometric means over the points of a round)."""
    ratios = {point: [b[point]["qps"] / a[point]["qps"] for a, b in rounds]
              for point in rounds[0][0]}
    means = [math.exp(statistics.fmean(map(math.log, of_round)))
             for of_round in zip(*ratios.values())]
    return {point: Spread(values) for point, values in ratios.items()}, Spread(means)


# Measuring -----------------------------------------------------------------------------------


def centroids_of(data, nlist, kept=KEPT):
    """Centroids by the working tree's own program, kept for the next comparison."""
    state = os.stat(data)
    name = f"{os.path.basename(data)}-{state.st_size}-{state.st_mtime_ns}-{nlist}.npy"
    path = os.path.join(kept, name)
    if not os.path.isfile(path):
        log(f"training {nlist} centroids")
        run_program([TOOL, "centroids", data, "-o", path, "--nlist", str(nlist)])
    return path


def build_index(program, quantizer, path, options):
    words = [program, "build", options.data, "-o", path, "--quantizer", quantizer,
             "--nlist", str(options.nlist), "--centroids", options.centroids]
    words += ["--train-queries", options.data] if ":query" in quantizer else []
    run_program(words)
    return path


def measure(program, indexes, options):
    """{(quantizer, nprobe or "for RECALL"): line of obliq eval}."""
    points = {}
    for quantizer, path in indexes.items():
        words = [program, "eval", path, options.data, "-k", "10", "--nprobe", options.nprobe,
                 "--repeat", str(options.repeat), "--threads", "1", "--json"]
        words += ["--target-recall", options.target_recall] if options.target_recall else []
        words += ["--batch"] if options.mode == "batch" else []
        for text in run_program(words, {options.cpu}).splitlines():
            line = json.loads(text)
            points[quantizer, line.get("nprobe") or f"for {line['target_recall']}"] = line
    return points


def measure_rounds(programs, options):
    """[(points of A, points of B), ...], A first in every other round."""
    with tempfile.TemporaryDirectory(dir=KEPT) as folder:
        indexes = [{quantizer: build_index(program, quantizer, os.path.join(
                        folder, f"{side}-{number}.obliq"), options)
                    for number, quantizer in enumerate(options.quantizers.split(","))}
                   for side, program in zip("ab", programs)]
        rounds = []
        for number in range(options.rounds):
            order = (0, 1) if number % 2 == 0 else (1, 0)
            measured = {side: measure(programs[side], indexes[side], options) for side in order}
            rounds.append((measured[0], measured[1]))
            log(f"round {number + 1} of {options.rounds}")
    return rounds


def report(rounds, options):
    """Lines to print: a point each, and the geometric mean over all."""
    spreads, overall = compare(rounds)
    rows = []
    for point, spread in spreads.items():
        a, b = (side[point] for side in rounds[0])
        rows.append({"quantizer": point[0], "nprobe": point[1], "recall_a": a["recall"],
                     "recall_b": b["recall"], **spread.fields()})
    last = {"points": len(rows), "rounds": len(rounds), "mode": options.mode, **overall.fields()}
    if options.json:
        return [json.dumps(row) for row in (*rows, last)]
    head = f"{'point':24} recall A recall B    B/A  {overall.level:.1%} interval"
    return [head, *map(text_of, rows),
            f"{'geometric mean':42} {ratio_text(last)}"]


def text_of(row):
    difference = row["recall_b"] - row["recall_a"]
    return (f"{row['quantizer'] + ' nprobe ' + str(row['nprobe']):24} {row['recall_a']:8.4f} "
            f"{row['recall_b']:8.4f} {ratio_text(row)}"
            + (f", recall {difference:+.4f}" if difference else ""))


def ratio_text(row):
    return f"{row['ratio']:6.3f}  {row['low']:.3f} to {row['high']:.3f}  {row['verdict']}"


def main(argv=None):
    options = arguments(argv)
    try:
        os.makedirs(KEPT, exist_ok=True)
        programs = [program_of(word) for word in (options.a, options.b)]
        options.data = path_of(options.dataset, options.sets)
        options.centroids = centroids_of(options.data, options.nlist)
        rounds = measure_rounds(programs, options)
    except (Failed, OSError) as failure:
        log(failure)
        return 1
    print("\n".join(report(rounds, options)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
