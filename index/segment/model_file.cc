// Sections, all little-endian, arrays without gaps:
//
//     model       ModelInfo, 128 bytes
//     mean        float32 [dim]
//     quantizer   what a trained quantizer's codes need to be decoded; left out when empty
//     encoder     what its encoder has learnt; left out when empty, and in indexes
//     centroids   int8 [nlist][dim], see centroid_code.h
//     far.lists   uint32 [far lists], rising; left out, like the next, when there are none
//     far.points  float32 [far lists][dim]: their centroids
//     points      ListPoint [nlist], 16 bytes each
//     router.blk  blocks of the centroids' signs
//     groups      GroupRecord [groups], 24 bytes each (build/list_groups.h); left out when empty
//     group.codes panels of their points (byte_panels.h); left out when there are none
//     near.groups uint32 [groups], lists in the groups that an encoder looks at; left out when all
//                 lists are looked at
//     learn       float32 [learn queries][dim]; left out, like the next, when there are none
//     learn.ids   int64 [learn queries]
#include "index/segment/model_file.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <stdexcept>
#include <utility>

#include "core/kernels/dispatch.h"
#include "index/segment/byte_panels.h"
#include "index/segment/known_sections.h"

namespace obliq {
namespace {

static_assert(std::endian::native == std::endian::little, "files are little-endian");

// The most |x|^2 of a point: its squared distances to vectors of the base are floats.
constexpr float kMostNorm2 = std::numeric_limits<float>::max() / 2;

bool is_bounded(std::span<const float> x) {
  return kernels().dot(x.data(), x.data(), x.size()) <= kMostNorm2;
}

bool is_exponent(int exponent) { return exponent >= kLeastExponent && exponent <= kMostExponent; }

void check_info(const SectionReader& reader, const ModelInfo& info) {
  const auto refuse = [&](const std::string& reason) { reader.refuse("model", reason); };
  if (info.encoder != kEncoder || info.row_layout != kRowLayout) {
    refuse(fmt::format("encoder {} and row layout {}; this obliq knows {} and {}: take a newer one",
                       info.encoder, info.row_layout, kEncoder, kRowLayout));
  }
  if (info.dim == 0 || info.dim > 65536) refuse(fmt::format("dim {}", info.dim));
  if (info.nlist >= 0xFFFFFFFFU) refuse(fmt::format("nlist {}", info.nlist));
  if (info.metric > 2) refuse(fmt::format("metric {}", info.metric));
  if (info.raw > 3) refuse(fmt::format("raw tier {}", info.raw));
  if (info.quantizer[sizeof info.quantizer - 1] != 0) refuse("quantizer has no end");
  if (info.zero != 0 || info.zeros != 0) refuse("reserved bytes are not zero");
  int exponent = 0;
  if (!std::isnormal(info.scale) || std::frexp(info.scale, &exponent) != 0.5F) {
    refuse(fmt::format("scale {}", info.scale));
  }
  if (!is_exponent(info.router_scale_exponent) || !is_exponent(info.router_add_exponent)) {
    refuse("a unit of the router is out of range");
  }
  for (const float value : {info.sine, info.row_tangent, info.typical_norm, info.list_weight,
                            info.mean_r2, info.spill}) {
    if (!std::isfinite(value)) refuse("a number is not finite");
  }
  if (!(info.near_margin >= 0 && std::isfinite(info.near_margin))) {
    refuse(fmt::format("a margin of groups of {}", info.near_margin));
  }
  if (!(info.typical_norm > 0 && info.typical_norm * info.typical_norm <= kMostNorm2)) {
    refuse(fmt::format("typical norm {}", info.typical_norm));
  }
  if (std::isnan(info.spill_threshold)) refuse("the threshold of spilling is no number");
}

ModelInfo read_info(SectionReader& reader) {
  ModelInfo info;
  std::memcpy(&info, reader.fixed_array<std::byte>("model", 1, sizeof info).data(), sizeof info);
  check_info(reader, info);
  return info;
}

bool is_finite(const ListPoint& point) {
  return std::isfinite(point.mean_r2) && std::isfinite(point.centroid_scale) &&
         std::isfinite(point.centroid_norm2) && point.zero == 0;
}

void read_mean(SectionReader& reader, TrainedModel& model) {
  model.mean = reader.fixed_array<float>("mean", model.info.dim, 1);
  if (!is_bounded(model.mean)) reader.refuse("mean", "it is not finite, or too long");
}

// |c|^2 of the decoded centroids must be floats.
void check_centroids(const SectionReader& reader, const TrainedModel& model) {
  for (std::size_t l = 0; l < model.nlist(); ++l) {
    const std::int8_t* levels = model.centroid(l);
    std::int32_t sum = 0;  // at most 65536 * 128^2
    for (std::size_t i = 0; i < model.dim(); ++i) sum += levels[i] * levels[i];
    const double scale = model.lists[l].centroid_scale;
    if (scale > 0 && sum * scale * scale <= kMostNorm2) continue;
    reader.refuse("points", fmt::format("the centroid of list {} has the scale {}", l, scale));
  }
}

void read_points(SectionReader& reader, TrainedModel& model) {
  const std::uint64_t nlist = model.info.nlist;
  model.lists = reader.fixed_array<ListPoint>("points", nlist, 1);
  for (std::size_t l = 0; l < nlist; ++l) {
    if (!is_finite(model.lists[l])) {
      reader.refuse("points", fmt::format("list {} has a number that is not finite", l));
    }
  }
  for (const char* section : {"centroids", "router.blk"}) reader.verify(section);
  model.centroid_levels = reader.array<std::int8_t>("centroids", nlist, model.dim());
  model.router_blocks =
      reader.array<std::uint8_t>("router.blk", block_count(nlist), block_bytes(model.dim()));
  check_centroids(reader, model);
}

// Before complete(), which numbers them.
void read_far_lists(SectionReader& reader, TrainedModel& model) {
  if (!reader.has("far.lists")) return;
  model.far_lists = reader.fixed_all<std::uint32_t>("far.lists");
  reader.verify("far.points");
  model.far_points = reader.array<float>("far.points", model.far_lists.size(), model.dim());
  for (std::size_t i = 0; i < model.far_lists.size(); ++i) {
    const std::uint32_t list = model.far_lists[i];
    if (list < model.info.nlist && (i == 0 || list > model.far_lists[i - 1])) continue;
    reader.refuse("far.lists",
                  fmt::format("list {} of {}, or out of order", list, model.info.nlist));
  }
  for (std::size_t i = 0; i < model.far_lists.size(); ++i) {
    if (is_bounded(model.far_points.subspan(i * model.dim(), model.dim()))) continue;
    reader.refuse("far.points", fmt::format("point {} is not finite, or too long", i));
  }
}

// Groups must divide the lists among them, in their order.
void read_groups(SectionReader& reader, TrainedModel& model) {
  if (!reader.has("groups")) return;
  model.groups = reader.fixed_all<GroupRecord>("groups");
  reader.verify("group.codes");
  model.group_panels =
      reader.array<std::uint8_t>("group.codes", panel_bytes(model.groups.size(), model.dim()), 1);
  std::uint64_t lists = 0;
  for (std::size_t g = 0; g < model.groups.size(); ++g) {
    const GroupRecord& group = model.groups[g];
    if (group.first != lists) {
      reader.refuse("groups",
                    fmt::format("group {} begins at list {}, not {}", g, group.first, lists));
    }
    if (!is_finite(group.point)) {
      reader.refuse("groups", fmt::format("group {} has a number that is not finite", g));
    }
    lists += group.count;
  }
  if (lists != model.info.nlist) {
    reader.refuse("groups",
                  fmt::format("{} lists in groups, {} in the model", lists, model.info.nlist));
  }
}

void read_near_groups(SectionReader& reader, TrainedModel& model) {
  if (!reader.has("near.groups")) return;
  model.near_sizes = reader.fixed_all<std::uint32_t>("near.groups");
  std::uint64_t lists = 0;
  for (const std::uint32_t size : model.near_sizes) lists += size;
  if (lists != model.info.nlist || model.info.near_margin == 0) {
    reader.refuse("near.groups", fmt::format("{} lists in groups, {} in the model; margin {}",
                                             lists, model.info.nlist, model.info.near_margin));
  }
}

void read_learn(SectionReader& reader, TrainedModel& model) {
  if (!reader.has("learn.ids")) return;
  model.learn_ids = reader.fixed_all<std::int64_t>("learn.ids");
  model.learn = reader.fixed_array<float>("learn", model.learn_ids.size(), model.dim());
  try {
    require_finite({model.learn.data(), model.learn_ids.size(), model.dim()}, "learn query", 0,
                   model.metric());
  } catch (const std::invalid_argument& error) {
    reader.refuse("learn", error.what());
  }
}

// The section of a model that cannot be completed.
const char* section_at_fault(TrainedModel model) {
  if (!model.encoder_state.empty()) {
    model.encoder_state = {};
    try {
      complete(model);
      return "encoder";
    } catch (const std::invalid_argument&) {  // without it, too
    }
  }
  return model.quantizer_state.empty() ? "model" : "quantizer";
}

template <typename T>
void add_unless_empty(SectionSink& writer, std::string_view name, std::span<const T> values) {
  if (!values.empty()) writer.add(name, std::as_bytes(values), Need::required);
}

}  // namespace

void write_model(SectionSink& writer, const TrainedModel& model) {
  writer.add("model", std::as_bytes(std::span(&model.info, 1)), Need::required);
  writer.add("mean", std::as_bytes(model.mean), Need::required);
  add_unless_empty(writer, "quantizer", model.quantizer_state);
  add_unless_empty(writer, "encoder", model.encoder_state);
  writer.add("centroids", std::as_bytes(model.centroid_levels), Need::required);
  add_unless_empty(writer, "far.lists", model.far_lists);
  add_unless_empty(writer, "far.points", model.far_points);
  writer.add("points", std::as_bytes(model.lists), Need::required);
  writer.add("router.blk", std::as_bytes(model.router_blocks), Need::required);
  add_unless_empty(writer, "groups", model.groups);
  add_unless_empty(writer, "group.codes", model.group_panels);
  add_unless_empty(writer, "near.groups", model.near_sizes);
  add_unless_empty(writer, "learn", model.learn);
  add_unless_empty(writer, "learn.ids", model.learn_ids);
}

TrainedModel read_model(SectionReader& reader) {
  TrainedModel model;
  model.info = read_info(reader);
  read_mean(reader, model);
  if (reader.has("quantizer")) model.quantizer_state = reader.fixed_all<std::uint8_t>("quantizer");
  if (reader.has("encoder")) model.encoder_state = reader.fixed_all<std::uint8_t>("encoder");
  read_far_lists(reader, model);
  read_points(reader, model);
  read_groups(reader, model);
  read_near_groups(reader, model);
  read_learn(reader, model);
  try {
    complete(model);
  } catch (const std::invalid_argument& error) {
    reader.refuse(section_at_fault(model), error.what());
  }
  model.owner = reader.owner();
  return model;
}

void save_model(const TrainedModel& model, const std::string& path) {
  SectionWriter writer(path);
  write_model(writer, model);
  writer.commit();
}

std::shared_ptr<const TrainedModel> open_model(const std::string& path, const OpenOptions& options,
                                               const std::function<bool(double)>& read) {
  SectionReader reader(path,
                       options.residence == Residence::mapped ? Loading::mapped : Loading::memory);
  reader.file().require_known(kKnownSections);
  if (options.verify) reader.file().verify_all(read);
  if (!reader.has("model")) {
    throw std::invalid_argument(path + ": no model is in this file; name one that train wrote");
  }
  return std::make_shared<const TrainedModel>(read_model(reader));
}

}  // namespace obliq
