// How many threads a call takes that is not told: no more than the process may use. The library,
// the command and the Python package all ask here.
#pragma once

#include <optional>

namespace obliq {

/// A number of threads and what set it.
struct ThreadDefault {
  int threads;
  const char* from;  ///< "OMP_NUM_THREADS", "affinity mask" or "cgroup quota"
};

/// What limits the threads of a process.
struct ThreadLimits {
  const char* omp_num_threads;  ///< the variable; null where it is not set
  int allowed_cpus;             ///< in the affinity mask, 1 or more
  std::optional<double> quota;  ///< of CPU time, in CPUs
};

/// The least of the limits, 1 or more; where two are alike, the first of affinity mask, quota and
/// variable. A quota is rounded up: 1.5 CPUs keep two threads busy. Of "4,2" the first number
/// counts, and what is no positive number is not a limit.
ThreadDefault least_of(const ThreadLimits& limits);

/// least_of the limits of the calling thread. The mask is asked anew each time, variable and quota
/// are those of the first call.
ThreadDefault default_threads();

}  // namespace obliq
