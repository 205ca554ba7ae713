// Columns given with vectors: stored beside them, in memory and in files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "index/index_access.h"
#include "obliq/model.h"
#include "tests/index/cases.h"
#include "tests/index/columns/column_cases.h"
#include "tests/index/file_case.h"

namespace obliq {
namespace {

using testing::all_columns;
using testing::clustered;
using testing::expect_columns;

constexpr std::size_t kRows = 700;

class StoredColumns : public testing::IndexFileCase {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  const Matrix<float> base_ = clustered(kRows, 12, 71);
  const Columns columns_ = all_columns(kRows, 72);
};

const Segment& only_segment(const Index& index) {
  return IndexAccess::segments(index).segments().front();
}

TEST_F(StoredColumns, EachRowHasTheValuesOfItsVector) {
  BuildOptions options;
  options.columns = columns_;
  const Index index = Index::build(base_.view(), options);
  expect_columns(only_segment(index), columns_);
  index.save(path("index"));
  for (const Residence residence : {Residence::mapped, Residence::memory}) {
    for (const bool verify : {false, true}) {
      const Index opened = Index::open(path("index"), {residence, verify});
      expect_columns(only_segment(opened), columns_);
    }
  }
}

}  // namespace
}  // namespace obliq
