// Quantizers with the rotation of their seed, so that callers give and get vectors of their own
// space.
#include "obliq/c/quantizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "capi/arguments.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "capi/missing.h"
#include "core/parallel.h"
#include "index/segment/vector_transform.h"

namespace obliq::capi {
namespace {

constexpr std::size_t kGrain = 64;  // vectors that a thread takes at once

Matrix<float> rotated(const obliq_quantizer& self, const float* vectors, std::size_t n,
                      std::size_t dim, int threads, std::string_view what) {
  require_dim(dim, self.quantizer->dim());
  const auto given = matrix_of(vectors, n, dim, what);
  require_finite(given, what);
  Matrix<float> x(n, dim);
  std::copy_n(given.data, x.values.size(), x.values.data());
  parallel_for(n, kGrain, threads, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) self.rotation->apply(x.row(i));
  });
  return x;
}

/// Codes and factors of n vectors, or where they go.
template <typename Byte, typename Number>
void require_codes(const CodeLayout& layout, Byte* codes, Number* factors, std::size_t n) {
  require_buffer(codes, area_of(n, layout.code_bytes, "codes"), 1, "codes");
  require_buffer(factors, area_of(n, layout.factors, "factors"), sizeof(float), "factors");
}

Factors factors_at(const CodeLayout& layout, const float* factors, std::size_t row) {
  Factors of = {};
  if (layout.factors > 0) std::copy_n(factors + row * layout.factors, layout.factors, of.begin());
  return of;
}

void encode(const obliq_quantizer& self, const Matrix<float>& x, int threads, std::uint8_t* codes,
            float* factors) {
  const CodeLayout layout = self.quantizer->layout();
  parallel_for(x.rows, kGrain, threads, [&](std::size_t begin, std::size_t end, int) {
    std::vector<Factors> of(end - begin);
    self.quantizer->encode_batch(x.view().slice(begin, end - begin),
                                 codes + begin * layout.code_bytes, of.data());
    for (std::size_t i = begin; i < end && layout.factors > 0; ++i) {
      std::copy_n(of[i - begin].begin(), layout.factors, factors + i * layout.factors);
    }
  });
}

std::vector<CodeRef> references_to(const obliq_quantizer& self, const std::uint8_t* codes,
                                   const float* factors, std::size_t n) {
  const CodeLayout layout = self.quantizer->layout();
  const std::size_t planes = layout.leads_with_signs ? (self.quantizer->dim() + 7) / 8 : 0;
  std::vector<CodeRef> references(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint8_t* code = codes + i * layout.code_bytes;
    references[i] = {code, code + planes, factors_at(layout, factors, i)};
  }
  return references;
}

obliq_quantizer_layout numbers_of(const obliq_quantizer& self) {
  const CodeLayout layout = self.quantizer->layout();
  obliq_quantizer_layout to = {};
  to.dim = self.quantizer->dim();
  to.code_bytes = layout.code_bytes;
  to.factors = layout.factors;
  to.bits = self.quantizer->bits();
  to.seed = self.seed;
  to.state_bytes = self.quantizer->state().size();
  to.learns = self.quantizer->learns() ? 1 : 0;
  return to;
}

void make(QuantizerPtr quantizer, std::uint64_t seed, obliq_quantizer** out) {
  auto rotation = make_rotation(quantizer->dim(), seed);
  give(out, seed, std::move(rotation), std::move(quantizer));
}

}  // namespace
}  // namespace obliq::capi

using obliq::capi::guard;
using obliq::capi::required;

obliq_status obliq_quantizer_create(const char* spec, size_t dim, uint64_t seed,
                                    const uint8_t* state, size_t state_bytes,
                                    obliq_quantizer** out) {
  return guard([&] {
    required(out, "out");
    const auto learnt = obliq::capi::values_of(state, state_bytes, "state");
    obliq::capi::make(obliq::make_quantizer(obliq::capi::text_of(spec, "spec"), dim, seed, learnt),
                      seed, out);
  });
}

void obliq_quantizer_free(obliq_quantizer* quantizer) { obliq::capi::take_back(quantizer); }

obliq_status obliq_quantizer_grammar(char* out, size_t capacity, size_t* needed) {
  return guard([&] {
    obliq::capi::write_text(fmt::format("{}\n", fmt::join(obliq::quantizer_grammar(), "\n")), out,
                            capacity, needed);
  });
}

obliq_status obliq_quantizer_spec(const obliq_quantizer* quantizer, char* out, size_t capacity,
                                  size_t* needed) {
  return guard([&] {
    obliq::capi::write_text(required(quantizer, "quantizer").quantizer->spec(), out, capacity,
                            needed);
  });
}

obliq_status obliq_quantizer_get_layout(const obliq_quantizer* quantizer,
                                        obliq_quantizer_layout* out) {
  return guard([&] {
    obliq::capi::write_stats(obliq::capi::numbers_of(required(quantizer, "quantizer")), out,
                             "layout");
  });
}

obliq_status obliq_quantizer_encode(const obliq_quantizer* quantizer, const float* vectors,
                                    size_t n, size_t dim, int32_t threads, uint8_t* codes,
                                    float* factors) {
  return guard([&] {
    const auto& self = required(quantizer, "quantizer");
    obliq::capi::require_codes(self.quantizer->layout(), codes, factors, n);
    const auto x = obliq::capi::rotated(self, vectors, n, dim, threads, "vector");
    obliq::capi::encode(self, x, threads, codes, factors);
  });
}

obliq_status obliq_quantizer_decode(const obliq_quantizer* quantizer, const uint8_t* codes,
                                    const float* factors, size_t n, int32_t threads, float* out) {
  return guard([&] {
    const auto& self = required(quantizer, "quantizer");
    const obliq::CodeLayout layout = self.quantizer->layout();
    const std::size_t dim = self.quantizer->dim();
    obliq::capi::require_codes(layout, codes, factors, n);
    obliq::capi::require_buffer(out, obliq::capi::area_of(n, dim, "out"), sizeof(float), "out");
    obliq::parallel_for(
        n, obliq::capi::kGrain, threads, [&](std::size_t begin, std::size_t end, int) {
          for (std::size_t i = begin; i < end; ++i) {
            self.quantizer->decode(codes + i * layout.code_bytes,
                                   obliq::capi::factors_at(layout, factors, i), out + i * dim);
            self.rotation->apply_inverse(out + i * dim);
          }
        });
  });
}

obliq_status obliq_quantizer_estimate(const obliq_quantizer* quantizer, const uint8_t* codes,
                                      const float* factors, size_t n, const float* queries,
                                      size_t m, size_t dim, int32_t threads, float* out) {
  return guard([&] {
    const auto& self = required(quantizer, "quantizer");
    obliq::capi::require_codes(self.quantizer->layout(), codes, factors, n);
    obliq::capi::require_buffer(out, obliq::capi::area_of(m, n, "out"), sizeof(float), "out");
    const auto q = obliq::capi::rotated(self, queries, m, dim, threads, "query");
    const auto references = obliq::capi::references_to(self, codes, factors, n);
    obliq::parallel_for(m, 1, threads, [&](std::size_t begin, std::size_t end, int) {
      const auto scorer = self.quantizer->make_scorer();
      for (std::size_t i = begin; i < end; ++i) {
        scorer->set_query(q.row(i));
        scorer->products(references, out + i * n);
      }
    });
  });
}

obliq_status obliq_quantizer_train(const obliq_quantizer* quantizer, const float* vectors, size_t n,
                                   const float* queries, size_t m, size_t dim, int32_t threads,
                                   obliq_quantizer** out) {
  return guard([&] {
    const auto& self = required(quantizer, "quantizer");
    required(out, "out");
    if (n == 0) throw std::invalid_argument("there are no vectors to learn from");
    const auto x = obliq::capi::rotated(self, vectors, n, dim, threads, "vector");
    const auto q = obliq::capi::rotated(self, queries, m, dim, threads, "query");
    auto trained = self.quantizer->train({x.view(), q.view(), threads});
    if (trained == nullptr) {
      throw std::invalid_argument(
          fmt::format("quantizer '{}' learns nothing; use it as it is", self.quantizer->spec()));
    }
    obliq::capi::make(std::move(trained), self.seed, out);
  });
}

obliq_status obliq_quantizer_state(const obliq_quantizer* quantizer, uint8_t* out, size_t capacity,
                                   size_t* needed) {
  return guard([&] {
    const auto state = required(quantizer, "quantizer").quantizer->state();
    if (needed != nullptr) *needed = state.size();
    if (out == nullptr) return;
    obliq::capi::require_capacity(state.size(), capacity, "state");
    std::copy(state.begin(), state.end(), out);
  });
}
