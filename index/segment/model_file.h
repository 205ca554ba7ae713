// A model as sections of a file (docs/file_format.md): of a file of its own, or of an index.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "index/segment/section_reader.h"
#include "index/segment/trained_model.h"
#include "obliq/index.h"
#include "storage/section_file.h"

namespace obliq {

/// Writes the sections of a model; learn queries where it has them.
void write_model(SectionSink& writer, const TrainedModel& model);

/// Reads them. `owner` is that of the reader. Throws std::runtime_error naming file, section and
/// offset where they are damaged.
TrainedModel read_model(SectionReader& reader);

/// Writes the file of a model, atomically. Throws std::system_error.
void save_model(const TrainedModel& model, const std::string& path);
/// Opens the file of a model, or the model of an index. Throws as Index::open does. `read` gets the
/// share of the bytes that is verified, and returns true.
std::shared_ptr<const TrainedModel> open_model(const std::string& path, const OpenOptions& options,
                                               const std::function<bool(double)>& read = {});

}  // namespace obliq
