"""obliq beside its peers: one machine, one set, the same nlist and centroids, interleaved.

    compare.py [--data SET.hdf5] [--nlist N] [--quantizers lm2,lm4,sq8] [--peers faiss,rabitqlib]
               [--quick] [--repeats 5] [--modes single,batch] [--out results]

Trains centroids (FAISS k-means), builds every index or takes it from OUT/cache, then goes through
the methods in turn, `repeats` times, each method timed once over its whole sweep a turn, on one
pinned thread. Writes OUT/results.jsonl (a line a point: median, least and greatest QPS),
OUT/table.txt and OUT/chart.png, and prints the table. How fair that is: docs/benchmarks.md.
"""

import argparse
import importlib.util
import json
import os
import sys

from contestants import FOLDER, TOOL, Failed, Obliq, Peer, run_program
from report import report

sys.path.insert(0, os.path.join(FOLDER, "peers"))
from rounds import merge_rounds  # noqa: E402

SAMPLE = os.path.join(FOLDER, "..", "datasets", "sample", "sample-384-angular.hdf5")
SAMPLE_NLIST = 128
NPROBES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768]
QUICK_NPROBES = [1, 2, 4, 8, 16, 32, 64]
SCRIPTS = {"faiss": "faiss_ivf.py", "rabitqlib": "rabitqlib_ivf.py"}
QUICK_METHODS = {"faiss": "RaBitQfs4;PQ{d/2}x4fs;PQ{d/2}x4fs,Refine(SQ8)",
                 "rabitqlib": "4;9"}


def arguments():
    parser = argparse.ArgumentParser(description="Compares obliq with its peers.")
    parser.add_argument("--data", default=os.path.normpath(SAMPLE), help="ann-benchmarks HDF5")
    parser.add_argument("--nlist", type=int, default=SAMPLE_NLIST)
    parser.add_argument("--quantizers", default="lm2,lm4,sq8")
    parser.add_argument("--confidence", default="", help="comma list; default: obliq's own")
    parser.add_argument("--peers", default="faiss,rabitqlib", help="'' for none")
    parser.add_argument("--faiss-methods", default="", help="see peers/faiss_ivf.py")
    parser.add_argument("--rabitqlib-methods", default="", help="see peers/rabitqlib_ivf.py")
    parser.add_argument("--nprobe", default="", help="comma list; nlist itself is always added")
    parser.add_argument("--modes", default="single", help="single, batch or single,batch")
    parser.add_argument("--quick", action="store_true", help="few methods, points and repeats")
    parser.add_argument("--repeats", type=int, help="default 5; 3 when quick")
    parser.add_argument("--seconds", type=float,
                        help="budget of a peer's point; default 1, .05 when quick")
    parser.add_argument("--build-threads", type=int, default=os.cpu_count())
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--cache", help="centroids and peers' indexes; default OUT/cache")
    parser.add_argument("--obliq", default=os.path.normpath(TOOL), help="the program")
    parser.add_argument("--out", default="results")
    options = parser.parse_args()
    options.repeats = options.repeats or (3 if options.quick else 5)
    options.seconds = options.seconds or (0.05 if options.quick else 1.0)
    options.cache = options.cache or os.path.join(options.out, "cache")
    options.confidence = [float(word) for word in options.confidence.split(",") if word]
    return options


def sweep_of(options):
    chosen = [int(word) for word in options.nprobe.split(",") if word]
    chosen = chosen or (QUICK_NPROBES if options.quick else NPROBES)
    return sorted({min(nprobe, options.nlist) for nprobe in chosen} | {options.nlist})


def wanted_peers(options):
    """Names of the peers that are installed; says on stderr which are not."""
    packages = {"faiss": "faiss", "rabitqlib": "rabitqlib"}
    wanted = []
    for name in filter(None, options.peers.split(",")):
        if name not in packages:
            raise Failed(f"unknown peer '{name}': choose from {', '.join(packages)}")
        missing = [module for module in (packages[name], "numpy", "h5py")
                   if importlib.util.find_spec(module) is None]
        if missing:
            print(f"compare: {name} left out, {', '.join(missing)} not installed for "
                  f"{sys.executable}", file=sys.stderr)
        else:
            wanted.append(name)
    return wanted


def train_centroids(options):
    """Path of the shared centroids; None without FAISS (everybody would train its own)."""
    if importlib.util.find_spec("faiss") is None:
        return None
    script = os.path.join(FOLDER, "peers", "train_centroids.py")
    words = [sys.executable, script, "--data", options.data, "--nlist", str(options.nlist),
             "--cache", options.cache]
    return run_program(words).splitlines()[-1]


def enter(options):
    """All contestants, built and ready."""
    nprobes = sweep_of(options)
    peers = wanted_peers(options)
    centroids = train_centroids(options) if peers else None
    quantizers = [word for word in options.quantizers.split(",") if word]
    methods = {"faiss": options.faiss_methods, "rabitqlib": options.rabitqlib_methods}
    entered = []
    for name in peers:
        chosen = methods[name] or (QUICK_METHODS[name] if options.quick else "")
        entered.append(Peer(options, SCRIPTS[name], chosen, options.cache, nprobes))
        if not options.quick:  # else they build side by side: build times mean little there
            entered[-1].wait_until_ready()
    ours = [Obliq(options, quantizers, centroids, nprobes)] if quantizers else []
    for peer in entered if options.quick else []:
        peer.wait_until_ready()
    return ours + entered


def measure(contestants, options):
    """Merged lines. Within a round a method of one library follows one of another."""
    turns = sorted((number, position) for position, contestant in enumerate(contestants)
                   for number in range(len(contestant.names)))
    lines = []
    for repeat in range(options.repeats):
        for number, position in turns:
            for mode in options.modes.split(","):
                lines += contestants[position].round(number, mode)
        print(f"compare: round {repeat + 1} of {options.repeats}", file=sys.stderr)
    return merge_rounds(lines)


def write_chart(options, lines, results):
    for mode in options.modes.split(","):
        png = os.path.join(options.out, "chart.png" if mode == "single" else "chart-batch.png")
        script = os.path.join(FOLDER, "plot.py")
        try:
            run_program([sys.executable, script, results, "-o", png, "--mode", mode])
            print(f"chart: {png}")
        except Failed as failure:
            print(f"no chart: {failure}", file=sys.stderr)


def conditions(lines, options):
    """What a reader must know beside the numbers."""
    peer = next((line for line in lines if "cpu" in line), {})
    versions = {}
    for line in lines:
        versions.update(line.get("versions", {}))
        if "simd" in line:
            versions["obliq_simd"] = line["simd"]
    shown = ", ".join(f"{name} {value}" for name, value in sorted(versions.items()))
    return (f"{os.path.basename(options.data)}, {options.nlist} lists, recall@10, one thread "
            f"(CPU {options.cpu}: {peer.get('cpu', 'unknown')})\n"
            f"median of {options.repeats} interleaved rounds; {shown}\n")


def write_results(lines, options):
    """Writes results.jsonl, table.txt and the charts; prints the tables."""
    results = os.path.join(options.out, "results.jsonl")
    with open(results, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    titles = {"single": "One query a call", "batch": "All queries in one call"}
    text = conditions(lines, options)
    for mode in options.modes.split(","):
        text += f"\n{titles[mode]}\n{report(lines, mode, lines[0]['dim'])}"
    with open(os.path.join(options.out, "table.txt"), "w", encoding="utf-8") as file:
        file.write(text)
    print(text)
    print(f"results: {results}")
    write_chart(options, lines, results)


def main():
    options = arguments()
    for folder in (options.out, options.cache):
        os.makedirs(folder, exist_ok=True)
    try:
        contestants = enter(options)
        lines = measure(contestants, options)
    except Failed as failure:
        print(f"compare: {failure}", file=sys.stderr)
        return 1
    for contestant in contestants:
        if isinstance(contestant, Peer):
            contestant.close()
    write_results(lines, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
