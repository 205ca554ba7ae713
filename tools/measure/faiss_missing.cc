// In place of faiss_peer.cc where libfaiss was not found.
#include <stdexcept>

#include "tools/measure/faiss_peer.h"

namespace obliq::tools {
bool has_faiss() { return false; }

void need_faiss() {
  throw std::invalid_argument(
      "this obliq was built without FAISS: install libfaiss-dev and build again, or leave "
      "--against out");
}

std::unique_ptr<Searcher> make_faiss_searcher(const std::string&, MatrixView<float>,
                                              const FaissOptions&) {
  need_faiss();
  return nullptr;
}

}  // namespace obliq::tools
