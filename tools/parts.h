// Files of models and segments: which of them a file is, and what it says of itself. Commands that
// take an index, a model or a segment ask here.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "obliq/model.h"

namespace obliq::tools {

enum class FileKind { index, model, segment };

/// Reads the table of sections. Throws as Index::open.
FileKind file_kind(const std::string& path);

/// kind, model (16 hexadecimal digits), dim, metric, n, nlist, list_groups, quantizer, raw, spill,
/// learn_queries, seed.
nlohmann::ordered_json model_json(const ModelStats& stats);
/// "model 0123456789abcdef: 384 dims, cosine, sq8, 400 lists, for 10,000 vectors".
std::string model_line(const ModelStats& stats);

/// kind, model, n, foreign_rows, spilled, lists (first and end), ids, truth, columns (whether it
/// has some), file_bytes. Needs no model. Throws as Index::open.
nlohmann::ordered_json segment_json(const std::string& path);
/// "segment of model 0123456789abcdef: 2500 vectors, lists 0:400, 1.1 MB", of segment_json.
std::string segment_line(const nlohmann::ordered_json& segment);

/// Recomputes the checksum of every section of a file that is no index. Throws as Index::open.
void verify_sections(const std::string& path);

/// An index: `path`, or with segments the model `path` and these.
Index open_index_or_segments(const std::string& path, const std::vector<std::string>& segments,
                             const OpenOptions& options = {});

}  // namespace obliq::tools
