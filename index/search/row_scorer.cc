// Rows of far lists are multiplied with a query of their own, which is made anew where the list
// changes.
#include "index/search/row_scorer.h"

#include <cmath>

#include "core/exact_distance.h"
#include "core/kernels/dispatch.h"
#include "core/prefetch.h"
#include "index/search/far_query.h"
#include "index/segment/entry_format.h"
#include "index/segment/raw_tier.h"

namespace obliq {

RowScratch::RowScratch(const TrainedModel& model, std::size_t most_rows)
    : refs(most_rows),
      signs(most_rows * plane_bytes(model.dim())),
      products(most_rows),
      raw_row(model.dim()) {
  if (model.far_lists.empty()) return;
  far_values.resize(model.dim());
  far_scorer = model.quantizer->make_scorer();
}

RowScorer::RowScorer(const TrainedModel& model)
    : model_(model),
      dim_(model.dim()),
      row_bytes_(model.row_shape.bytes()),
      weight_(product_weight(model.metric())) {}

void RowScorer::fetch_signs(const Segment& segment, const PlacedRow& row) const {
  const std::uint64_t entry = primary_entry(*row.record, row.place.row);
  prefetch(block_of(segment.blocks.data(), dim_, entry), block_sign_bytes(dim_));
}

void RowScorer::add_raw(const Segment& segment, std::uint32_t row, ReadAhead& ahead) const {
  const std::size_t bytes = raw_bytes(model_.raw_tier(), dim_);
  ahead.add(segment.raw.data() + row * bytes, bytes);
}

void RowScorer::add_signs(const Segment& segment, const PlacedRow& row, ReadAhead& ahead) const {
  const std::uint64_t entry = primary_entry(*row.record, row.place.row);
  ahead.add(block_of(segment.blocks.data(), dim_, entry), block_bytes(dim_));
}

void RowScorer::multiply(const PreparedQuery& query, const Segment& segment,
                         std::span<const PlacedRow> rows, RowScratch& scratch) const {
  const RowShape& shape = model_.row_shape;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& [place, record] = rows[i];
    const std::uint8_t* row = row_at(segment, place.row);
    std::uint8_t* signs = scratch.signs.data() + i * plane_bytes(dim_);
    if (shape.leads_with_signs) {
      read_entry_signs(segment.blocks.data(), dim_, primary_entry(*record, place.row), signs);
    }
    scratch.refs[i] = {signs, row, read_row_factors(shape, row, record->scale())};
  }
  if (scratch.far_scorer == nullptr) {
    multiply_some(query, kNoList, 0, rows.size(), scratch);
    return;
  }
  scratch.far_list = kNoList;
  for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
    const std::uint32_t list = far_or_none(rows[begin].place.list);
    for (end = begin; end < rows.size(); ++end) {
      if (far_or_none(rows[end].place.list) != list) break;
    }
    multiply_some(query, list, begin, end, scratch);
  }
}

// Candidates [begin, end) of the batch, whose primary list is `list`; kNoList: any that are near.
void RowScorer::multiply_some(const PreparedQuery& query, std::uint32_t list, std::size_t begin,
                              std::size_t end, RowScratch& scratch) const {
  const Scorer* scorer = &query.scorer();
  if (list != kNoList) {
    far_values(query, list, scratch);
    scorer = scratch.far_scorer.get();
  }
  scorer->products({scratch.refs.data() + begin, end - begin}, scratch.products.data() + begin);
}

// q - c' of a far list, for which the far scorer is set, too.
const float* RowScorer::far_values(const PreparedQuery& query, std::uint32_t list,
                                   RowScratch& scratch) const {
  if (scratch.far_list != list) {
    scratch.far_list = list;
    subtract_far_point(model_, query, list, scratch.far_values.data());
    scratch.far_scorer->set_query(scratch.far_values.data());
  }
  return scratch.far_values.data();
}

float RowScorer::raw_distance(const PreparedQuery& query, const Segment& segment,
                              const SpilledEntry& place, RowScratch& scratch) const {
  const bool behind = model_.is_raw_behind(place.list);
  const float* x = raw_row(segment, place.row, behind, scratch.raw_row.data());
  if (behind) return distance_behind(query, x, place.list, scratch);
  return query.raw_slope() * exact_distance(model_.metric(), query.raw(), x, dim_);
}

// Of a raw vector behind the transform, in a far list less its centroid.
float RowScorer::distance_behind(const PreparedQuery& query, const float* x, std::uint32_t list,
                                 RowScratch& scratch) const {
  if (std::isnan(x[0])) return 1;  // zero under cosine (raw_form.h)
  const bool far = model_.far_point(list) != nullptr;
  if (model_.metric() != Metric::ip) {
    const float* q = far ? far_values(query, list, scratch) : query.values();
    return query.slope() * kernels().l2_sqr(q, x, dim_) + query.offset();
  }
  const float before = far ? kernels().dot(query.values(), model_.far_point(list), dim_) : 0.0F;
  return -query.slope() * (before + kernels().dot(query.values(), x, dim_));
}

}  // namespace obliq
