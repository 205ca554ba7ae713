#include "tools/range_flags.h"

#include "tools/flags.h"

namespace obliq::tools {

CLI::Option* RangeFlags::add_flags(CLI::App& app) {
  CLI::Option* radius = add_flags_but_confidence(app);
  add_confidence(app, options_.confidence);
  return radius;
}

CLI::Option* RangeFlags::add_flags_but_confidence(CLI::App& app) {
  auto* radius = app.add_option("--radius", radius_,
                                "Find what is nearer than this: |q-x|^2 for l2, 1 - cos for "
                                "cosine, -<q,x> for ip");
  app.add_flag("--exact", options_.exact,
               "Find exactly the vectors within the radius; takes an index with raw vectors")
      ->needs(radius);
  app.add_option("--max-results", options_.max_results,
                 "The most answers per query, the nearest (0: any number)")
      ->check(count_or_zero())
      ->capture_default_str()
      ->needs(radius);
  return radius;
}

}  // namespace obliq::tools
