// The points of a nested-lattice code for an encoder that learns from queries: e8q, d4q and z with
// :query, a block of the lattice at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "quant/nested/nested_code.h"
#include "quant/query_aware/query_quantizer.h"

namespace obliq {

class NestedPoints final : public QueryPoints {
 public:
  NestedPoints(const NestedOptions& options, std::size_t dim);

  std::size_t block() const override { return code_->block(); }
  float unit() const override { return unit_; }
  void round(const float* target, float* point) const override;
  void write(const float* levels, std::uint8_t* code) const override;

 private:
  void refine_survivors(std::vector<std::int16_t>& levels) const;

  std::unique_ptr<const NestedCode> code_;
  std::unique_ptr<const NestedCode> one_;  // a code of one whole block
  float unit_;
};

}  // namespace obliq
