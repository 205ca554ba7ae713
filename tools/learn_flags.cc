#include "tools/learn_flags.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "tools/flags.h"
#include "tools/vector_rows.h"

namespace obliq::tools {

void LearnFlags::add_flags(CLI::App& app, const std::string& outcome) {
  app.add_option("base", base_, "Base vectors; HDF5: FILE:dataset, default train")->required();
  codes_.add_flags(app);
  add_list_flags(app);
  add_input_flags(app);
  add_metric(app, metric_, "that of BASE when it is an HDF5 set, else l2");
  add_seed(app, options_.seed);
  add_threads(app, options_.threads, "Threads to use; " + outcome + " does not depend on them");
}

void LearnFlags::add_list_flags(CLI::App& app) {
  app.add_option("--nlist", nlist_, "Inverted lists, or auto: about 4 sqrt(n)")
      ->capture_default_str();
  app.add_option("--list-groups", options_.list_groups,
                 "Groups of lists, the nearest of which a search looks at before it ranks lists; "
                 "0: 4 sqrt(nlist) from 32,768 lists on, none below; 1: none; at most one group "
                 "per list")
      ->check(count_or_zero())
      ->capture_default_str();
  app.add_option("--kmeans-iterations", options_.kmeans_iterations, "Iterations of k-means")
      ->check(count_or_zero())
      ->capture_default_str();
  app.add_option("--kmeans-points", options_.kmeans_points, "Training vectors per list, at most")
      ->check(positive_count())
      ->capture_default_str();
}

void LearnFlags::add_input_flags(CLI::App& app) {
  app.add_option("--centroids", centroids_file_, "Vectors to use as centroids instead of k-means")
      ->check(file_name());
  app.add_option("--train-queries", train_queries_file_,
                 "Queries to learn from for quantizers that learn (':query'); HDF5: FILE:dataset, "
                 "default learn_queries, else learn; without them base vectors stand in")
      ->check(file_name());
  app.add_option("--ids", ids_file_,
                 "64-bit ids, one per vector, all different, none -1; default: the position in "
                 "BASE")
      ->check(file_name());
  inputs_.add_format(app);
}

void LearnFlags::fill_options() {
  const Preset codes = codes_.choose();
  options_.quantizer = codes.quantizer;
  options_.raw = codes.raw;
  options_.spill = codes.spill;
  options_.nlist = parse_nlist(nlist_);
  options_.metric = inputs_.metric(metric_, base_);
}

std::vector<std::string> LearnFlags::files() const {
  return {base_, centroids_file_, train_queries_file_, ids_file_};
}

void LearnFlags::read() {
  inputs_.settle(files());
  fill_options();
  centroids_ = inputs_.read(centroids_file_, "centroids");
  train_queries_ = inputs_.read(train_queries_file_, "learn_queries");
  ids_ = read_vector_ids(inputs_, ids_file_);
  options_.centroids = centroids_.view();
  options_.train_queries = train_queries_.view();
  options_.ids = ids_.view();
}

// A search reads whole lists, and ranks them first: tiny ones cost both ways. `auto` is as it is.
void LearnFlags::warn_of_small_lists(const std::string& program, std::size_t n) const {
  constexpr std::size_t kLeastVectors = 10;  // per list
  const bool is_given = options_.centroids.rows > 0;
  const std::size_t nlist = is_given ? options_.centroids.rows : std::min(options_.nlist, n);
  if (kLeastVectors * nlist <= n || n == 0) return;
  fmt::print(stderr,
             "{}: {} lists for {} vectors hold fewer than {} each, which makes build "
             "and search slow; leave out --{}, which makes about 4 sqrt(n) lists\n",
             program, nlist, n, kLeastVectors, is_given ? "centroids" : "nlist");
}

}  // namespace obliq::tools
