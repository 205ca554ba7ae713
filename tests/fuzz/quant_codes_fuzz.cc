// Whatever bytes a code, its factors or a trained state hold: decoding and products stay inside
// their buffers and give finite numbers, and a state is taken or refused with an error.
//
// Input: [spec number][dim 1..64][state bytes n][n bytes of state][code bytes ...], short input
// filled with zeros.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <vector>

#include "obliq/quantizer.h"

namespace {

using obliq::CodeRef;
using obliq::Factors;
using obliq::Quantizer;
using obliq::QuantizerPtr;

/// Takes bytes from the front of the input, zeros behind its end.
class Bytes {
 public:
  explicit Bytes(std::span<const std::uint8_t> data) : data_(data) {}

  std::vector<std::uint8_t> take(std::size_t count) {
    std::vector<std::uint8_t> taken(count);
    const std::size_t present = std::min(count, data_.size());
    std::copy_n(data_.begin(), present, taken.begin());
    data_ = data_.subspan(present);
    return taken;
  }
  std::size_t number() { return take(1)[0]; }

 private:
  std::span<const std::uint8_t> data_;
};

QuantizerPtr quantizer_of(Bytes& bytes) {
  static const std::vector<std::string> specs = obliq::quantizer_specs();
  const std::string& spec = specs[bytes.number() % specs.size()];
  const std::size_t dim = 1 + bytes.number() % 64;
  const auto state = bytes.take(bytes.number());
  try {
    return obliq::make_quantizer(spec, dim, 1, state);
  } catch (const std::invalid_argument&) {  // a damaged state
    return obliq::make_quantizer(spec, dim);
  }
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes({data, size});
  const QuantizerPtr quantizer = quantizer_of(bytes);
  const std::size_t planes = quantizer->layout().leads_with_signs ? (quantizer->dim() + 7) / 8 : 0;
  // On its own, so that the sanitizer sees a read beyond it.
  const std::vector<std::uint8_t> code = bytes.take(quantizer->layout().code_bytes);
  const Factors factors = {1, 1, 1, 1};
  std::vector<float> x(quantizer->dim());
  quantizer->decode(code.data(), factors, x.data());
  require(std::all_of(x.begin(), x.end(), [](float value) { return std::isfinite(value); }));

  const auto scorer = quantizer->make_scorer();
  scorer->set_query(x.data());
  const CodeRef reference{code.data(), code.data() + planes, factors};
  float product = 0;
  scorer->products({&reference, 1}, &product);
  require(std::isfinite(product));
  return 0;
}
