// The smallest program that uses the installed library: public headers only.
#include <cstdio>

#include "obliq/metric.h"

int main() {
  const bool sound = obliq::parse_metric("cosine") == obliq::Metric::cosine;
  std::puts(sound ? "consumer: sound" : "consumer: wrong metric");
  return sound ? 0 : 1;
}
