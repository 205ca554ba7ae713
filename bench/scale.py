"""What a build on Ray takes beside one build, and what a second worker gives.

    scale.py [--rows 1000000] [--dim 384] [--workers 1 2] [--segment 65536] [--merge one]
             [--plain 1 2] [--folder results/scale] [--out FILE]

Draws the vectors once, into 16 Parquet files, and builds `sq8` of them: by Index.build on so many
threads (--plain), which reads the files itself, and by obliq.ray.build on so many workers of one
CPU each (Ray gets one more, as the documentation advises, for the reads). Each build is a process
of its own. A line tells its seconds, without and with the start of Ray; CPU seconds of all its
processes, without those of the start of Ray and Ray Data and of this watch; the greatest anonymous
memory of a worker beside what the formula of obliq.ray.memory asks Ray for; and whether the bytes
are those of the plain build.
Needs obliq[ray] and psutil.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from drawn import draw

FILES = 16
# Workers as nice as the plain build is. Ray Data reads the footers of Parquet files by 32 processes
# else, for 16 files of which each ends within a second.
ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0",
               "RAY_DATA_PARQUET_FOOTER_NUM_ACTORS": "1"}


def write_parquet(folder, rows, dim):
    """FILES files, each from a seed of its own, unless they are there."""
    os.makedirs(folder, exist_ok=True)
    bounds = [rows * i // FILES for i in range(FILES + 1)]
    for number, (begin, end) in enumerate(zip(bounds, bounds[1:])):
        path = os.path.join(folder, f"{number:02}.parquet")
        if os.path.exists(path):
            continue
        flat = pa.array(draw(number, end - begin, dim).reshape(-1))
        table = pa.table({"id": np.arange(begin, end),
                          "embedding": pa.FixedSizeListArray.from_arrays(flat, dim)})
        pq.write_table(table, path + ".part", row_group_size=16384, compression="none",
                       use_dictionary=False)
        os.replace(path + ".part", path)


class Watch:
    """The most memory of processes named so, and the CPU seconds that looking has taken."""

    def __init__(self, *names):
        self.names, self.most, self._over = names, {}, threading.Event()
        self.cpu_seconds = 0.0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self):
        while not self._over.wait(0.2):
            for process in psutil.Process().children(recursive=True):
                try:
                    words = " ".join(process.cmdline())
                    memory = anonymous_bytes(process.pid)
                except (psutil.Error, OSError):
                    continue
                for name in self.names:
                    if name in words:
                        self.most[name] = max(self.most.get(name, 0), memory)
        self.cpu_seconds = time.thread_time()

    def stop(self):
        self._over.set()
        self._thread.join()
        return {name: round(most / 2**20) for name, most in self.most.items()}


def anonymous_bytes(pid):
    """Memory of a process without mapped files and the objects that Ray shares."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next((1024 * int(line.split()[1]) for line in file if line.startswith("RssAnon")), 0)


def cpu_seconds():
    """Of this process and of all below it, those that have ended included."""
    total, me = 0.0, psutil.Process()
    for process in (me, *me.children(recursive=True)):
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.Error:
            continue
    return total


def plain(args):
    """One Index.build of the files; what it took."""
    import obliq
    start, cpu = time.perf_counter(), cpu_seconds()
    table = pq.read_table(args.parquet)
    flat = table["embedding"].combine_chunks().values.to_numpy(zero_copy_only=True)
    vectors = flat.reshape(len(table), -1)
    path = os.path.join(args.work, "plain.obliq")
    obliq.Index.build(vectors, ids=table["id"].to_numpy(), path=path, threads=args.threads)
    return {"how": "plain", "workers": args.threads, "seconds": time.perf_counter() - start,
            "cpu_seconds": cpu_seconds() - cpu, "digest": digest(path)}


def on_ray(args):
    """The same by obliq.ray.build."""
    import ray
    import obliq.ray
    from obliq.ray import memory
    began, cpu_began = time.perf_counter(), cpu_seconds()
    ray.init(address="local", num_cpus=args.threads + 1, include_dashboard=False,
             log_to_driver=False, object_store_memory=2 << 30, logging_level="error")
    ray.data.DataContext.get_current().enable_progress_bars = False
    ray.data.range(1).materialize()  # Ray Data keeps two processes of its own per cluster
    start, cpu = time.perf_counter(), cpu_seconds()
    watch = Watch("encode_batch", "obliq train", "obliq merge")
    url = os.path.join(args.work, "url")
    version = obliq.ray.build(ray.data.read_parquet(args.parquet), url, merge=args.merge,
                              rows_per_segment=args.segment, concurrency=args.threads)
    done, cpu_done = time.perf_counter(), cpu_seconds()
    memory_mb = watch.stop()
    shards = [os.path.join(url, shard.path) for shard in version.shards]
    asked = memory.encode_bytes(args.segment, version.dim, 4, version.nlist, "none", 0)
    result = {"how": "ray", "workers": args.threads, "seconds": done - start,
              "cpu_seconds": cpu_done - cpu - watch.cpu_seconds, "start_seconds": start - began,
              "start_cpu_seconds": cpu - cpu_began, "anonymous_mb": memory_mb,
              "encode_formula_mb": round(asked / 2**20), "shards": len(shards),
              "digest": digest(shards[0]) if len(shards) == 1 else ""}
    ray.shutdown()
    return result


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def run(args, how, threads, parquet):
    """A build in a process of its own; its line."""
    with tempfile.TemporaryDirectory(dir=args.folder) as work:
        words = [sys.executable, __file__, "--one", how, "--threads", str(threads), "--work", work,
                 "--parquet", parquet, "--segment", str(args.segment), "--merge", args.merge]
        done = subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True,
                              env=dict(os.environ, **ENVIRONMENT))
    line = json.loads(done.stdout.splitlines()[-1])
    return {key: round(value, 1) if isinstance(value, float) else value
            for key, value in {"rows": args.rows, "dim": args.dim, **line}.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--plain", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--segment", type=int, default=65536)
    parser.add_argument("--merge", default="one")
    parser.add_argument("--folder", default="results/scale")
    parser.add_argument("--out", default="results/scale.jsonl")
    for hidden in ("--one", "--work", "--parquet"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(plain(args) if args.one == "plain" else on_ray(args)))
        return
    args.folder = os.path.abspath(args.folder)
    parquet = os.path.join(args.folder, f"{args.rows}x{args.dim}")
    write_parquet(parquet, args.rows, args.dim)
    with open(args.out, "a", encoding="utf-8") as file:
        for how, threads in [*(("plain", n) for n in args.plain),
                             *(("ray", n) for n in args.workers)]:
            line = run(args, how, threads, parquet)
            file.write(json.dumps(line) + "\n")
            file.flush()
            print(line, flush=True)


if __name__ == "__main__":
    main()
