// /proc/self/cgroup names the groups of the process, a line each, and /proc/self/mountinfo the
// folders where they are seen:
//
//     0::/build/job7                      version 2
//     4:cpu,cpuacct:/docker/5ab           version 1: the controllers of a hierarchy
//
//     32 31 0:29 /docker/5ab /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
//                part that   where it is mounted     type          options, with controllers
//                is mounted
//
// A limit may be set on any group above, so the folders are read up to the mount point. A group
// outside the part that is mounted (a container may see such names) is read there.
#include "core/cgroup_quota.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

namespace obliq {
namespace {

struct Mount {
  std::string part;    // of the hierarchy, as a path in it
  std::string folder;  // where it is mounted
};

bool names(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (list.substr(0, end) == item) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// mountinfo writes a space as \040.
std::string unescaped(const std::string& path) {
  std::string plain;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const bool escape = path[i] == '\\' && i + 3 < path.size() &&
                        path.find_first_not_of("01234567", i + 1) >= i + 4;
    plain += escape ? static_cast<char>(std::stoi(path.substr(i + 1, 3), nullptr, 8)) : path[i];
    if (escape) i += 3;
  }
  return plain;
}

std::optional<Mount> find_mount(const std::string& root, bool version2) {
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream before(line);
    std::istringstream after(line.substr(dash + 3));
    std::string skipped;
    Mount mount;
    before >> skipped >> skipped >> skipped >> mount.part >> mount.folder;
    std::string type;
    std::string options;
    after >> type >> skipped >> options;
    if (version2 ? type != "cgroup2" : type != "cgroup" || !names(options, "cpu")) continue;
    return Mount{unescaped(mount.part), unescaped(mount.folder)};
  }
  return std::nullopt;
}

// The path of the process's group in its hierarchy.
std::optional<std::string> find_group(const std::string& root, bool version2) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (version2 ? controllers.empty() : names(controllers, "cpu")) return line.substr(second + 1);
  }
  return std::nullopt;
}

// The group's path below the mount point: empty, or one that starts with '/'.
std::string below_mount(const Mount& mount, std::string group) {
  if (mount.part != "/") {
    const bool inside = group.starts_with(mount.part) &&
                        (group.size() == mount.part.size() || group[mount.part.size()] == '/');
    group = inside ? group.substr(mount.part.size()) : "";
  }
  while (group.ends_with('/')) group.pop_back();
  return group.starts_with('/') && group.find("/..") == std::string::npos ? group : "";
}

// CPUs of the one group whose files are in `folder`.
std::optional<double> quota_of(const std::string& folder, bool version2) {
  double quota = 0;
  double period = 0;
  if (version2) {
    std::ifstream(folder + "/cpu.max") >> quota >> period;  // "max 100000" leaves zeros
  } else {
    std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;  // -1: none
    std::ifstream(folder + "/cpu.cfs_period_us") >> period;
  }
  if (!(quota > 0 && period > 0)) return std::nullopt;
  return quota / period;
}

}  // namespace

std::optional<double> cgroup_cpu_quota(const std::string& root) {
  std::optional<double> least;
  for (const bool version2 : {false, true}) {
    const auto mount = find_mount(root, version2);
    const auto group = find_group(root, version2);
    if (!mount || !group) continue;
    for (std::string path = below_mount(*mount, *group);; path.resize(path.rfind('/'))) {
      const auto quota = quota_of(root + mount->folder + path, version2);
      if (quota) least = std::min(*quota, least.value_or(*quota));
      if (path.empty()) break;
    }
  }
  return least;
}

}  // namespace obliq
