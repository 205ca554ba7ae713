// FAISS as a contestant: any IVF index of its factory, over centroids that it shares with obliq.
// Two implementations: faiss_peer.cc with libfaiss, faiss_missing.cc without.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "obliq/matrix_view.h"
#include "obliq/metric.h"
#include "obliq/progress.h"
#include "tools/measure/searcher.h"

namespace obliq::tools {

/// Whether this program was built with libfaiss.
bool has_faiss();
/// Throws std::invalid_argument telling how to get it when it was not.
void need_faiss();

struct FaissOptions {
  Metric metric = Metric::l2;        ///< cosine: give unit vectors; they are compared by L2
  MatrixView<float> centroids = {};  ///< nlist x dim
  float k_factor = 8;                ///< specs with a refine step: candidates = k_factor * k
  int threads = 0;                   ///< to add vectors; 0: as many as the process may use
  /// Asked after each iteration of training, under this name; stops it with Cancelled.
  Progress progress = {};
  std::string stage = "building faiss";
};

/// An index of FAISS's factory string "IVF<nlist>,<spec>" over `base`. Throws std::invalid_argument
/// when FAISS refuses the spec or is not there.
std::unique_ptr<Searcher> make_faiss_searcher(const std::string& spec, MatrixView<float> base,
                                              const FaissOptions& options);

/// What a comparison shows when nothing is asked: exact lists, SQ8, and PQ of 4 bits with fast-scan
/// at 2 and 4 bits per dimension, the former with an SQ8 refine step, too. PQ of 8 bits is not
/// among them: its training alone takes minutes.
std::vector<std::string> default_faiss_specs(std::size_t dim);

}  // namespace obliq::tools
