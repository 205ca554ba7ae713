"""Who takes part in a comparison: a method of a library, run by its runner of bench/peers, one
process for each thing it does (peers/runner.py)."""

import json
import os
import subprocess

FOLDER = os.path.dirname(os.path.abspath(__file__))
TOOL = os.path.join(FOLDER, "..", "build", "release", "tools", "obliq")
PACKAGE = os.path.join(FOLDER, "..", "build", "release", "python")  # obliq as ./dev bench builds it


class Failed(RuntimeError):
    """A program of the comparison did not do its part."""


def run_program(words, cpus=None, given=None, environment=None, longest=None):
    """Standard output of a program, pinned to some CPUs when asked, `given` on its standard
    input. Raises Failed with its stderr, or where it takes more than `longest` seconds."""
    pin = None if cpus is None else lambda: os.sched_setaffinity(0, cpus)
    try:
        done = subprocess.run(words, capture_output=True, text=True, preexec_fn=pin, check=False,
                              input=given, env=environment, timeout=longest)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{' '.join(words)}\nstopped after {longest:g} s") from late
    if done.returncode:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit {done.returncode}"
        raise Failed(f"{' '.join(words)}\n{how}: {done.stderr.strip()}")
    return done.stdout


class Runner:
    """A runner script under the interpreter of its library."""

    def __init__(self, python, script, options):
        self.script = script
        self.start = [python, os.path.join(FOLDER, "peers", script + ".py")]
        self.options = options

    def describe(self):
        """{"specs": what it runs by default, "versions": {package: version}}."""
        return json.loads(self.run(["describe"], 1))

    def run(self, words, cpus, given=None, team=None):
        """Its output. It may use that many CPUs, the one of the comparison first, and as many
        OpenMP threads per call (`team`, if not all of these)."""
        others = sorted(os.sched_getaffinity(0) - {self.options.cpu})
        team = str(team or cpus)
        environment = {**os.environ, "PYTHONPATH": PACKAGE, "OMP_WAIT_POLICY": "passive",
                       "OMP_NUM_THREADS": team, "OPENBLAS_NUM_THREADS": team}
        return run_program(self.start + words, {self.options.cpu, *others[:cpus - 1]}, given,
                           environment)


class Contestant:
    """One method: its index, its points, and its turns on the clock."""

    def __init__(self, runner, spec):
        self.runner, self.spec = runner, spec
        self.label = f"{runner.script}:{spec}"

    def call(self, action, threads, *words, given=None, team=None, k=None):
        """The JSON lines that its runner answers, for `k` neighbours or the first k asked for."""
        options = self.runner.options
        words = [action, "--spec", self.spec, "--data", options.data, "--nlist",
                 str(options.nlist), "--nprobe", options.nprobe, "--k",
                 str(k or options.ks[0]), *words]
        words += ["--quick"] if options.quick else []
        answer = self.runner.run(words, threads, given, team)
        try:
            return [json.loads(text) for text in answer.splitlines()]
        except ValueError as error:
            raise Failed(f"{self.label} printed other than JSON lines: {answer[:200]}") from error

    def build(self, centroids):
        options = self.runner.options
        [record] = self.call("build", options.build_threads, "--checksum", options.checksum,
                             "--cache", options.cache, "--centroids", centroids,
                             "--build-threads", str(options.build_threads))
        self.name, self.index = record["method"], record["path"]
        self.fields = {"method": self.name, "bytes_per_vector": record["bytes"] / options.n,
                       "build_seconds": record["build_seconds"],
                       "build_threads": record["build_threads"]}

    def survey(self):
        """Finds its points for every k. A method's RSS is what loading its index added to the
        process that surveyed the first k."""
        options, threads = self.runner.options, self.runner.options.build_threads
        self.points = {k: self.call("survey", threads, "--index", self.index, "--threads",
                                    str(threads), k=k) for k in options.ks}
        first = self.points[options.ks[0]][0]
        self.fields["rss_per_vector"] = first["rss_bytes"] / options.n
        self.fields["call_overhead_us"] = first["call_overhead_us"]

    def turn(self, mode, threads):
        """Times every point once; a line each. A batch that would take too long has no speed."""
        for k in self.runner.options.ks:
            yield from self.turn_of(k, mode, threads)

    def turn_of(self, k, mode, threads):
        """The lines of one k."""
        options = self.runner.options
        timed = [point for point in self.points[k] if self.affordable(point, mode, threads)]
        given = "".join(json.dumps(point) + "\n" for point in timed)
        speeds = self.call("time", threads, "--index", self.index, "--mode", mode, "--threads",
                           str(threads), "--seconds", str(options.seconds), given=given,
                           team=1 if mode == "single" else threads, k=k)
        by_params = {json.dumps(line["params"]): line for line in speeds}
        for point in self.points[k]:
            yield {**self.fields, "mode": mode, "threads": threads, "k": k,
                   "params": point["params"], "recall": point["recall"],
                   "recall_ties": point["recall_ties"],
                   **by_params.get(json.dumps(point["params"]), {"qps": None})}

    def affordable(self, point, mode, threads):
        options = self.runner.options
        expected = point["seconds"] * options.build_threads / threads
        return mode == "single" or expected <= options.longest_batch
