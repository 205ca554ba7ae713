// The driver has no alignment, no types of memory and no locks to look after: one address space,
// which is the file. Its features are those of the library's own driver for files, so that the
// bytes are the same.
#include "datasets/hdf5_file_driver.h"

#include <hdf5.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

#include <cstring>
#include <new>
#include <span>

namespace obliq::datasets {
namespace {

constexpr haddr_t kMostAddress = (haddr_t{1} << 62) - 1;

/// What H5Pset_driver hands to open_file.
struct Settings {
  Hdf5Output* output;
};

/// An open file, as the library sees it.
struct DriverFile : H5FD_t {
  Hdf5Output* output = nullptr;
  haddr_t end_of_allocation = 0;
};

DriverFile& of(H5FD_t* file) { return *static_cast<DriverFile*>(file); }
const DriverFile& of(const H5FD_t* file) { return *static_cast<const DriverFile*>(file); }

H5FD_t* open_file(const char*, unsigned, hid_t access, haddr_t) {
  const auto* settings = static_cast<const Settings*>(H5Pget_driver_info(access));
  auto* file = settings == nullptr ? nullptr : new (std::nothrow) DriverFile{};
  if (file != nullptr) file->output = settings->output;
  return file;
}

herr_t close_file(H5FD_t* file) {
  delete static_cast<DriverFile*>(file);
  return 0;
}

herr_t query(const H5FD_t*, unsigned long* features) {
  *features = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
              H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

haddr_t end_of_allocation(const H5FD_t* file, H5FD_mem_t) { return of(file).end_of_allocation; }

herr_t set_end_of_allocation(H5FD_t* file, H5FD_mem_t, haddr_t end) {
  of(file).end_of_allocation = end;
  return 0;
}

haddr_t end_of_file(const H5FD_t* file, H5FD_mem_t) { return of(file).output->file().size(); }

/// Runs `work` on the output, once it has failed no more; errors stay with it.
template <typename Work>
herr_t guarded(Hdf5Output& output, const Work& work) noexcept {
  try {
    if (!output.has_failed()) work(output.file());
  } catch (...) {
    output.keep_error();
  }
  return 0;
}

herr_t read_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, std::size_t count, void* out) {
  std::memset(out, 0, count);
  return guarded(*of(file).output, [&](AtomicFile& written) {
    written.read_at(address, {static_cast<std::byte*>(out), count});
  });
}

herr_t write_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, std::size_t count,
                   const void* bytes) {
  return guarded(*of(file).output, [&](AtomicFile& written) {
    written.write_at(address, {static_cast<const std::byte*>(bytes), count});
  });
}

/// A file that ends before what is allocated in it counts as cut short.
herr_t extend(H5FD_t* file, hid_t, hbool_t) {
  return guarded(*of(file).output, [&](AtomicFile& written) {
    const haddr_t end = of(file).end_of_allocation;
    const std::byte zero{};
    if (written.size() < end) written.write_at(end - 1, {&zero, 1});
  });
}

H5FD_class_t driver_class() {
  H5FD_class_t driver{};
#if H5_VERSION_GE(1, 13, 0)
  driver.version = H5FD_CLASS_VERSION;
  driver.value = static_cast<H5FD_class_value_t>(H5FD_RESERVED + 1);
#endif
  driver.name = "obliq";
  driver.maxaddr = kMostAddress;
  driver.fc_degree = H5F_CLOSE_STRONG;
  driver.fapl_size = sizeof(Settings);
  driver.open = open_file;
  driver.close = close_file;
  driver.query = query;
  driver.get_eoa = end_of_allocation;
  driver.set_eoa = set_end_of_allocation;
  driver.get_eof = end_of_file;
  driver.read = read_bytes;
  driver.write = write_bytes;
  driver.truncate = extend;
  return driver;
}

}  // namespace

Hdf5Handle Hdf5Output::create() {
  const Hdf5Silence silence;
  const H5FD_class_t driver = driver_class();
  driver_ = {H5FDregister(&driver), H5FDunregister};
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  const Settings settings{this};
  if (!driver_.valid() || H5Pset_driver(access.id(), driver_.id(), &settings) < 0) return {};
  return {H5Fcreate("output", H5F_ACC_TRUNC, H5P_DEFAULT, access.id()), H5Fclose};
}

}  // namespace obliq::datasets
