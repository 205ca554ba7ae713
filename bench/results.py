"""The file of a comparison: JSON lines, the first one about the run, then one a point.

    run      {"run": {data, data_crc32, n, dim, metric, k, nlist, cpu, cpu_flags, cpus, memory,
             commit, versions, repeats, seconds, quick, pinned, build_threads, date, left_out}}
    point    method, mode, threads, k, params, recall, recall_ties, qps, qps_min, qps_max, qps_cpu,
             p50_us, p99_us, repeats, queries_timed, bytes_per_vector, rss_per_vector,
             build_seconds, build_threads, call_overhead_us; qps null: not timed

`k` of a run lists those of its points; in older files it is the one number of all points.
"""

import json
import os
import platform
import subprocess

ROUNDED = {"qps": 1, "qps_min": 1, "qps_max": 1, "qps_cpu": 1, "p50_us": 2, "p99_us": 2,
           "rss_per_vector": 1, "bytes_per_vector": 2, "build_seconds": 2, "recall": 5,
           "recall_ties": 5, "call_overhead_us": 2, "found": 4, "filter_us": 1}
TOLD_FLAGS = ("avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx512_vbmi", "amx_int8",
              "asimd", "sve")


def read_results(path):
    """(run, points) of a file, each point with its k. Raises ValueError when it is none."""
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(text) for text in file if text.strip()]
    if not lines or "run" not in lines[0]:
        raise ValueError(f"{path} is no result of bench/compare.py: its first line has no 'run'")
    run = lines[0]["run"]
    if isinstance(run.get("k"), int):
        lines[1:] = [{"k": run["k"], **line} for line in lines[1:]]
    return run, lines[1:]


def ks_of(run):
    """The numbers of neighbours that a run measured, the first one the run's main one."""
    return [run["k"]] if isinstance(run["k"], int) else run["k"]


def write_results(path, run, points):
    """Writes the file whole or not at all."""
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        for line in [{"run": run}] + [rounded(point) for point in points]:
            file.write(json.dumps(line) + "\n")
    os.replace(path + ".tmp", path)


def rounded(point):
    """Without digits that mean nothing."""
    return {name: round(value, ROUNDED[name]) if name in ROUNDED and value is not None else value
            for name, value in point.items()}


def machine():
    """What a reader must know of the machine."""
    name, flags = platform.processor(), []
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() in ("model name", "CPU part"):
                name = value.strip()
            if key.strip() in ("flags", "Features"):
                flags = [flag for flag in TOLD_FLAGS if flag in value.split()]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cpu": name, "cpu_flags": flags, "cpus": os.cpu_count(), "memory": memory}


def commit(folder):
    """The revision that is measured, with "-dirty" when files differ from it; None without git."""
    try:
        done = subprocess.run(["git", "-C", folder, "describe", "--always", "--dirty"],
                              capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() or None
