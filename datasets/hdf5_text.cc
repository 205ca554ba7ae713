// In memory a string of variable length is a pointer to one that the library allocates and frees;
// a string of fixed length is its bytes, padded with zeros or spaces.
#include "datasets/hdf5_text.h"

#include <hdf5.h>

#include <cstring>

namespace obliq::datasets {
namespace {

/// Pointers to strings of the library's.
class Pointers {
 public:
  Pointers(const Hdf5Handle& type, const Hdf5Handle& space, std::size_t count)
      : type_(type), space_(space), pointers_(count, nullptr) {}
  ~Pointers() { H5Dvlen_reclaim(type_.id(), space_.id(), H5P_DEFAULT, pointers_.data()); }
  Pointers(const Pointers&) = delete;
  Pointers& operator=(const Pointers&) = delete;

  void* data() { return pointers_.data(); }
  /// Empty strings may be null pointers.
  std::vector<std::string> copy() const {
    std::vector<std::string> texts;
    for (const char* text : pointers_) texts.emplace_back(text == nullptr ? "" : text);
    return texts;
  }

 private:
  const Hdf5Handle& type_;
  const Hdf5Handle& space_;
  std::vector<char*> pointers_;
};

std::vector<std::string> read_fixed(const Hdf5Handle& type, std::size_t count,
                                    const std::function<void(void*)>& read) {
  const std::size_t width = H5Tget_size(type.id());
  const bool space_padded = H5Tget_strpad(type.id()) == H5T_STR_SPACEPAD;
  std::vector<char> bytes(count * width);
  read(bytes.data());
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    const char* text = bytes.data() + i * width;
    texts.emplace_back(text, ::strnlen(text, width));
    if (space_padded) texts.back().erase(texts.back().find_last_not_of(' ') + 1);
  }
  return texts;
}

}  // namespace

bool is_text(const Hdf5Handle& type) { return H5Tget_class(type.id()) == H5T_STRING; }

std::vector<std::string> read_texts(const Hdf5Handle& type, const Hdf5Handle& space,
                                    std::size_t count, const std::function<void(void*)>& read) {
  if (H5Tis_variable_str(type.id()) <= 0) return read_fixed(type, count, read);
  Pointers pointers(type, space, count);
  read(pointers.data());
  return pointers.copy();
}

}  // namespace obliq::datasets
