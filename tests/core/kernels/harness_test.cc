// The harness of cases.h finds each kind of fault that a kernel could have.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/kernels/dispatch.h"
#include "tests/core/kernels/cases.h"

namespace obliq {
namespace {

std::unique_ptr<KernelCall> call_of(const std::string& name, const CaseSetup& setup) {
  for (const KernelCase& kernel : kernel_cases()) {
    if (kernel.name == name) return kernel.make(setup);
  }
  throw std::invalid_argument("no case " + name);
}

const Kernels& scalar() { return kernel_levels().front(); }

float dot_one_ulp_off(const float* x, const float* y, std::size_t dim) noexcept {
  return std::nextafter(scalar().dot(x, y, dim), 1e30F);
}

void dots_beyond_bound(const float* x, std::size_t nx, const float* y, std::size_t ny,
                       std::size_t dim, float* out) noexcept {
  scalar().dots(x, nx, y, ny, dim, out);
  if (nx * ny != 0) out[nx * ny - 1] *= 1.001F;
}

void quantize_one_more(const float* x, std::size_t dim, float scale, std::int8_t* row) noexcept {
  scalar().quantize_bytes(x, dim, scale, row);
  row[dim] = 0;
}

std::int32_t read_one_more(const std::int8_t* row, const std::int16_t* query,
                           std::size_t dim) noexcept {
  return scalar().dot_bytes(row, query, dim) + *static_cast<volatile const std::int8_t*>(row + dim);
}

std::int32_t write_input(const std::int8_t* row, const std::int16_t* query,
                         std::size_t dim) noexcept {
  *const_cast<volatile std::int8_t*>(row) = 1;
  return scalar().dot_bytes(row, query, dim);
}

TEST(KernelHarness, FindsAResultOneUnitInTheLastPlaceOff) {
  Kernels wrong = scalar();
  wrong.dot = dot_one_ulp_off;
  const auto call = call_of("dot", {});
  call->run(scalar());
  const Words expected = call->output();
  call->run(wrong);
  EXPECT_FALSE(call->agrees(expected, call->output()));
}

TEST(KernelHarness, FindsATileSumBeyondTheBound) {
  Kernels wrong = scalar();
  wrong.dots = dots_beyond_bound;
  const auto call = call_of("dots", {.dim = 24, .seed = 77});
  call->run(scalar());
  const Words expected = call->output();
  EXPECT_TRUE(call->agrees(expected, expected));
  call->run(wrong);
  EXPECT_FALSE(call->agrees(expected, call->output()));
}

TEST(KernelHarness, FindsAByteWrittenPastTheOutput) {
  Kernels wrong = scalar();
  wrong.quantize_bytes = quantize_one_more;
  for (const Placement placement : {Placement::at_start, Placement::shifted}) {
    const auto call = call_of("quantize_bytes", {.dim = 17, .placement = placement});
    call->run(scalar());
    EXPECT_TRUE(call->intact());
    call->run(wrong);
    EXPECT_FALSE(call->intact());
  }
}

TEST(KernelHarnessDeathTest, FaultsOnAByteReadPastAnInputAtTheEndOfItsPage) {
  Kernels wrong = scalar();
  wrong.dot_bytes = read_one_more;
  const auto call = call_of("dot_bytes", {.dim = 17, .placement = Placement::at_end});
  EXPECT_DEATH(call->run(wrong), "");
}

TEST(KernelHarnessDeathTest, FaultsOnAWriteToAnInput) {
  Kernels wrong = scalar();
  wrong.dot_bytes = write_input;
  const auto call = call_of("dot_bytes", {.dim = 17});
  EXPECT_DEATH(call->run(wrong), "");
}

}  // namespace
}  // namespace obliq
