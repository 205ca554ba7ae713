// Groups may be large and names long: a few are told, cut to a line.
#include "datasets/hdf5_names.h"

#include <hdf5.h>

#include <algorithm>
#include <array>

namespace obliq::datasets {
namespace {

constexpr hsize_t kMostNames = 8;
constexpr std::size_t kMostLetters = 60;

Hdf5Handle open_group(const Hdf5Handle& file, const std::string& name) {
  return {H5Gopen2(file.id(), name.c_str(), H5P_DEFAULT), H5Gclose};
}

}  // namespace

bool is_group(const Hdf5Handle& file, const std::string& name) {
  const Hdf5Silence silence;
  return open_group(file, name).valid();
}

std::string names_in(const Hdf5Handle& file, const std::string& group) {
  const Hdf5Silence silence;
  const Hdf5Handle opened = open_group(file, group);
  H5G_info_t info{};
  if (!opened.valid() || H5Gget_info(opened.id(), &info) < 0 || info.nlinks == 0) return "nothing";
  std::string names;
  for (hsize_t i = 0; i < std::min(info.nlinks, kMostNames); ++i) {
    std::array<char, kMostLetters + 1> name{};
    if (H5Lget_name_by_idx(opened.id(), ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(),
                           name.size(), H5P_DEFAULT) < 0) {
      break;
    }
    names += (names.empty() ? "'" : ", '") + std::string(name.data()) + "'";
  }
  return info.nlinks > kMostNames ? names + ", ..." : names;
}

std::string group_above(const std::string& name) {
  const std::size_t end = name.find_last_not_of('/');
  const std::size_t slash = end == std::string::npos ? end : name.rfind('/', end);
  return slash == std::string::npos || slash == 0 ? "/" : name.substr(0, slash);
}

}  // namespace obliq::datasets
