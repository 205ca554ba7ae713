// Text as UTF-8.
#pragma once

#include <string_view>

namespace obliq {

/// Whether all of it is UTF-8 as RFC 3629 defines it: no byte too many or too few, no surrogates,
/// nothing beyond U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace obliq
