// The one place where a Progress that says no becomes an exception: public headers throw nothing,
// so that projects without exceptions can include them.
#include "obliq/progress.h"

namespace obliq {

void report(const Progress& progress, std::string_view stage, double fraction) {
  if (progress && !progress(stage, fraction)) throw Cancelled();
}

}  // namespace obliq
