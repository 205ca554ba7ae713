// Eight bytes go in with one round, the last ones with the length; three rounds end it.
#include "collection/key_hash.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace obliq {
namespace {

struct State {
  explicit State(std::uint64_t seed)
      : a(seed ^ 0x736F6D6570736575ULL),
        b(seed ^ 0x646F72616E646F6DULL),
        c(seed ^ 0x6C7967656E657261ULL),
        d(seed ^ 0x7465646279746573ULL) {}

  void round() {
    a += b;
    c += d;
    b = std::rotl(b, 13) ^ a;
    d = std::rotl(d, 16) ^ c;
    a = std::rotl(a, 32);
    c += b;
    a += d;
    b = std::rotl(b, 17) ^ c;
    d = std::rotl(d, 21) ^ a;
    c = std::rotl(c, 32);
  }
  void take(std::uint64_t word) {
    d ^= word;
    round();
    a ^= word;
  }

  std::uint64_t a, b, c, d;
};

}  // namespace

std::uint32_t hash_of_key(std::string_view key, std::uint64_t seed) noexcept {
  State state(seed);
  std::uint64_t word = 0;
  std::size_t at = 0;
  for (; at + sizeof word <= key.size(); at += sizeof word) {
    std::memcpy(&word, key.data() + at, sizeof word);
    state.take(word);
  }
  word = 0;
  if (at < key.size()) std::memcpy(&word, key.data() + at, key.size() - at);
  state.take(word | static_cast<std::uint64_t>(key.size()) << 56);
  state.c ^= 0xFF;
  for (int i = 0; i < 3; ++i) state.round();
  return static_cast<std::uint32_t>((state.a ^ state.b ^ state.c ^ state.d) >> 32);
}

}  // namespace obliq
