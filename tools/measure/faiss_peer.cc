// FAISS through its C++ library. The coarse quantizer gets the shared centroids before training, so
// that FAISS trains only its codes.
//
// Bytes a vector: the code, with fast-scan lists filled up to whole blocks, and the code of the
// refine step. The 8-byte id that FAISS keeps with every code is not counted.
//
// Codes are trained on one thread: product quantizers train by hundreds of thousands of parallel
// loops that last microseconds each, and on a machine that others use too their threads wait for
// each other 30 times longer than they work.
#include "tools/measure/faiss_peer.h"

#include <faiss/IndexIVF.h>
#include <faiss/IndexIVFFastScan.h>
#include <faiss/IndexRefine.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/impl/FaissException.h>
#include <faiss/index_factory.h>
#include <faiss/utils/utils.h>
#include <fmt/core.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "core/parallel.h"

namespace obliq::tools {
namespace {

faiss::MetricType faiss_metric(Metric metric) {
  return metric == Metric::ip ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2;
}

/// FAISS takes its threads from OpenMP; the number in force comes back at the end of the scope.
class OmpThreads {
 public:
  explicit OmpThreads(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(resolve_threads(threads));
  }
  ~OmpThreads() { omp_set_num_threads(before_); }
  OmpThreads(const OmpThreads&) = delete;
  OmpThreads& operator=(const OmpThreads&) = delete;

 private:
  int before_;
};

/// While it lives, FAISS's iterations call `progress` and end when that asks them to.
class FaissProgress {
 public:
  explicit FaissProgress(const FaissOptions& options) {
    report(options.progress, options.stage, 0);
    faiss::InterruptCallback::instance = std::make_unique<Callback>(options);
  }
  ~FaissProgress() { faiss::InterruptCallback::clear_instance(); }
  FaissProgress(const FaissProgress&) = delete;
  FaissProgress& operator=(const FaissProgress&) = delete;

 private:
  struct Callback final : faiss::InterruptCallback {
    explicit Callback(const FaissOptions& given) : options(given) {}
    bool want_interrupt() override {
      if (!options.progress || options.progress(options.stage, 0)) return false;
      throw Cancelled();
    }
    const FaissOptions& options;
  };
};

double bytes_of(const faiss::IndexIVF& ivf) {
  std::size_t entries = 0;
  const auto* fast = dynamic_cast<const faiss::IndexIVFFastScan*>(&ivf);
  const std::size_t block = fast == nullptr ? 1 : static_cast<std::size_t>(fast->bbs);
  for (std::size_t list = 0; list < ivf.nlist; ++list) {
    entries += (ivf.invlists->list_size(list) + block - 1) / block * block;
  }
  return static_cast<double>(entries * ivf.code_size) / static_cast<double>(ivf.ntotal);
}

std::unique_ptr<faiss::Index> make_index(const std::string& description, std::size_t dim,
                                         Metric metric) {
  try {
    return std::unique_ptr<faiss::Index>(
        faiss::index_factory(static_cast<int>(dim), description.c_str(), faiss_metric(metric)));
  } catch (const faiss::FaissException& error) {
    throw std::invalid_argument(
        fmt::format("FAISS refuses '{}' at dim {}: {}", description, dim, error.msg));
  }
}

class FaissSearcher final : public Searcher {
 public:
  FaissSearcher(const std::string& spec, MatrixView<float> base, const FaissOptions& options)
      : method_("faiss IVF," + spec) {
    const FaissProgress progress(options);
    const auto start = std::chrono::steady_clock::now();
    const std::size_t nlist = options.centroids.rows;
    index_ = make_index(fmt::format("IVF{},{}", nlist, spec), base.cols, options.metric);
    auto* refine = dynamic_cast<faiss::IndexRefine*>(index_.get());
    ivf_ = dynamic_cast<faiss::IndexIVF*>(refine != nullptr ? refine->base_index : index_.get());
    if (ivf_ == nullptr) {
      throw std::invalid_argument(fmt::format(
          "'{}': only IVF indexes, with or without a refine step, can share centroids", spec));
    }
    ivf_->quantizer->add(static_cast<faiss::Index::idx_t>(nlist), options.centroids.data);
    const auto n = static_cast<faiss::Index::idx_t>(base.rows);
    {
      const OmpThreads one(1);
      index_->train(n, base.data);
    }
    const OmpThreads threads(options.threads);
    index_->add(n, base.data);
    report(options.progress, options.stage, 1);
    bytes_per_vector_ = bytes_of(*ivf_);
    if (refine != nullptr) {
      refine->k_factor = options.k_factor;
      method_ += fmt::format(" k_factor={}", options.k_factor);
      bytes_per_vector_ += static_cast<double>(refine->refine_index->sa_code_size());
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    build_seconds_ = seconds.count();
  }

  std::string method() const override { return method_; }
  std::string simd() const override { return faiss::get_compile_options(); }
  double bytes_per_vector() const override { return bytes_per_vector_; }
  double build_seconds() const override { return build_seconds_; }
  void set_nprobe(std::size_t nprobe) override { ivf_->nprobe = std::min(nprobe, ivf_->nlist); }
  void search(MatrixView<float> queries, std::size_t k, int threads, float* distances,
              std::int64_t* ids, SearchCounters*) const override {
    const OmpThreads scope(threads);
    index_->search(static_cast<faiss::Index::idx_t>(queries.rows), queries.data,
                   static_cast<faiss::Index::idx_t>(k), distances, ids);
  }

 private:
  std::string method_;
  std::unique_ptr<faiss::Index> index_;
  faiss::IndexIVF* ivf_ = nullptr;  // part of index_
  double bytes_per_vector_ = 0;
  double build_seconds_ = 0;
};

}  // namespace

bool has_faiss() { return true; }

void need_faiss() {}

std::unique_ptr<Searcher> make_faiss_searcher(const std::string& spec, MatrixView<float> base,
                                              const FaissOptions& options) {
  return std::make_unique<FaissSearcher>(spec, base, options);
}

}  // namespace obliq::tools
