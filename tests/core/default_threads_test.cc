// Which of the limits sets the number of threads, and how quotas of control groups are found: in
// trees of files that look like /proc and /sys.
#include "core/default_threads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "core/cgroup_quota.h"
#include "core/parallel.h"
#include "storage/temporary_folder.h"

namespace obliq {
namespace {

using ::testing::Eq;
using ::testing::Optional;

TEST(DefaultThreads, AreTheLeastOfTheLimits) {
  const struct {
    ThreadLimits limits;
    int threads;
    std::string from;
  } cases[] = {
      {{nullptr, 8, {}}, 8, "affinity mask"},  {{"3", 8, {}}, 3, "OMP_NUM_THREADS"},
      {{"30", 8, {}}, 8, "affinity mask"},     {{"3", 8, 2.0}, 2, "cgroup quota"},
      {{"1", 8, 2.0}, 1, "OMP_NUM_THREADS"},   {{nullptr, 8, 1.5}, 2, "cgroup quota"},
      {{nullptr, 8, 0.01}, 1, "cgroup quota"}, {{nullptr, 8, 1e30}, 8, "affinity mask"},
      {{nullptr, 1, 0.5}, 1, "affinity mask"}, {{" 4,2", 8, {}}, 4, "OMP_NUM_THREADS"},
      {{"4 ", 8, {}}, 4, "OMP_NUM_THREADS"},
  };
  for (const auto& c : cases) {
    const ThreadDefault found = least_of(c.limits);
    EXPECT_EQ(found.threads, c.threads);
    EXPECT_EQ(found.from, c.from) << c.threads;
  }
}

TEST(DefaultThreads, IgnoreAVariableThatIsNoPositiveNumber) {
  for (const char* text : {"", " ", "0", "-2", "two", "2.5", "3x", "99999999999", ",2"}) {
    EXPECT_EQ(least_of({text, 5, {}}).threads, 5) << text;
  }
}

TEST(DefaultThreads, FollowTheAffinityMask) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  std::thread([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    for (std::size_t cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
      if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
    }
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(default_threads().threads, 1);
    EXPECT_STREQ(default_threads().from, "affinity mask");
    EXPECT_EQ(resolve_threads(0), 1);
  }).join();
  EXPECT_LE(default_threads().threads, CPU_COUNT(&before));
}

class CgroupQuota : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path whole = folder_.path() + path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << text;
  }
  std::optional<double> quota() const { return cgroup_cpu_quota(folder_.path()); }

  TemporaryFolder folder_;
};

constexpr const char* kMountOf2 =
    "25 1 0:22 / /proc rw - proc proc rw\n"
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 master:1 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST_F(CgroupQuota, IsNothingWhereNothingIsMountedOrSet) {
  EXPECT_EQ(quota(), std::nullopt);
  write("/proc/self/cgroup", "0::/job\n");
  EXPECT_EQ(quota(), std::nullopt);
  write("/proc/self/mountinfo", kMountOf2);
  EXPECT_EQ(quota(), std::nullopt);
  for (const char* text : {"max 100000\n", "", "200000 0\n", "-1 100000\n", "200000"}) {
    write("/sys/fs/cgroup/job/cpu.max", text);
    EXPECT_EQ(quota(), std::nullopt) << text;
  }
}

TEST_F(CgroupQuota, OfVersion2IsTheLeastOfAGroupAndThoseAboveIt) {
  write("/proc/self/mountinfo", kMountOf2);
  write("/proc/self/cgroup", "0::/user.slice/job\n");
  write("/sys/fs/cgroup/user.slice/job/cpu.max", "max 100000\n");
  write("/sys/fs/cgroup/user.slice/cpu.max", "150000 100000\n");
  EXPECT_THAT(quota(), Optional(Eq(1.5)));
  write("/sys/fs/cgroup/user.slice/job/cpu.max", "300000 100000\n");
  EXPECT_THAT(quota(), Optional(Eq(1.5)));
  write("/sys/fs/cgroup/user.slice/job/cpu.max", "50000 100000\n");
  EXPECT_THAT(quota(), Optional(Eq(0.5)));
}

TEST_F(CgroupQuota, OfVersion2IsReadAtTheMountPointOfAContainer) {
  write("/proc/self/mountinfo", kMountOf2);
  write("/sys/fs/cgroup/cpu.max", "200000 100000\n");
  for (const char* group : {"0::/\n", "0::/../../other\n"}) {
    write("/proc/self/cgroup", group);
    EXPECT_THAT(quota(), Optional(Eq(2.0))) << group;
  }
}

TEST_F(CgroupQuota, OfVersion1IsFoundAmongItsControllers) {
  write("/proc/self/cgroup", "5:cpuset:/no\n4:cpuacct,cpu:/docker/5ab\n0::/\n");
  write("/proc/self/mountinfo",
        "31 30 0:28 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
        "32 30 0:29 / /sys/my\\040groups/cpu rw - cgroup cgroup rw,cpu,cpuacct\n");
  write("/sys/my groups/cpu/docker/5ab/cpu.cfs_quota_us", "-1\n");
  write("/sys/my groups/cpu/docker/5ab/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  write("/sys/my groups/cpu/docker/5ab/cpu.cfs_quota_us", "250000\n");
  EXPECT_THAT(quota(), Optional(Eq(2.5)));
}

TEST_F(CgroupQuota, OfVersion1IsFoundWhereAPartOfTheHierarchyIsMounted) {
  write("/proc/self/mountinfo",
        "32 30 0:29 /docker/5ab /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n");
  write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000\n");
  write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "200000\n");
  write("/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "100000\n");
  write("/sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
  for (const char* group : {"/docker/5ab", "/docker/5abc", "/elsewhere"}) {
    write("/proc/self/cgroup", std::string("4:cpu,cpuacct:") + group + "\n");
    EXPECT_THAT(quota(), Optional(Eq(2.0))) << group;
  }
  write("/proc/self/cgroup", "4:cpu,cpuacct:/docker/5ab/job\n");
  EXPECT_THAT(quota(), Optional(Eq(1.0)));
}

}  // namespace
}  // namespace obliq
