// In place of faiss_peer.cc where libfaiss was not found.
#include <stdexcept>

#include "tools/faiss_peer.h"

namespace obliq::tools {
namespace {

[[noreturn]] void refuse() {
  throw std::invalid_argument(
      "this obliq was built without FAISS: install libfaiss-dev and build again, or leave "
      "--against out");
}

}  // namespace

bool has_faiss() { return false; }

Matrix<float> faiss_centroids(MatrixView<float>, std::size_t, std::uint64_t, int, int) { refuse(); }

std::unique_ptr<Searcher> make_faiss_searcher(const std::string&, MatrixView<float>,
                                              const FaissOptions&) {
  refuse();
}

}  // namespace obliq::tools
