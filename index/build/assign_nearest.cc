#include "index/build/assign_nearest.h"

#include <cstddef>
#include <vector>

#include "core/parallel.h"

namespace obliq {

void assign_nearest(MatrixView<float> x, const NearestRows& centroids, const std::uint32_t* guesses,
                    int threads, std::uint32_t* nearest, float* distances) {
  parallel_for(x.rows, centroids.grain(x.rows, threads), threads,
               [&](std::size_t begin, std::size_t end, int) {
                 std::vector<Nearest> found(end - begin);
                 centroids.search(x.slice(begin, end - begin),
                                  guesses == nullptr ? nullptr : guesses + begin, found.data());
                 for (std::size_t i = begin; i < end; ++i) {
                   nearest[i] = found[i - begin].row;
                   if (distances != nullptr) distances[i] = found[i - begin].distance2;
                 }
               });
}

void assign_nearest(MatrixView<float> x, const NearestRows& centroids, int threads,
                    std::uint32_t* nearest) {
  assign_nearest(x, centroids, nullptr, threads, nearest, nullptr);
}

void assign_nearest(MatrixView<float> x, MatrixView<float> centroids, int threads,
                    std::uint32_t* nearest, float* distances) {
  assign_nearest(x, NearestRows(centroids), nullptr, threads, nearest, distances);
}

}  // namespace obliq
