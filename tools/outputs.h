// Files that commands write: what is checked before any work is done, and where what a command says
// of an output goes when that output is stdout.
#pragma once

#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace obliq::tools {

/// Throws std::invalid_argument where an output is one of the inputs, whatever the paths look like
/// (other spellings, symbolic and hard links), or where two outputs are the same file. Inputs may
/// be "FILE:dataset"; empty ones are none. Devices may be both.
void check_outputs(const std::vector<std::string>& outputs, const std::vector<std::string>& inputs);

/// Throws std::invalid_argument unless the name ends in one of the suffixes, or leads to a pipe, a
/// device or a descriptor such as /dev/stdout, which have none. `what` is written: "a set".
void require_suffix(const std::string& output, std::initializer_list<std::string_view> suffixes,
                    std::string_view what);

/// Throws std::invalid_argument where the suffix is that of vectors or of a picture: `what` would
/// be taken for it.
void refuse_foreign_suffix(const std::string& output, std::string_view what);

/// Throws std::invalid_argument unless either the name or, where that tells none, `format` is that
/// of vectors.
void check_output_format(const std::string& output, const std::string& format);

/// Whether the path leads to a pipe, a device or a descriptor of this process.
bool is_stream(const std::string& path);

/// Where to print what there is to say of an output: stdout or, where that is the output, stderr.
std::FILE* beside(const std::string& output);

}  // namespace obliq::tools
