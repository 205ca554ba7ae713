// How much CPU time the control groups of this process allow it. Containers are limited by such
// quotas, which the number of CPUs and the affinity mask do not show.
#pragma once

#include <optional>
#include <string>

namespace obliq {

/// The least quota of the process's group and those above it, in CPUs (1.5: 150 ms of CPU time in
/// each 100 ms); nothing where there is none. Reads cpu.max (version 2) and cpu.cfs_quota_us
/// (version 1), wherever they are mounted. `root` goes before every path, for tests.
std::optional<double> cgroup_cpu_quota(const std::string& root = "");

}  // namespace obliq
