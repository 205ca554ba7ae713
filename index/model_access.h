// What the library itself needs of a model beyond its public class.
#pragma once

#include <memory>

#include "index/segment/trained_model.h"
#include "obliq/model.h"

namespace obliq {

struct ModelAccess {
  static std::shared_ptr<const TrainedModel> get(const Model& model);
  static Model make(std::shared_ptr<const TrainedModel> model);
};

}  // namespace obliq
