"""Indexes of a quarter of whose bytes memory has room.

    larger_than_memory.py [--dataset generated-384-cosine | --data SET.hdf5 --nlist N]
                          [--share 0.25] [--threads 1,8] [--rounds 3] [--methods TEXT,...]

Every method builds its index once. Then each search runs in a process and a memory cgroup of its
own, whose limit is what the process takes before it opens the index, measured, and --share of the
index's bytes. Pages of the file are dropped first. Cold are the first quarter of the queries;
after another quarter, which is not timed, warm is the other half: one query a call. Everybody is
set to recall@10 --target: obliq by target_recall, the others by the cheapest parameters that reach
it. A method that the kernel kills, that cannot open its index or that takes longer than --longest
is told as such, and one whose recall is below the target by more than .003, which is what
target_recall allows itself, is marked: its speed is that of fewer answers.

Rounds go through all methods in turn; shown are medians and, of warm QPS, least and most. Writes
OUT.jsonl and OUT.md, and needs to write memory cgroups, which takes root or a delegated one.
"""

import argparse
import contextlib
import json
import mmap
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from contestants import FOLDER, PACKAGE, TOOL, Failed, run_program
from memory_group import MemoryGroup, NoGroup
from results import commit, machine
from sets import RESULTS, SETS, nlist_of, path_of

sys.path.insert(0, os.path.join(FOLDER, "peers"))
from registry import python_of  # noqa: E402

ROOT = os.path.normpath(os.path.join(FOLDER, ".."))
ALLOWED = 0.003  # what recall may fall short of the target


class Method(NamedTuple):
    """How an index is opened; methods of one build share it."""
    name: str
    library: str
    script: str
    build: str       # spec
    opened: str = ""  # spec of searches, where it differs
    words: tuple = ()  # of limited.py


METHODS = (
    Method("obliq sq8, read ahead", "obliq", "obliq_ivf", "sq8,spill=.5",
           "sq8,spill=.5,residence=mapped,read_ahead=1"),
    Method("obliq sq8, mapped", "obliq", "obliq_ivf", "sq8,spill=.5",
           "sq8,spill=.5,residence=mapped"),
    Method("obliq lm4, read ahead", "obliq", "obliq_ivf", "lm4",
           "lm4,residence=mapped,read_ahead=1"),
    Method("obliq lm4, mapped", "obliq", "obliq_ivf", "lm4", "lm4,residence=mapped"),
    Method("faiss IVF,SQ8 mmap", "faiss", "faiss_ivf", "SQ8", words=("--flags", "IO_FLAG_MMAP")),
    Method("faiss IVF,SQ8 mmap, MADV_RANDOM", "faiss", "faiss_ivf", "SQ8",
           words=("--flags", "IO_FLAG_MMAP", "--random")),
    Method("faiss HNSW32,SQ8 mmap", "faiss", "faiss_hnsw", "HNSW32,SQ8",
           words=("--flags", "IO_FLAG_MMAP_IFC")),
    Method("faiss HNSW32,SQ8 mmap, MADV_RANDOM", "faiss", "faiss_hnsw", "HNSW32,SQ8",
           words=("--flags", "IO_FLAG_MMAP_IFC", "--random")),
    Method("hnswlib M16", "hnswlib", "hnswlib_graph", "M16"),
)


def arguments():
    parser = argparse.ArgumentParser(description="Indexes larger than memory.")
    parser.add_argument("--dataset", default="generated-384-cosine", help=", ".join(SETS))
    parser.add_argument("--data", help="an ann-benchmarks HDF5 file in its place")
    parser.add_argument("--sets", default=RESULTS, help="folder of the data sets")
    parser.add_argument("--nlist", type=int, help="default: that of the set")
    parser.add_argument("--share", type=float, default=.25, help="of the index's bytes")
    parser.add_argument("--target", type=float, default=.95, help="recall@10")
    parser.add_argument("--threads", default="1,8", help="with commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30, help="longest pass over queries")
    parser.add_argument("--longest", type=float, default=7200,
                        help="seconds that a build or a search may take")
    parser.add_argument("--methods", default="", help="those whose names hold one of these texts")
    parser.add_argument("--build-threads", type=int, default=os.cpu_count())
    parser.add_argument("--cache", default=os.path.join(ROOT, "results", "larger"))
    parser.add_argument("--out", default=os.path.join(ROOT, "results", "larger_than_memory"))
    options = parser.parse_args()
    options.nlist = options.nlist or nlist_of(options.dataset)
    if options.data and not options.nlist:
        parser.error("--data needs --nlist")
    return options


def log(text):
    print(f"larger_than_memory: {text}", file=sys.stderr, flush=True)


# --- building ----------------------------------------------------------------------------------


def environment(threads):
    return {**os.environ, "PYTHONPATH": PACKAGE, "OMP_WAIT_POLICY": "passive",
            "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}


def shared_centroids(options):
    words = [python_of("faiss"), os.path.join(FOLDER, "peers", "centroids.py"), "--data",
             options.data, "--checksum", options.checksum, "--nlist", str(options.nlist),
             "--cache", options.cache]
    return run_program(words, environment=environment(options.build_threads),
                       longest=options.longest).split()[-1]


def built(method, options):
    """The path of its index, the parameters to search it with, and their recall where known."""
    script = os.path.join(FOLDER, "peers", method.script + ".py")
    words = ["--spec", method.build, "--data", options.data, "--nlist", str(options.nlist)]
    env = environment(options.build_threads)
    python = python_of(method.library)
    log(f"building {method.script} {method.build}, unless it is there")
    record = json.loads(run_program(
        [python, script, "build", *words, "--checksum", options.checksum, "--cache", options.cache,
         "--centroids", options.centroids, "--build-threads", str(options.build_threads)],
        environment=env, longest=options.longest))
    if method.library == "obliq":
        return record["path"], {"target_recall": options.target}, None
    chosen = f"{record['path']}-at-{options.target:g}.json"
    if not os.path.exists(chosen):
        answer = run_program([python, os.path.join(FOLDER, "peers", "limited.py"), "choose",
                              "--script", method.script, "--index", record["path"], "--target",
                              str(options.target), *words], environment=env,
                             longest=options.longest)
        with open(chosen, "w", encoding="utf-8") as file:
            file.write(answer)
    with open(chosen, encoding="utf-8") as file:
        choice = json.load(file)
    return record["path"], choice["params"], choice["recall"]


# --- searching ---------------------------------------------------------------------------------


def drop(path):
    """The pages of a file from memory."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextlib.contextmanager
def time_limit(process, seconds):
    """Kills it after that time; tells by an event whether it did."""
    late = threading.Event()

    def stop():
        late.set()
        process.kill()

    timer = threading.Timer(seconds, stop)
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def searched(method, path, params, threads, options):
    """What one process tells, or {"failed": why}."""
    words = [python_of(method.library), os.path.join(FOLDER, "peers", "limited.py"), "search",
             "--script", method.script, "--spec", method.opened or method.build, "--data",
             options.data, "--index", path, "--nlist", str(options.nlist), "--threads",
             str(threads), "--seconds", str(options.seconds), "--params", json.dumps(params),
             *method.words]
    with MemoryGroup(f"larger-than-memory-{os.getpid()}") as group:
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=environment(1),
                              preexec_fn=group.join) as process, \
                time_limit(process, options.longest) as late:
            process.stdout.readline()
            drop(path)
            before = group.used()
            group.limit(before + int(options.share * os.path.getsize(path)))
            answer, said = process.communicate("\n")
        if process.returncode == 0:
            return {**json.loads(answer), "before": before}
        if late.is_set():
            return {"failed": f"stopped after {options.longest:g} s", "before": before}
        if group.kills():
            return {"failed": "killed: it needs more memory", "before": before}
    reason = said.strip().splitlines()[-1:] or [f"exit {process.returncode}"]
    return {"failed": reason[0][:200], "before": before}


def disk(path):
    """Of reads past the page cache: {"random_us", "random_p99_us", "random_8", "mb_per_second"}."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECT)
    pages = os.fstat(handle).st_size // 4096

    def read(count):
        page, taken = mmap.mmap(-1, 4096), []
        for _ in range(count):
            at = random.randrange(pages) * 4096
            start = time.perf_counter()
            os.preadv(handle, [page], at)
            taken.append(time.perf_counter() - start)
        return taken

    alone = sorted(read(1000))
    start = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read, [250] * 8))
    together = 2000 / (time.perf_counter() - start)
    large, start = mmap.mmap(-1, 1 << 20), time.perf_counter()
    count = min(200, pages // 256)
    for i in range(count):
        os.preadv(handle, [large], i << 20)
    rate = count * 1.048576 / (time.perf_counter() - start)
    os.close(handle)
    return {"random_us": 1e6 * alone[500], "random_p99_us": 1e6 * alone[990],
            "random_8": together, "mb_per_second": rate}


# --- telling -----------------------------------------------------------------------------------


def merged(rounds, target):
    """The medians over rounds of what was told, a line a method and number of threads."""
    failed = [one for one in rounds if "failed" in one]
    line = {name: rounds[0][name] for name in ("method", "threads", "file_mb", "params")}
    line["limit_mb"] = statistics.median(one["limit_mb"] for one in rounds)
    if failed:
        return {**line, "failed": failed[0]["failed"]}
    for part in ("cold", "warm"):
        for name in rounds[0][part]:
            line[f"{part}_{name}"] = statistics.median(one[part][name] for one in rounds)
    speeds = [one["warm"]["qps"] for one in rounds]
    known = rounds[0]["chosen_recall"]
    line["missed"] = (line["warm_recall"] if known is None else known) < target - ALLOWED
    line.update(open_seconds=statistics.median(one["open_seconds"] for one in rounds),
                warm_least=min(speeds), warm_most=max(speeds), rounds=len(rounds))
    return line


def table(lines, about):
    """Markdown."""
    told = about["disk"]
    rows = [f"{about['data']}, memory for {100 * about['share']:g} % of each index; "
            f"recall@10 {about['target']:g} asked for; "
            f"{about['machine']['cpu']}; disk: random 4 kB {told['random_us']:.0f} us, p99 "
            f"{told['random_p99_us']:.0f} us, 8 at once {told['random_8']:.0f} a second, in order "
            f"{told['mb_per_second']:.0f} MB/s", "",
            "| threads | method | file MB | recall | cold QPS | p50 ms | p99 ms | kB read | "
            "warm QPS | least to most | p50 ms | p99 ms | kB read |",
            "|---|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for line in lines:
        start = f"| {line['threads']} | {line['method']} | {line['file_mb']:.0f} |"
        if "failed" in line:
            rows.append(f"{start} {line['failed']} |" + " |" * 9)
            continue
        cold, warm = ([line[f"{part}_{name}"] for name in ("qps", "p50_ms", "p99_ms", "kb_read")]
                      for part in ("cold", "warm"))
        missed = " (missed)" if line["missed"] else ""
        rows.append(f"{start} {line['warm_recall']:.3f}{missed} | {cold[0]:.1f} | {cold[1]:.2f} | "
                    f"{cold[2]:.1f} | {cold[3]:.0f} | {warm[0]:.1f} | {line['warm_least']:.1f} to "
                    f"{line['warm_most']:.1f} | {warm[1]:.2f} | {warm[2]:.1f} | {warm[3]:.0f} |")
    return "\n".join(rows) + "\n"


def measure(options):
    from benchmark_set import file_crc32  # needs h5py

    options.data = options.data or path_of(options.dataset, options.sets)
    options.checksum = file_crc32(options.data)
    os.makedirs(options.cache, exist_ok=True)
    options.centroids = shared_centroids(options)
    wanted = [text for text in options.methods.split(",") if text] or [""]
    methods = [one for one in METHODS if any(text in one.name for text in wanted)]
    ready = [(one, *built(one, options)) for one in methods]
    about = {"data": os.path.basename(options.data), "share": options.share,
             "target": options.target,
             "nlist": options.nlist, "machine": machine(), "commit": commit(ROOT),
             "disk": disk(ready[0][1])}
    told = {}
    for number in range(options.rounds):
        for threads in map(int, options.threads.split(",")):
            for method, path, params, recall in ready:
                line = searched(method, path, params, threads, options)
                size = os.path.getsize(path)
                line.update(method=method.name, threads=threads, file_mb=size / 1e6, params=params,
                            chosen_recall=recall,
                            limit_mb=(line["before"] + options.share * size) / 1e6)
                told.setdefault((threads, method.name), []).append(line)
                what = line.get("failed") or "%.1f cold, %.1f warm QPS" % (
                    line["cold"]["qps"], line["warm"]["qps"])
                log(f"round {number + 1}, {threads} threads, {method.name}: {what}")
    return [merged(rounds, options.target) for rounds in told.values()], about, told


def main():
    options = arguments()
    try:
        with MemoryGroup(f"larger-than-memory-{os.getpid()}"):
            pass
        lines, about, told = measure(options)
    except (Failed, NoGroup, OSError) as failure:
        log(failure)
        return 1
    os.makedirs(os.path.dirname(options.out), exist_ok=True)
    with open(options.out + ".jsonl", "w", encoding="utf-8") as file:
        for line in [{"run": about}, *(one for rounds in told.values() for one in rounds)]:
            file.write(json.dumps(line) + "\n")
    text = table(lines, about)
    with open(options.out + ".md", "w", encoding="utf-8") as file:
        file.write(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
