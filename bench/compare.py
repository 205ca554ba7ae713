"""obliq beside its peers: one machine, one set, the same nlist and centroids, interleaved.

    compare.py [--dataset NAME|FILE] [--nlist N] [--k 10,100] [--peers all|faiss,...]
               [--methods RUNNER:SPEC ...] [--modes single:1,batch:1,batch:all] [--quick]
               [--repeats 5] [--out FOLDER]

Trains the shared centroids (FAISS k-means), builds every index or takes it from the cache, finds
every method's points and their recalls, then goes through the methods in turn, `repeats` times,
each turn a process of its own that times one method over its sweep. Writes OUT/results.jsonl
(bench/results.py) after every round, then OUT/table.md and two charts for each mode and k, and
prints the tables. How fair that is: docs/benchmarks.md.
"""

import argparse
import datetime
import itertools
import os
import sys
import time

from contestants import FOLDER, Contestant, Failed, Runner, run_program
from report import report
from results import commit, machine, write_results
from rounds import merge_rounds
from sets import RESULTS, SETS, nlist_of, path_of

sys.path.insert(0, os.path.join(FOLDER, "peers"))
from registry import LIBRARIES, NOT_MADE, python_of  # noqa: E402


def arguments(words=None):
    parser = argparse.ArgumentParser(description="Compares obliq with its peers.")
    parser.add_argument("--dataset", default="sample",
                        help=f"{', '.join(SETS)}; or an ann-benchmarks HDF5 file")
    parser.add_argument("--sets", default=RESULTS, help="folder of the data sets")
    parser.add_argument("--nlist", type=int, help="default: the set's own, or 4 sqrt(n)")
    parser.add_argument("--k", dest="ks", type=parse_ks, default=[10],
                        help="neighbours per query; a comma list: each index is measured for all")
    parser.add_argument("--peers", default="all",
                        help=f"comma list of {', '.join(LIBRARIES)}; all; none for obliq alone")
    parser.add_argument("--methods", nargs="+", default=[], metavar="RUNNER:SPEC",
                        help="instead of the default ones, e.g. faiss_ivf:SQ8 obliq_ivf:lm4")
    parser.add_argument("--nprobe", default="", help="comma list; nlist itself is always added")
    parser.add_argument("--modes", type=parse_modes,
                        help="comma list of single:THREADS and batch:THREADS; all: every core; "
                        "default single:1,batch:1,batch:all, or single:1 when quick")
    parser.add_argument("--quick", action="store_true", help="few methods, points and repeats")
    parser.add_argument("--repeats", type=int, help="rounds; default 5; 3 when quick")
    parser.add_argument("--seconds", type=float, help="budget of a timed pass; default .3, or .05")
    parser.add_argument("--longest-batch", type=float, default=5,
                        help="a batch expected to take more seconds is not timed")
    parser.add_argument("--build-threads", type=int, default=core_count())
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)),
                        help="where one thread runs")
    parser.add_argument("--cache", help="centroids and indexes; default OUT/cache")
    parser.add_argument("--out", help="default: results/ and the name of the set")
    options = parser.parse_args(words)
    check(parser, options)
    fill_in(options)
    return options


def check(parser, options):
    """Ends the program at what argparse lets through."""
    if options.cpu not in os.sched_getaffinity(0):
        parser.error(f"--cpu {options.cpu}: this process may use {os.sched_getaffinity(0)}")
    scripts = [script for library in LIBRARIES.values() for script in library.runners]
    for word in options.methods:
        if word.partition(":")[0] not in scripts:
            parser.error(f"--methods {word}: the runner must be one of {', '.join(scripts)}")


def fill_in(options):
    """Defaults that follow from other options."""
    name = os.path.splitext(os.path.basename(options.dataset))[0]
    options.out = options.out or os.path.join("results", name)
    options.modes = options.modes or parse_modes(
        "single:1" if options.quick else "single:1,batch:1,batch:all")
    options.repeats = max(1, options.repeats or (3 if options.quick else 5))
    options.seconds = options.seconds or (0.05 if options.quick else 0.3)
    options.cache = options.cache or os.path.join(options.out, "cache")
    options.nprobe = options.nprobe or ("1,2,4,8,16,32,64" if options.quick else "")


def core_count():
    return len(os.sched_getaffinity(0))


def parse_modes(text):
    """[(mode, threads)] of "single:1,batch:all"."""
    modes = []
    for word in text.split(","):
        mode, _, threads = word.partition(":")
        threads = str(core_count()) if threads == "all" else threads or "1"
        if mode not in ("single", "batch") or not threads.isdigit() or int(threads) == 0:
            raise argparse.ArgumentTypeError(f"'{word}' is not single:N, batch:N, with N or all")
        modes.append((mode, int(threads)))
    return list(dict.fromkeys(modes))


def parse_ks(text):
    """[k, ...] of "10,100"."""
    words = text.split(",")
    if not all(word.isdigit() and int(word) for word in words):
        raise argparse.ArgumentTypeError(f"'{text}' is no comma list of numbers of neighbours")
    return list(dict.fromkeys(int(word) for word in words))


def log(text):
    print(f"compare: {text}", file=sys.stderr, flush=True)


def wanted_libraries(options):
    """Names in the order of the registry, obliq always among them."""
    names = {"all": list(LIBRARIES), "none": []}.get(options.peers, options.peers.split(","))
    unknown = [name for name in names if name not in LIBRARIES]
    if unknown:
        why = (f"unknown peer '{unknown[0]}'" if unknown[0] not in NOT_MADE else
               f"{unknown[0]} cannot take part: {NOT_MADE[unknown[0]]}")
        raise Failed(f"{why}: choose from {', '.join(LIBRARIES)}")
    return [name for name in LIBRARIES if name == "obliq" or name in names]


def describe_set(options):
    """Puts file, n, dim, metric, checksum and nlist of the set into the options."""
    from benchmark_set import BenchmarkSet, file_crc32  # needs NumPy and h5py

    options.data = path_of(options.dataset, options.sets)
    options.commit = commit(FOLDER)
    benchmark_set = BenchmarkSet(options.data, max(options.ks))
    options.n, options.dim, options.metric = (benchmark_set.n, benchmark_set.dim,
                                              benchmark_set.metric)
    options.checksum = file_crc32(options.data)
    options.nlist = options.nlist or nlist_of(options.dataset) or round(4 * options.n ** 0.5)


class Field:
    """Everybody who takes part; a library or method that fails is left out, with the reason."""

    def __init__(self, options):
        self.options = options
        self.versions, self.left_out, self.contestants = {}, {}, []

    def gather(self):
        """Asks every library for its methods."""
        if self.options.peers == "all" and not self.options.methods:
            self.left_out.update(NOT_MADE)
        for library in wanted_libraries(self.options):
            for script in LIBRARIES[library].runners:
                if self.options.methods and not self.asked(script):
                    continue
                try:
                    runner = Runner(python_of(library), script, self.options)
                    told = runner.describe()
                except (Failed, OSError) as failure:
                    self.leave_out(script, failure)
                    continue
                self.versions.update(told["versions"])
                self.contestants += [Contestant(runner, spec)
                                     for spec in self.specs(library, script, told["specs"])]

    def asked(self, script):
        return [word.partition(":")[2] for word in self.options.methods
                if word.startswith(script + ":")]

    def specs(self, library, script, default):
        if self.options.methods:
            return self.asked(script)
        return LIBRARIES[library].quick.get(script, []) if self.options.quick else default

    def prepare(self, centroids):
        """Builds and surveys; one index at a time, so that build times are comparable."""
        count = len(self.contestants)
        for number, contestant in enumerate(self.contestants[:]):
            log(f"method {number + 1} of {count}: {contestant.label}")
            try:
                contestant.build(centroids)
                contestant.survey()
            except Failed as failure:
                self.leave_out(contestant.label, failure)
                self.contestants.remove(contestant)
                continue
            best = {k: max(point["recall"] for point in points)
                    for k, points in contestant.points.items()}
            log(f"{contestant.name}: {contestant.fields['bytes_per_vector']:.1f} bytes per vector, "
                f"built in {contestant.fields['build_seconds']:.1f} s, max recall "
                + ", ".join(f"{recall:.4f} @{k}" for k, recall in best.items())
                + f", {sum(map(len, contestant.points.values()))} points")

    def leave_out(self, label, failure):
        self.left_out[label] = (str(failure).strip() or repr(failure)).splitlines()[-1][:300]
        log(f"{label} left out: {failure}")

    def measure(self, keep):
        """Merged points, given to `keep` after every round. Within a round a method of one
        library follows one of another."""
        order = interleaved(self.contestants)
        lines, points = [], []
        for repeat in range(self.options.repeats):
            start = time.monotonic()
            for contestant in order:
                for mode, threads in self.options.modes:
                    try:
                        lines += contestant.turn(mode, threads)
                    except Failed as failure:
                        self.leave_out(f"{contestant.label} {mode}:{threads}", failure)
            seconds = time.monotonic() - start
            log(f"round {repeat + 1} of {self.options.repeats}: {seconds:.0f} s")
            points = merge_rounds(lines)
            keep(points)
        self.check_unchanged()
        return points

    def check_unchanged(self):
        """Raises Failed when a library is another one than at the start."""
        for runner in {contestant.runner for contestant in self.contestants}:
            for name, version in runner.describe()["versions"].items():
                if self.versions[name] != version:
                    raise Failed(f"{name} changed from {self.versions[name]} to {version} while "
                                 "it was measured: the rounds do not belong together")


def interleaved(contestants):
    """The first method of every library, then the second of every library, ..."""
    seen, order = {}, []
    for contestant in contestants:
        number = seen.setdefault(contestant.runner.script, 0)
        seen[contestant.runner.script] += 1
        order.append((number, contestant))
    return [contestant for _, contestant in sorted(order, key=lambda pair: pair[0])]


def train_centroids(options):
    """Path of the shared centroids."""
    script = os.path.join(FOLDER, "peers", "centroids.py")
    words = [python_of("faiss"), script, "--data", options.data, "--checksum", options.checksum,
             "--nlist", str(options.nlist), "--cache", options.cache]
    return run_program(words).splitlines()[-1]


def conditions(options, field):
    """The first line of results.jsonl."""
    return {"data": os.path.basename(options.data), "data_crc32": options.checksum,
            "n": options.n, "dim": options.dim, "metric": options.metric, "k": options.ks,
            "nlist": options.nlist, **machine(), "commit": options.commit,
            "versions": field.versions, "repeats": options.repeats, "seconds": options.seconds,
            "quick": options.quick, "pinned": options.cpu, "build_threads": options.build_threads,
            "date": datetime.date.today().isoformat(), "left_out": field.left_out}


def results_path(options):
    return os.path.join(options.out, "results.jsonl")


def write_report(options, run, points):
    """The tables and charts; results.jsonl is there since the last round."""
    results = results_path(options)
    text = report(run, points)
    with open(os.path.join(options.out, "table.md"), "w", encoding="utf-8") as file:
        file.write(text)
    print(f"{text}\nresults: {results}")
    for (mode, threads), k in itertools.product(options.modes, options.ks):
        name = f"{mode}-{threads}" + (f"-k{k}" if len(options.ks) > 1 else "")
        for script, kind in (("plot.py", "chart"), ("plot_bytes.py", "bytes")):
            png = os.path.join(options.out, f"{kind}-{name}.png")
            words = [sys.executable, os.path.join(FOLDER, script), results, "-o", png, "--mode",
                     mode, "--threads", str(threads), "--k", str(k)]
            try:
                run_program(words)
                print(f"chart: {png}")
            except Failed as failure:
                log(f"no chart: {failure}")


def main():
    options = arguments()
    for folder in (options.out, options.cache):
        os.makedirs(folder, exist_ok=True)
    try:
        describe_set(options)
        field = Field(options)
        field.gather()
        field.prepare(train_centroids(options))
        if not field.contestants:
            raise Failed("nobody takes part")
        points = field.measure(lambda points: write_results(
            results_path(options), conditions(options, field), points))
    except (Failed, OSError) as failure:
        log(failure)
        return 1
    write_report(options, conditions(options, field), points)
    return 0


if __name__ == "__main__":
    sys.exit(main())
