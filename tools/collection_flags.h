// The flags that say what a collection is made like. Of one that is there they must tell what it
// is.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "obliq/collection.h"
#include "tools/code_flags.h"

namespace obliq::tools {

class CollectionFlags {
 public:
  void add_flags(CLI::App& app);
  /// Of a collection that is made; the default is int64.
  void set_ids(IdType ids) { ids_ = ids; }
  /// Of a collection that is made; the default is none.
  void set_columns(ColumnSchema columns) { columns_ = std::move(columns); }
  /// The columns of the collection in the directory; none where there is none.
  static ColumnSchema columns_of(const std::string& directory);
  /// What --metric says, may be empty.
  const std::string& metric() const { return metric_; }

  /// Opens the collection in the directory to write or, where there is none, makes it for vectors
  /// of `dim` and, where no flag says another, `metric`. Throws std::invalid_argument where a flag
  /// that is given is not what the collection is, and as Collection does.
  Collection open_or_create(const std::string& directory, std::size_t dim, Metric metric,
                            const CollectionAccess& access) const;

 private:
  CollectionOptions options(std::size_t dim, Metric metric) const;
  void require_same(const std::string& directory) const;

  std::size_t dim_ = 0;
  std::string metric_;
  IdType ids_ = IdType::int64;
  ColumnSchema columns_;
  CodeFlags codes_;
  std::optional<std::uint64_t> seed_;
  std::optional<std::size_t> train_at_;
};

}  // namespace obliq::tools
