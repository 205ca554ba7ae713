// obliq._core.Quantizer: codes without an index. Vectors are rotated here, by the rotation of the
// seed, so that callers give and get vectors of their own space.
#include <fmt/format.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "core/parallel.h"
#include "index/segment/vector_transform.h"
#include "obliq/quantizer.h"
#include "obliq/rotation.h"
#include "python/arrays.h"
#include "python/bindings.h"
#include "python/gil.h"

namespace obliq::python {
namespace {

using ByteMatrix = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using FloatArray = nb::ndarray<nb::numpy, float>;

class RotatedQuantizer {
 public:
  RotatedQuantizer(const std::string& spec, std::int64_t dim, std::uint64_t seed,
                   const nb::bytes& state)
      : RotatedQuantizer(
            make_quantizer(spec, count_of(dim, "dim"), seed,
                           {static_cast<const std::uint8_t*>(state.data()), state.size()}),
            seed) {}
  RotatedQuantizer(QuantizerPtr quantizer, std::uint64_t seed)
      : seed_(seed),
        rotation_(make_rotation(quantizer->dim(), seed)),
        quantizer_(std::move(quantizer)) {}

  const Quantizer& quantizer() const { return *quantizer_; }
  std::uint64_t seed() const { return seed_; }
  std::size_t code_bytes() const { return quantizer_->layout().code_bytes; }
  std::size_t factors() const { return quantizer_->layout().factors; }

  nb::tuple encode(const FloatMatrix& vectors, int threads) const;
  FloatArray decode(const ByteMatrix& codes, const FloatMatrix& factors, int threads) const;
  FloatArray estimate(const ByteMatrix& codes, const FloatMatrix& factors,
                      const FloatMatrix& queries, int threads) const;
  RotatedQuantizer train(const FloatMatrix& vectors, const std::optional<FloatMatrix>& queries,
                         int threads) const;

 private:
  Matrix<float> rotated(const FloatMatrix& vectors, std::string_view what, int threads) const;
  void check_codes(const ByteMatrix& codes, const FloatMatrix& factors) const;

  std::uint64_t seed_;
  std::unique_ptr<const Rotation> rotation_;
  QuantizerPtr quantizer_;
};

Matrix<float> RotatedQuantizer::rotated(const FloatMatrix& vectors, std::string_view what,
                                        int threads) const {
  if (vectors.shape(1) != quantizer_->dim()) {
    throw std::invalid_argument(fmt::format("{}s have dim {}, the quantizer has {}", what,
                                            vectors.shape(1), quantizer_->dim()));
  }
  Matrix<float> x(vectors.shape(0), vectors.shape(1));
  std::copy_n(vectors.data(), x.values.size(), x.values.data());
  require_finite(x.view(), what);
  parallel_for(x.rows, 64, threads, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) rotation_->apply(x.row(i));
  });
  return x;
}

nb::tuple RotatedQuantizer::encode(const FloatMatrix& vectors, int threads) const {
  const std::size_t n = vectors.shape(0);
  std::uint8_t* codes = nullptr;
  float* factors = nullptr;
  auto code_array = new_array<std::uint8_t>({n, code_bytes()}, codes);
  auto factor_array = new_array<float>({n, this->factors()}, factors);
  {
    const GilRelease release;
    const Matrix<float> x = rotated(vectors, "vector", threads);
    parallel_for(n, 64, threads, [&](std::size_t begin, std::size_t end, int) {
      std::vector<Factors> of(end - begin);
      quantizer_->encode_batch(x.view().slice(begin, end - begin), codes + begin * code_bytes(),
                               of.data());
      for (std::size_t i = begin; i < end; ++i) {
        std::copy_n(of[i - begin].begin(), this->factors(), factors + i * this->factors());
      }
    });
  }
  return nb::make_tuple(std::move(code_array), std::move(factor_array));
}

void RotatedQuantizer::check_codes(const ByteMatrix& codes, const FloatMatrix& factors) const {
  if (codes.shape(1) != code_bytes() || factors.shape(1) != this->factors() ||
      codes.shape(0) != factors.shape(0)) {
    throw std::invalid_argument(
        fmt::format("codes must be [n][{}] bytes and factors [n][{}] floats, as encode gives them",
                    code_bytes(), this->factors()));
  }
}

Factors factors_of(const FloatMatrix& factors, std::size_t row) {
  Factors of = {};
  std::copy_n(factors.data() + row * factors.shape(1), factors.shape(1), of.begin());
  return of;
}

FloatArray RotatedQuantizer::decode(const ByteMatrix& codes, const FloatMatrix& factors,
                                    int threads) const {
  check_codes(codes, factors);
  const std::size_t dim = quantizer_->dim();
  float* x = nullptr;
  auto array = new_array<float>({codes.shape(0), dim}, x);
  const GilRelease release;
  parallel_for(codes.shape(0), 64, threads, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      quantizer_->decode(codes.data() + i * code_bytes(), factors_of(factors, i), x + i * dim);
      rotation_->apply_inverse(x + i * dim);
    }
  });
  return array;
}

FloatArray RotatedQuantizer::estimate(const ByteMatrix& codes, const FloatMatrix& factors,
                                      const FloatMatrix& queries, int threads) const {
  check_codes(codes, factors);
  const std::size_t n = codes.shape(0);
  float* products = nullptr;
  auto array = new_array<float>({queries.shape(0), n}, products);
  const GilRelease release;
  const Matrix<float> q = rotated(queries, "query", threads);
  const std::size_t planes =
      quantizer_->layout().leads_with_signs ? (quantizer_->dim() + 7) / 8 : 0;
  std::vector<CodeRef> codes_at(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint8_t* code = codes.data() + i * code_bytes();
    codes_at[i] = {code, code + planes, factors_of(factors, i)};
  }
  parallel_for(q.rows, 1, threads, [&](std::size_t begin, std::size_t end, int) {
    const auto scorer = quantizer_->make_scorer();
    for (std::size_t i = begin; i < end; ++i) {
      scorer->set_query(q.row(i));
      scorer->products(codes_at, products + i * n);
    }
  });
  return array;
}

RotatedQuantizer RotatedQuantizer::train(const FloatMatrix& vectors,
                                         const std::optional<FloatMatrix>& queries,
                                         int threads) const {
  const GilRelease release;
  const Matrix<float> x = rotated(vectors, "vector", threads);
  const Matrix<float> q = queries ? rotated(*queries, "query", threads) : Matrix<float>();
  QuantizerPtr trained = quantizer_->train({x.view(), q.view(), threads});
  if (trained == nullptr) {
    throw std::invalid_argument(
        fmt::format("quantizer '{}' learns nothing; use it as it is", quantizer_->spec()));
  }
  return {std::move(trained), seed_};
}

nb::bytes state_of(const RotatedQuantizer& self) {
  const std::vector<std::uint8_t> state = self.quantizer().state();
  return nb::bytes(state.data(), state.size());
}

}  // namespace

void bind_quantizer(nb::module_& module) {
  using Self = RotatedQuantizer;
  nb::class_<Self>(module, "Quantizer")
      .def(nb::init<const std::string&, std::int64_t, std::uint64_t, const nb::bytes&>(),
           nb::arg("spec"), nb::arg("dim"), nb::arg("seed"), nb::arg("state"))
      .def_prop_ro("spec", [](const Self& self) { return self.quantizer().spec(); })
      .def_prop_ro("dim", [](const Self& self) { return self.quantizer().dim(); })
      .def_prop_ro("bits", [](const Self& self) { return self.quantizer().bits(); })
      .def_prop_ro("seed", &Self::seed)
      .def_prop_ro("state", &state_of)
      .def_prop_ro("learns", [](const Self& self) { return self.quantizer().learns(); })
      .def_prop_ro("code_bytes", &Self::code_bytes)
      .def_prop_ro("factors", &Self::factors)
      .def("encode", &Self::encode, nb::arg("vectors"), nb::arg("threads"),
           nb::sig("def encode(self, vectors: NDArray[numpy.float32], threads: int) -> "
                   "tuple[NDArray[numpy.uint8], NDArray[numpy.float32]]"))
      .def("decode", &Self::decode, nb::arg("codes"), nb::arg("factors"), nb::arg("threads"))
      .def("estimate", &Self::estimate, nb::arg("codes"), nb::arg("factors"), nb::arg("queries"),
           nb::arg("threads"))
      .def("train", &Self::train, nb::arg("vectors"), nb::arg("queries").none(),
           nb::arg("threads"));
  module.def("quantizer_specs", &quantizer_specs);
  module.def("quantizer_grammar", &quantizer_grammar);
}

}  // namespace obliq::python
