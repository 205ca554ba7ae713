// Opening files; datasets are in hdf5_dataset.cc.
#include "datasets/hdf5_reader.h"

namespace obliq::datasets {

Hdf5Reader::Hdf5Reader(const std::string& path)
    : path_(path), map_(std::make_unique<const MappedFile>(path)) {
  container_ = open_classic(map_->file());
  if (!container_) container_ = open_by_library(map_->file(), LibraryReads::path);
}

Hdf5Reader::Hdf5Reader(const FileBytes& file) : path_(file.name) {
  container_ = open_classic(file);
  if (!container_) container_ = open_by_library(file, LibraryReads::bytes);
}

}  // namespace obliq::datasets
