"""Who takes part in a comparison: obliq through its command line, peers through their runners.

Both offer `names` and `round(number, mode)`, which times one method once over its sweep and
returns JSON lines of the same fields, so that a driver can interleave them.
"""

import json
import os
import subprocess
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
TOOL = os.path.join(FOLDER, "..", "build", "release", "tools", "obliq")


class Failed(RuntimeError):
    """A program of the comparison did not do its part."""


def run_program(words, cpu=None):
    """Standard output of a program, pinned to one CPU when asked. Raises Failed with its stderr."""
    pin = None if cpu is None else lambda: os.sched_setaffinity(0, {cpu})
    done = subprocess.run(words, capture_output=True, text=True, preexec_fn=pin, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(words)}\n{done.stderr.strip()}")
    return done.stdout


class Obliq:
    """One index for each quantizer, built by `obliq build` and searched by `obliq eval`."""

    def __init__(self, options, quantizers, centroids, nprobes):
        self.options, self.nprobes = options, nprobes
        self.indexes = []
        for quantizer in quantizers:
            path = os.path.join(options.out, f"{quantizer.replace(':', '_')}-{options.nlist}.obliq")
            self.indexes.append((path, self.build(quantizer, path, centroids)))
        self.names = [f"obliq {quantizer}" for quantizer in quantizers]

    def build(self, quantizer, path, centroids):
        """Fields of every line of this index. Bytes are those of the file, as for the peers."""
        options = self.options
        words = [options.obliq, "build", options.data, "-o", path, "--quantizer", quantizer,
                 "--nlist", str(options.nlist), "--threads", str(options.build_threads), "--json"]
        if centroids:
            words += ["--centroids", centroids]
        built = json.loads(run_program(words).splitlines()[-1])
        return {"method": f"obliq {quantizer}", "build_seconds": built["build_seconds"],
                "bytes_per_vector": os.path.getsize(path) / built["n"],
                "bytes_without_centroids": built["bytes_per_vector"],
                "n": built["n"], "dim": built["dim"], "nlist": built["nlist"]}

    def round(self, number, mode):
        """One eval for each confidence; its own first pass warms up."""
        path, fields = self.indexes[number]
        options, lines = self.options, []
        nprobes = ",".join(str(nprobe) for nprobe in self.nprobes)
        for confidence in options.confidence or [None]:
            words = [options.obliq, "eval", path, options.data, "-k", "10", "--nprobe", nprobes,
                     "--repeat", "1", "--threads", "1", "--json"]
            words += ["--batch"] if mode == "batch" else []
            words += ["--confidence", str(confidence)] if confidence else []
            for text in run_program(words, options.cpu).splitlines():
                lines.append({**json.loads(text), **fields, "confidence": confidence})
        for line in lines:
            line["data"] = os.path.basename(options.data)
            line.pop("repeat", None)
        return lines


class Peer:
    """A runner of bench/peers, kept alive with its indexes in memory."""

    def __init__(self, options, script, methods, centroids_cache, nprobes):
        words = [sys.executable, os.path.join(FOLDER, "peers", script), "--serve",
                 "--data", options.data, "--nlist", str(options.nlist), "--methods", methods,
                 "--cache", centroids_cache, "--nprobe", ",".join(map(str, nprobes)),
                 "--build-threads", str(options.build_threads), "--cpu", str(options.cpu),
                 "--seconds", str(options.seconds)]
        if options.quick:
            words.append("--quick")
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
        self.script = script
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=environment)
        self.names = []

    def wait_until_ready(self):
        """Returns when its indexes are built and its sweep is known; then `names` is filled."""
        first = self.process.stdout.readline()
        if not first:
            raise Failed(f"{self.script} ended before it was ready")
        self.names = json.loads(first)

    def round(self, number, mode):
        self.process.stdin.write(f"{number} {mode}\n")
        self.process.stdin.flush()
        lines = []
        while (text := self.process.stdout.readline()) not in ("", "\n"):
            lines.append(json.loads(text))
        if not text:
            raise Failed(f"{self.script} ended in the middle of {self.names[number]}")
        return lines

    def close(self):
        self.process.stdin.close()
        self.process.wait()
