#include "tools/measure/distortion_results.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "core/symmetric_eigen.h"
#include "measure/theory.h"
#include "tools/table.h"

namespace obliq::tools {
namespace {

using Json = nlohmann::ordered_json;

// What queries of a spectrum allow at a rate: with a code made for them, with one code for all of
// them, and the bits between the two.
struct SpectralLimits {
  SpectralLimits(std::span<const double> spectrum, double bits)
      : water_filling(water_filling_distortion(spectrum, bits)),
        random_coding(random_coding_distortion(spectrum, bits)),
        price(universality_price(spectrum, water_filling)) {}

  double water_filling;
  double random_coding;
  double price;
};

Json histograms_json(std::span<const Histogram> histograms) {
  Json list = Json::array();
  for (const Histogram& histogram : histograms) {
    list.push_back(
        {{"low", histogram.low}, {"high", histogram.high}, {"counts", histogram.counts}});
  }
  return list;
}

}  // namespace

std::vector<double> spectrum_of(const QueryLaw& law) {
  std::vector<double> values = symmetric_eigen(law.moment).values;
  double sum = 0;
  for (double& value : values) {
    value = std::max(value, 0.0);  // less is rounding
    sum += value;
  }
  for (double& value : values) value *= static_cast<double>(values.size()) / sum;
  return values;
}

Json to_json(const DistortionResult& result, const DistortionSetting& setting) {
  const DistortionReport& report = result.report;
  Json json = {{"spec", report.spec},
               {"dim", setting.dim},
               {"data", setting.data},
               {"samples", setting.samples},
               {"bits", report.bits},
               {"bytes_per_vector", report.bytes_per_vector},
               {"mse", report.mse},
               {"shrunk_mse", report.shrunk_mse},
               {"gap_bits", report.gap_bits},
               {"shannon", shannon_distortion(report.bits)},
               {"rho", setting.rhos},
               {"ip_bias", report.ip_bias},
               {"ip_var_d", report.ip_var_d},
               {"encode_per_s", result.speed.encode_per_s},
               {"products_per_s", result.speed.products_per_s}};
  if (setting.dim > 2 && report.bits >= 1) {
    json["floor"] = cap_distortion(setting.dim, report.bits);
  }
  if (!setting.spectrum.empty()) {
    const SpectralLimits limits(setting.spectrum, report.bits);
    json["queries"] = setting.queries;
    json["query_mse"] = report.query_mse;
    json["water_filling"] = limits.water_filling;
    json["random_coding"] = limits.random_coding;
    json["price_bits"] = limits.price;
  }
  if (!report.ip_histograms.empty()) {
    json["ip_histograms"] = histograms_json(report.ip_histograms);
  }
  return json;
}

std::string distortion_table(std::span<const DistortionResult> results,
                             const DistortionSetting& setting) {
  std::vector<Column> columns = {{"spec", Align::left}, {"bits"},    {"B/vector"}, {"mse"},
                                 {"shrunk mse"},        {"gap bits"}};
  for (const double rho : setting.rhos) columns.push_back({fmt::format("bias at {:g}", rho)});
  for (const double rho : setting.rhos) columns.push_back({fmt::format("d var at {:g}", rho)});
  if (!setting.spectrum.empty()) {
    for (const char* name : {"query mse", "D_wf", "D_rc", "price"}) columns.push_back({name});
  }
  columns.push_back({"encode/s"});
  columns.push_back({"products/s"});
  Table table(columns);
  for (const auto& [report, speed] : results) {
    std::vector<std::string> cells = {report.spec,
                                      fmt::format("{:g}", report.bits),
                                      fmt::format("{:g}", report.bytes_per_vector),
                                      fmt::format("{:.5f}", report.mse),
                                      fmt::format("{:.5f}", report.shrunk_mse),
                                      fmt::format("{:.3f}", report.gap_bits)};
    for (const double bias : report.ip_bias) cells.push_back(fmt::format("{:+.5f}", bias));
    for (const double variance : report.ip_var_d) cells.push_back(fmt::format("{:.5f}", variance));
    if (!setting.spectrum.empty()) {
      const SpectralLimits limits(setting.spectrum, report.bits);
      for (const double value : {report.query_mse, limits.water_filling, limits.random_coding}) {
        cells.push_back(fmt::format("{:.4g}", value));
      }
      cells.push_back(fmt::format("{:.4f}", limits.price));
    }
    cells.push_back(rate_text(speed.encode_per_s));
    cells.push_back(rate_text(speed.products_per_s));
    table.add(cells);
  }
  return table.text();
}

Json limits_json(const DistortionSetting& setting) {
  constexpr double kWorst = 0.11;
  constexpr int kStepsABit = 20;
  const auto& spectrum = setting.spectrum;
  std::vector<std::pair<const char*, std::function<double(double)>>> curves = {
      {"bits", [](double bits) { return bits; }},
      {"shannon", shannon_distortion},
      {"universal", [](double bits) { return shannon_distortion(bits - kWorst); }},
      {"panter_dite", panter_dite_distortion},
      {"product", product_distortion}};
  if (!spectrum.empty()) {
    curves[2].second = [&](double bits) {
      return water_filling_distortion(spectrum, std::max(bits - kWorst, 0.0));
    };
    curves.push_back(
        {"water_filling", [&](double bits) { return water_filling_distortion(spectrum, bits); }});
    curves.push_back(
        {"random_coding", [&](double bits) { return random_coding_distortion(spectrum, bits); }});
  }
  Json limits;
  for (const auto& [name, curve] : curves) {
    std::vector<double> values;
    for (int step = kStepsABit / 2; step <= 9 * kStepsABit; ++step) {
      values.push_back(curve(static_cast<double>(step) / kStepsABit));
    }
    limits[name] = values;
  }
  return {{"limits", limits}};
}

}  // namespace obliq::tools
