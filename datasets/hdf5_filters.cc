// Numbers are those of the HDF5 Group's registry of filters (github.com/HDFGroup/hdf5_plugins,
// docs/RegisteredFilterPlugins.md); a file may tell a name of its own, which is not relied on.
#include "datasets/hdf5_filters.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace obliq::datasets {
namespace {

struct Filter {
  H5Z_filter_t number;
  std::string_view name;
};
constexpr std::array kFilters{
    Filter{H5Z_FILTER_DEFLATE, "gzip"},
    Filter{H5Z_FILTER_SHUFFLE, "shuffle"},
    Filter{H5Z_FILTER_FLETCHER32, "Fletcher32"},
    Filter{H5Z_FILTER_SZIP, "szip"},
    Filter{H5Z_FILTER_NBIT, "n-bit"},
    Filter{H5Z_FILTER_SCALEOFFSET, "scale-offset"},
    Filter{307, "bzip2"},
    Filter{32000, "LZF"},
    Filter{32001, "Blosc"},
    Filter{32004, "LZ4"},
    Filter{32008, "bitshuffle"},
    Filter{32013, "ZFP"},
    Filter{32015, "Zstandard"},
    Filter{32017, "SZ"},
    Filter{32026, "Blosc2"},
};

std::string text(H5Z_filter_t number) {
  const auto* known = std::find_if(kFilters.begin(), kFilters.end(),
                                   [&](const Filter& filter) { return filter.number == number; });
  if (known == kFilters.end()) return fmt::format("filter {}", number);
  return number < 256 ? std::string(known->name)  // those of HDF5 itself
                      : fmt::format("{} (filter {})", known->name, number);
}

template <typename Choose>
std::string list(const Hdf5Handle& dataset, Choose is_chosen) {
  const Hdf5Silence silence;
  const Hdf5Handle creation(H5Dget_create_plist(dataset.id()), H5Pclose);
  std::string names;
  const int count = H5Pget_nfilters(creation.id());
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0;
    unsigned config = 0;
    std::size_t parameters = 0;
    const H5Z_filter_t number = H5Pget_filter2(creation.id(), static_cast<unsigned>(i), &flags,
                                               &parameters, nullptr, 0, nullptr, &config);
    if (number < 0 || !is_chosen(number)) continue;
    names += (names.empty() ? "" : ", ") + text(number);
  }
  return names;
}

}  // namespace

std::string missing_filters(const Hdf5Handle& dataset) {
  return list(dataset, [](H5Z_filter_t number) { return H5Zfilter_avail(number) <= 0; });
}

std::string all_filters(const Hdf5Handle& dataset) {
  return list(dataset, [](H5Z_filter_t) { return true; });
}

}  // namespace obliq::datasets
