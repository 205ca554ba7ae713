// Flags that several commands share, so that a name means the same everywhere.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace obliq::tools {

void add_json(CLI::App& app, bool& json);
/// "auto", "query" or "list", for parse_batch_order.
void add_batch_order(CLI::App& app, std::string& order);
/// For counts: a whole number of 1 or more.
CLI::Validator positive_count();
/// For counts that may be left at nothing: a whole number of 0 or more.
CLI::Validator count_or_zero();
/// For numbers from `least` to `most`, both included.
CLI::Validator number_between(double least, double most);
void add_threads(CLI::App& app, int& threads, const std::string& what);
/// For outputs whose name tells no format: pipes, /dev/stdout.
void add_output_format(CLI::App& app, std::string& format);
void add_seed(CLI::App& app, std::uint64_t& seed);
/// --metric, by all names that parse_metric takes, with no default: empty when not given.
void add_metric(CLI::App& app, std::string& metric, const std::string& otherwise);
void add_nprobe_list(CLI::App& app, std::vector<std::size_t>& nprobe);
void add_confidence(CLI::App& app, float& confidence);
/// --segment, which makes of INDEX a model: for open_index_or_segments.
void add_segments(CLI::App& app, std::vector<std::string>& segments);
/// What is searched for which queries: both are required.
void add_searched(CLI::App& app, std::string& index, std::string& queries,
                  std::vector<std::string>& segments);

/// "auto" is 0; otherwise a positive number. Throws std::invalid_argument.
std::size_t parse_nlist(const std::string& text);

/// What `nprobe` asks for; when it is empty, 1, 2, 4 ... up to `last` and no more than nlist.
std::vector<std::size_t> resolve_nprobe(const std::vector<std::size_t>& nprobe, std::size_t nlist,
                                        std::size_t last);

/// --max-memory, as 2GB or 500MB.
void add_max_memory(CLI::App& app, std::size_t& bytes, const std::string& help);

/// A range A:B of whole numbers, A < B.
struct Range {
  std::size_t first = 0;
  std::size_t end = 0;
};
/// Reads the text after `flag`. Throws std::invalid_argument.
Range parse_range(const std::string& flag, const std::string& text);

/// For files that are read only when they are named: refuses an empty name.
CLI::Validator file_name();

/// Prints one JSON object on a line.
void print_json(const nlohmann::ordered_json& object, std::FILE* to = stdout);

}  // namespace obliq::tools
