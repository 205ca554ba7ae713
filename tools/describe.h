// An index in words: what build, info and demo print.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "obliq/index.h"

namespace obliq::tools {

/// dim, metric, n, nlist, quantizer, raw, spill, bytes_per_vector (all but external ids and
/// centroids), id_bytes, centroid_bytes, file_bytes, format_version, model (16
/// hexadecimal digits), simd, tuning.
nlohmann::ordered_json stats_json(const IndexStats& stats);

/// "10,000 x 384, cosine, lm4, 400 lists, 204.5 bytes per vector, 2.7 MB".
std::string stats_line(const IndexStats& stats);

nlohmann::ordered_json tuning_json(const Tuning& tuning);
/// What tuning found, as a table; one line when the index is not tuned.
std::string tuning_text(const Tuning& tuning);
/// An object, one name and value per line.
std::string json_text(const nlohmann::ordered_json& json);
/// The same as stats_json and tuning_text.
std::string stats_text(const IndexStats& stats);

/// "12 B", "3.4 kB", "5.6 MB", "7.8 GB": powers of 1000.
std::string bytes_text(double bytes);

}  // namespace obliq::tools
