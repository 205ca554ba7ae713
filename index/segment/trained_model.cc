// Quantizer, vector transform and the form of rows follow from the stored numbers. A model's id is
// a chain of multiplications over its bytes, 8 at a time (the finalizer of splitmix64).
#include "index/segment/trained_model.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/random.h"

namespace obliq {
namespace {

class Hash {
 public:
  template <typename T>
  void add(std::span<const T> values) {
    const auto bytes = std::as_bytes(values);
    add_word(bytes.size());
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at, std::min(sizeof word, bytes.size() - at));
      add_word(word);
    }
  }
  std::uint64_t value() const { return state_; }

 private:
  void add_word(std::uint64_t word) {
    state_ ^= word;
    state_ = splitmix64(state_);
  }

  std::uint64_t state_ = 0;
};

}  // namespace

void complete(TrainedModel& model) {
  const ModelInfo& info = model.info;
  model.far_numbers.assign(model.far_lists.empty() ? 0 : info.nlist, kNoList);
  for (std::size_t i = 0; i < model.far_lists.size(); ++i) {
    model.far_numbers[model.far_lists[i]] = static_cast<std::uint32_t>(i);
  }
  model.router = {};
  model.router.count = model.router.primaries = static_cast<std::uint32_t>(info.nlist);
  model.router.scale_exponent = info.router_scale_exponent;
  model.router.add_exponent = info.router_add_exponent;
  model.quantizer = make_quantizer(info.quantizer, info.dim, info.seed, model.quantizer_state);
  if (!model.encoder_state.empty()) {
    model.quantizer = model.quantizer->with_encoder(model.encoder_state);
  }
  model.row_shape = RowShape(*model.quantizer);
  auto transform = std::make_unique<VectorTransform>(model.metric(), info.dim, info.seed);
  transform->set_scale(info.scale);
  transform->set_mean({model.mean.begin(), model.mean.end()});
  model.transform = std::move(transform);
}

std::shared_ptr<const TrainedModel> without_learn(const TrainedModel& model) {
  TrainedModel copy = model;
  copy.learn = {};
  copy.learn_ids = {};
  copy.encoder_state = {};
  return std::make_shared<const TrainedModel>(std::move(copy));
}

std::uint64_t model_id(const TrainedModel& model) {
  ModelInfo info = model.info;
  info.id = 0;
  Hash hash;
  hash.add(std::span<const ModelInfo>(&info, 1));
  hash.add(model.mean);
  hash.add(model.quantizer_state);
  hash.add(model.encoder_state);
  hash.add(model.centroid_levels);
  hash.add(model.far_lists);
  hash.add(model.far_points);
  hash.add(model.lists);
  hash.add(model.router_blocks);
  hash.add(model.groups);
  hash.add(model.group_panels);
  hash.add(model.near_sizes);
  hash.add(model.learn);
  hash.add(model.learn_ids);
  return hash.value();
}

}  // namespace obliq
