// Items are sorted by id where ids do not rise, then by a counting sort by list, which keeps the
// order of those of one list.
#include "index/build/list_order.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "index/segment/list_layout.h"

namespace obliq {

std::vector<std::uint32_t> by_list_and_id(std::span<const std::uint32_t> lists,
                                          std::span<const std::int64_t> ids, std::size_t nlist) {
  std::vector<std::uint32_t> by_id;
  if (!std::is_sorted(ids.begin(), ids.end())) {
    by_id.resize(ids.size());
    std::iota(by_id.begin(), by_id.end(), 0U);
    std::sort(by_id.begin(), by_id.end(),
              [&](std::uint32_t a, std::uint32_t b) { return ids[a] < ids[b]; });
  }
  std::vector<std::uint32_t> next(nlist + 1);
  for (const std::uint32_t list : lists) ++next[list + 1];
  std::partial_sum(next.begin(), next.end(), next.begin());
  std::vector<std::uint32_t> order(lists.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    const std::uint32_t item = by_id.empty() ? i : by_id[i];
    order[next[lists[item]]++] = item;
  }
  return order;
}

std::uint64_t place_records(std::span<ListRecord> records) {
  std::vector<std::uint32_t> sizes;
  std::uint32_t row = 0;
  std::uint32_t spilled = 0;
  for (ListRecord& record : records) {
    sizes.push_back(record.stored());
    record.first_row = row;
    record.first_spilled = spilled;
    row += record.primaries;
    spilled += record.spilled();
  }
  const ListLayout layout = place_lists(sizes);
  for (std::size_t l = 0; l < records.size(); ++l) records[l].first = layout.first[l];
  return layout.entries;
}

std::vector<std::uint32_t> in_stream_order(std::span<const ListRecord> records) {
  std::vector<std::uint32_t> order(records.size());
  std::iota(order.begin(), order.end(), 0U);
  std::erase_if(order, [&](std::uint32_t l) { return records[l].stored() == 0; });
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return records[a].first < records[b].first; });
  return order;
}

ListTable make_table(std::vector<ListRecord> records) {
  std::size_t rows = 0;
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t l = 0; l < records.size(); ++l) {
    rows += records[l].primaries;
    if (records[l].stored() > 0) numbers.push_back(l);
  }
  if (rows == 0 || rows >= kLeastDense || 2 * numbers.size() > records.size()) {
    return {std::move(records), {}};
  }
  ListTable table;
  for (const std::uint32_t l : numbers) table.records.push_back(records[l]);
  table.numbers = std::move(numbers);
  return table;
}

}  // namespace obliq
