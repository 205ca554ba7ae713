#include "index/list_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <stdexcept>

#include "index/list_layout.h"
#include "index/spill.h"
#include "quant/kernels/kernels.h"

namespace obliq {
namespace {

// Entries sorted by list, those of a list in rising order, so that second ones come last. Those of
// list l are order[starts[l]] .. order[starts[l + 1] - 1].
struct Members {
  std::vector<std::size_t> starts;
  std::vector<std::size_t> order;
};

Members group(const std::vector<std::uint32_t>& lists, std::size_t nlist) {
  Members members{std::vector<std::size_t>(nlist + 1, 0), {}};
  for (const std::uint32_t list : lists) {
    if (list != kNoList) ++members.starts[list + 1];
  }
  std::partial_sum(members.starts.begin(), members.starts.end(), members.starts.begin());
  members.order.resize(members.starts.back());
  std::vector<std::size_t> next(members.starts.begin(), members.starts.end() - 1);
  for (std::size_t e = 0; e < lists.size(); ++e) {
    if (lists[e] != kNoList) members.order[next[lists[e]]++] = e;
  }
  return members;
}

class ListWriter {
 public:
  ListWriter(const Segment& segment, const CodedEntries& entries, std::uint8_t* rows)
      : segment_(segment), entries_(entries), rows_(rows) {}

  WrittenLists write();

 private:
  void write_list(std::uint32_t list, std::span<const std::size_t> order);

  const Segment& segment_;
  const CodedEntries& entries_;
  std::uint8_t* const rows_;
  WrittenLists written_;
  std::vector<CodedNumbers> numbers_;  // of the list at hand
};

void ListWriter::write_list(std::uint32_t list, std::span<const std::size_t> order) {
  const RowShape& shape = segment_.row_shape;
  const std::size_t dim = segment_.dim();
  ListRecord& record = written_.lists[list];
  numbers_.clear();
  for (const std::size_t e : order) numbers_.push_back(entries_.numbers[e]);
  const auto home = static_cast<std::size_t>(
      std::lower_bound(order.begin(), order.end(), segment_.info.n) - order.begin());
  const std::span<const CodedNumbers> numbers = numbers_;
  choose_units(numbers.first(home), numbers.subspan(home), record);
  for (std::size_t m = 0; m < order.size(); ++m) {
    const std::size_t row = order[m] % segment_.info.n;
    const std::uint64_t place = record.first + m;
    write_entry(entries_.signs.data() + order[m] * plane_bytes(dim), numbers_[m], record,
                static_cast<std::uint32_t>(row), dim, place, written_.blocks.data());
    if (order[m] != row) continue;
    std::uint8_t* stored = rows_ + row * shape.bytes();
    write_factors(shape, numbers_[m], record, stored);
    if (shape.home() > 0) write_home(shape, {list, place}, stored);
  }
}

WrittenLists ListWriter::write() {
  const std::size_t nlist = segment_.info.nlist;
  const Members members = group(entries_.lists, nlist);
  std::vector<std::uint32_t> sizes(nlist);
  for (std::size_t l = 0; l < nlist; ++l) {
    sizes[l] = static_cast<std::uint32_t>(members.starts[l + 1] - members.starts[l]);
  }
  const ListLayout layout = place_lists(sizes);
  if (segment_.row_shape.home_entry > 0 && layout.entries > std::uint64_t{1} << 32) {
    throw std::invalid_argument(fmt::format(
        "{} entries are too many for spilled vectors of quantizer '{}'; use sq8, or spill 0",
        layout.entries, segment_.info.quantizer));
  }
  written_.blocks.resize(layout.entries / kBlockEntries * block_bytes(segment_.dim()));
  written_.lists.assign(segment_.lists.begin(), segment_.lists.end());
  for (std::size_t l = 0; l < nlist; ++l) {
    written_.lists[l].first = layout.first[l];
    written_.lists[l].count = sizes[l];
    write_list(static_cast<std::uint32_t>(l),
               std::span(members.order).subspan(members.starts[l], sizes[l]));
  }
  return std::move(written_);
}

}  // namespace

WrittenLists write_lists(const Segment& segment, const CodedEntries& entries, std::uint8_t* rows) {
  return ListWriter(segment, entries, rows).write();
}

}  // namespace obliq
