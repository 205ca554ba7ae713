// Contracts of every SIMD kernel, one table of function pointers per ISA.
//
// scalar.cc is the definition: readable first. avx2.cc, avx512.cc, avx512vnni.cc and neon.cc claim
// to equal it, and the tests of tests/core/kernels hold them to that. All kernels are noexcept,
// allocate nothing, take every size including 0, need no alignment, and read and write nothing
// outside the ranges given here.
//
// Floats are bit-equal on every ISA where "fixed order" is written: multiplications and additions
// are separate (no FMA) and sums run in `kLanes` lanes (lane j adds the terms i = j mod kLanes in
// rising i, starting from 0; missing terms of the last step are +0), which are then folded in
// halves: lane j += lane j + kLanes/2, then kLanes/4, ... down to lane 0.
//
// A *block* holds 32 entries. It begins with their signs, [groups][16] bytes with groups =
// ceil(dim / 4): byte e%16 of group g holds in its low half (e < 16) or high half (e >= 16) the
// signs of dims 4g..4g+3 of entry e; bit i is 1 where that of dim 4g+i is +; bits beyond dim are 0.
// Callers say where the factors of the entries lie and how far the next block is (ScanList).
// Little-endian throughout.
#pragma once

#include <cstddef>
#include <cstdint>

namespace obliq {

inline constexpr std::size_t kBlockEntries = 32;
inline constexpr std::size_t kLanes = 64;

// Always inlined: no kernel object, not even of a Debug build, carries a copy that the linker could
// choose for the whole program.
[[gnu::always_inline]] inline constexpr std::size_t sign_groups(std::size_t dim) {
  return (dim + 3) / 4;
}
/// Bytes of one bit plane, one bit per dimension.
[[gnu::always_inline]] inline constexpr std::size_t plane_bytes(std::size_t dim) {
  return (dim + 7) / 8;
}

/// The blocks that are likely to be scanned after those of a list, for fetching them; null:
/// unknown.
struct NextBlocks {
  const std::uint8_t* first = nullptr;
  const std::uint8_t* second = nullptr;
};

/// Entries [lane, lane + count) counted from the start of `blocks`, and the numbers that turn a
/// LUT sum into a distance: with ip = float(sum) * lut_step + lut_shift,
///     bound = (base + f_add * add_scale) - (f_rescale * rescale_scale) * ip
/// (fixed order, as written).
///
/// Of the first `masked` entries only those with a bit count: entry i has bit mask_begin + i of
/// `mask`, null: all entries count. A block without such an entry is not read.
struct ScanList {
  const std::uint8_t* blocks;  ///< the block of the first entry; ceil((lane+count)/32) blocks
  std::size_t stride;          ///< bytes from block to block
  std::size_t factors;         ///< offset in a block of [32] f_add and [32] f_rescale, fp16
  std::uint32_t lane;          ///< the first entry's place in that block, 0..31
  std::uint32_t count;
  float base;
  float add_scale;
  float rescale_scale;
  float lut_step;
  float lut_shift;
  NextBlocks next = {};
  const std::uint64_t* mask = nullptr;  ///< a word behind that of the last bit is read, too
  std::uint64_t mask_begin = 0;
  std::uint32_t masked = 0;
};

/// A nested code over E8 (quant/nested/nested_code.h) without dither, and what divides by powers of
/// q.
struct E8Shape {
  std::uint32_t q;           ///< 2..16
  std::uint32_t index_bits;  ///< ceil(8 log2 q)
  std::uint32_t scale_bits;  ///< 0..3
  std::int32_t scales[8];    ///< 1..127, 2 q * scale <= 2047; one for every number of 3 bits
  std::uint32_t by_fourth;   ///< n / q^4 = n * by_fourth >> (32 + fourth_shift) for n < 2 q^8
  std::uint32_t fourth_shift;
  std::uint32_t by_square;  ///< n / q^2 = n * by_square >> (16 + square_shift) for n < q^4
  std::uint32_t square_shift;
  std::uint32_t by_q;  ///< n / q = n * by_q >> 16 for n < q^2
};

/// The shape with its reciprocals, which are exact for every q in 2..16. Scales beyond the `count`
/// given repeat the last.
[[gnu::always_inline]] inline constexpr E8Shape e8_shape(std::uint32_t q, std::uint32_t scale_bits,
                                                         const std::int16_t* scales,
                                                         std::size_t count) {
  const std::uint64_t square = std::uint64_t{q} * q;
  const std::uint64_t fourth = square * square;
  E8Shape shape{};
  shape.q = q;
  shape.scale_bits = scale_bits;
  for (std::size_t p = 0; p < 8; ++p) shape.scales[p] = scales[p < count ? p : count - 1];
  while ((fourth - 1) * (fourth + 1) >> shape.index_bits != 0) ++shape.index_bits;  // q^8 - 1
  while ((fourth - 1) >> (shape.fourth_shift + 1) != 0) ++shape.fourth_shift;
  while ((square - 1) >> (shape.square_shift + 1) != 0) ++shape.square_shift;
  const std::uint64_t two = 1;
  shape.by_fourth =
      static_cast<std::uint32_t>(((two << (32 + shape.fourth_shift)) + fourth - 1) / fourth);
  shape.by_square =
      static_cast<std::uint32_t>(((two << (16 + shape.square_shift)) + square - 1) / square);
  shape.by_q = (0x10000 + q - 1) / q;
  return shape;
}

/// Rows as bytes with 128 added, 16 to a panel: [count][groups][16][4], byte b of group g of a row
/// being its dim 4g + b, 128 beyond dim. For each of the 16 * count rows y_j a norm, a length and a
/// step; +infinity as norm where there is no row.
struct BytePanels {
  const std::uint8_t* bytes;
  const float* norms;
  const float* lengths;
  const float* steps;
  std::size_t count;
};

/// A row x_i to compare with panels.
struct PanelQuery {
  float threshold;
  float slack;
  float step;
  std::int32_t sum;  ///< of its bytes
};

struct Kernels {
  const char* name;  ///< "scalar", "avx2", "avx512", "avx512vnni" or "neon"

  /// Walsh-Hadamard butterflies in place, not normalised: for h = 1, 2, 4, ... n/2 the pair
  /// (x[i], x[i+h]) becomes (x[i]+x[i+h], x[i]-x[i+h]). n a power of two (1 included). Bit-equal.
  void (*hadamard)(float* x, std::size_t n) noexcept;

  /// sum x_i y_i, and sum (x_i - y_i)^2. Fixed order.
  float (*dot)(const float* x, const float* y, std::size_t dim) noexcept;
  float (*l2_sqr)(const float* x, const float* y, std::size_t dim) noexcept;

  /// out[i * ny + j] = <x_i, y_j> for x [nx][dim] and y [ny][dim]: the tile of k-means and exact
  /// search. FMA and any order, but the same order for a pair wherever it stands in a tile. Within
  /// dim * (2^-23 * sum |x_i y_i| + 2^-149) of the exact value.
  void (*dots)(const float* x, std::size_t nx, const float* y, std::size_t ny, std::size_t dim,
               float* out) noexcept;

  /// The scan's table for a rotated query: lut[16*g + m] = clamp(rint(t * inv_step + offset), 0,
  /// max_value) with t = (s0 + s1) + (s2 + s3), s_i = +q[4g+i] where bit i of m is set, else
  /// -q[4g+i], and 0 beyond dim (bit-equal: product, then sum; rint to even). Writes 16 *
  /// sign_groups(dim) bytes. max_value <= 31.
  void (*build_lut)(const float* query, std::size_t dim, float inv_step, float offset,
                    int max_value, std::uint8_t* lut) noexcept;

  /// Sums lut[16 * g + nibble] over the groups for each entry of `list`, computes its bound, and
  /// for each entry that counts with bound < threshold writes its number (0 = list's first) and
  /// bound, in rising order. Returns their number; entries and bounds must hold list.count + 32
  /// values (the kernel may overwrite what lies past the count, inside that room). LUT values <= 31
  /// and sums <= 65535. Bit-equal. Reads whole blocks.
  std::size_t (*scan)(const std::uint8_t* lut, std::size_t dim, const ScanList& list,
                      float threshold, std::uint32_t* entries, float* bounds) noexcept;

  /// Writes the positions of the values <= limit, in rising order, and returns their number; `out`
  /// must hold n + 16 (the kernel may overwrite what lies past the count, inside that room).
  std::size_t (*select_below)(const float* values, std::size_t n, float limit,
                              std::uint32_t* out) noexcept;

  /// Collects entry `lane` of a block into a sign plane: bit i%8 of signs[i/8] is the sign of dim
  /// i. Writes plane_bytes(dim) bytes.
  void (*gather_signs)(const std::uint8_t* block, std::uint32_t lane, std::size_t dim,
                       std::uint8_t* signs) noexcept;

  /// sum_i levels[index_i] * query[i], where bit bits-1 of index_i comes from `signs` and bit p <
  /// bits-1 from planes[p * plane_bytes(dim) ...] (bit i%8 of byte i/8). bits 1..8; levels holds
  /// 2^bits values of at most 2047 in size; the caller keeps 2047 * sum |query_i| < 2^31. Exact.
  std::int32_t (*dot_planes)(const std::uint8_t* signs, const std::uint8_t* planes,
                             std::size_t bits, const std::int16_t* levels,
                             const std::int16_t* query, std::size_t dim) noexcept;

  /// sum_i row[i] * query[i]; the caller keeps 128 * sum |query_i| < 2^31. Exact.
  std::int32_t (*dot_bytes)(const std::int8_t* row, const std::int16_t* query,
                            std::size_t dim) noexcept;

  /// sum_i row[i] * query[i]; rows of at most 2047 in size, and the caller keeps 2047 * sum
  /// |query_i| < 2^31. Exact.
  std::int32_t (*dot_words)(const std::int16_t* row, const std::int16_t* query,
                            std::size_t dim) noexcept;

  /// sum_i f_i * scale * query[i] over the blocks of a nested E8 code: block b has the field b of
  /// index_bits bits, the label, from the first bit of `code` on, and the field b of scale_bits
  /// bits, the number of its scale, from the next whole byte on. f is the codeword of the label
  /// modulo q^8 (quant/nested/lattice.h: coset, then reduce). The caller keeps 2047 * sum |query_i|
  /// < 2^31. Exact.
  std::int32_t (*dot_e8)(const std::uint8_t* code, const E8Shape& shape, const std::int16_t* query,
                         std::size_t dim) noexcept;

  /// sum_i levels[w_i] * query[i], where w_i is the 8 bits of `code` (little-endian) from bit i *
  /// bits. Reads the bytes that hold them, ((dim - 1) * bits + 15) / 8. bits 1..4; 256 levels of at
  /// most 2047 in size; the caller keeps 2047 * sum |query_i| < 2^31. Exact.
  std::int32_t (*dot_windows)(const std::uint8_t* code, std::size_t bits,
                              const std::int16_t* levels, const std::int16_t* query,
                              std::size_t dim) noexcept;

  /// index[i] = number of thresholds t with x[i] * scale > t (product in float). `thresholds`
  /// rises, count <= 255. Bit-equal.
  void (*nearest_level)(const float* x, std::size_t dim, float scale, const float* thresholds,
                        std::size_t count, std::uint8_t* index) noexcept;

  /// The same choice of levels y_i = levels[index_i], without storing it: *xy = sum x_i y_i and
  /// *yy = sum y_i y_i. Fixed order. count <= 255 thresholds, count + 1 levels.
  void (*score_levels)(const float* x, std::size_t dim, float scale, const float* thresholds,
                       const float* levels, std::size_t count, float* xy, float* yy) noexcept;

  /// out[l] = sum_j row[j] * x[16 * j + l] for l < 16: a row of a matrix times 16 vectors of n that
  /// lie side by side. An order of its own: four sums, sum p adding the terms of j = p mod 4 in
  /// rising j from 0, then (s0 + s1) + (s2 + s3). Bit-equal.
  void (*row_times_16)(const float* row, const float* x, std::size_t n, float* out) noexcept;

  /// Bit i%8 of signs[i/8] = whether x[i] >= 0, for plane_bytes(dim) bytes; with s_i = +1 where it
  /// is, else -1, *sx = sum s_i x_i and *sy = sum s_i y_i. Fixed order.
  void (*pack_signs)(const float* x, const float* y, std::size_t dim, std::uint8_t* signs,
                     float* sx, float* sy) noexcept;

  /// out[i] = rint(x[i] * scale), the product in double, rint to even; the caller keeps it within
  /// 16 bits. Bit-equal.
  void (*quantize_words)(const float* x, std::size_t dim, double scale, std::int16_t* out) noexcept;

  /// row[i] = clamp(rint(x[i] * scale), -127, 127), rint to even. Bit-equal.
  void (*quantize_bytes)(const float* x, std::size_t dim, float scale, std::int8_t* row) noexcept;

  /// Finds the rows of panels that may be near rows x [nx][4 * groups], 0 beyond dim: with the
  /// exact ip = sum_k x_i[k] * (y_j[k] - 128),
  ///     bound = (norm_j - slack_i * length_j) - (step_i * step_j) * float(ip)
  /// (fixed order, as written). Row i gets the j with !(bound >= threshold_i) in rising order, and
  /// their bounds, from found[i * 16 * panels.count] and bounds[...] on, and counts[i] of them; the
  /// kernel may overwrite the rest of that room. groups <= 16384. Bit-equal.
  void (*scan_panels)(const std::int8_t* x, const PanelQuery* queries, std::size_t nx,
                      const BytePanels& panels, std::size_t groups, std::uint32_t* found,
                      float* bounds, std::uint32_t* counts) noexcept;

  /// One pass of the Viterbi algorithm through the trellis of quant/trellis/trellis.h, from the end
  /// of x to its start: 256 states in groups of 2^bits, state s in group g = s >> bits. With n =
  /// 256 >> bits groups, step i sets choices[i * n + g] to the smallest j with the least costs[j *
  /// n + g], then costs[s] to that cost + (x[i] - levels[s])^2 for each state of the group.
  /// bits 1..4; 256 levels and costs, none a NaN; dim * n choices. Bit-equal (difference, product,
  /// sum).
  void (*viterbi)(const float* x, std::size_t dim, const float* levels, std::size_t bits,
                  float* costs, std::uint8_t* choices) noexcept;
};

/// Fill a table that already holds the kernels of the ISA below. Each is defined in the file of its
/// name; those of another architecture do not exist.
void install_scalar(Kernels& kernels) noexcept;
void install_avx2(Kernels& kernels) noexcept;
void install_avx512(Kernels& kernels) noexcept;
void install_avx512vnni(Kernels& kernels) noexcept;
void install_neon(Kernels& kernels) noexcept;

/// Parts of those, each in the file of its name.
void install_scalar_e8(Kernels& kernels) noexcept;
void install_scalar_panels(Kernels& kernels) noexcept;
void install_avx2_panels(Kernels& kernels) noexcept;
void install_avx512vnni_panels(Kernels& kernels) noexcept;
void install_avx2_e8(Kernels& kernels) noexcept;
void install_avx512vnni_e8(Kernels& kernels) noexcept;
void install_avx2_scan(Kernels& kernels) noexcept;
void install_avx2_rows(Kernels& kernels) noexcept;
void install_avx2_levels(Kernels& kernels) noexcept;
void install_avx512_scan(Kernels& kernels) noexcept;
void install_avx512_rows(Kernels& kernels) noexcept;
void install_avx512_levels(Kernels& kernels) noexcept;
void install_neon_codes(Kernels& kernels) noexcept;

}  // namespace obliq
