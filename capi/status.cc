// Names of numbers, and what the library is.
#include "obliq/c/status.h"

#include <array>
#include <cstddef>

#include "capi/arguments.h"
#include "capi/guard.h"
#include "core/kernels/dispatch.h"
#include "obliq/metric.h"

const char* obliq_status_name(obliq_status status) {
  static constexpr std::array<const char*, 10> kNames = {
      "ok",        "invalid argument", "damaged",          "system", "out of memory",
      "cancelled", "not found",        "buffer too small", "busy",   "internal fault"};
  const auto place = static_cast<std::size_t>(status);
  return status < 0 || place >= kNames.size() ? "unknown status" : kNames[place];
}

const char* obliq_version(void) { return OBLIQ_VERSION; }

const char* obliq_simd(void) { return obliq::kernels().name; }

obliq_status obliq_metric_parse(const char* name, obliq_metric* out) {
  return obliq::capi::guard([&] {
    auto& metric = obliq::capi::required(out, "out");
    metric = static_cast<obliq_metric>(obliq::parse_metric(obliq::capi::text_of(name, "name")));
  });
}

const char* obliq_metric_name(obliq_metric metric) {
  static constexpr std::array<const char*, 3> kNames = {"l2", "ip", "cosine"};
  return metric < OBLIQ_L2 || metric > OBLIQ_COSINE ? nullptr : kNames.at(metric);
}
