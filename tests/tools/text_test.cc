// What people read: tables, rates, cut labels, progress lines, neighbours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <limits>

#include "tools/describe.h"
#include "tools/interrupt.h"
#include "tools/neighbours.h"
#include "tools/progress_bar.h"
#include "tools/table.h"

namespace obliq::tools {
namespace {

TEST(TuningText, TellsOfTargetsOutOfReachInOneLine) {
  Tuning tuning;
  tuning.queries = 100;
  tuning.ladders = {{10, 0.93F, {}}, {20, 0.95F, {}}};
  tuning.ladders[0].targets = {{0.9F, -1, 4, true}, {0.95F, -2, 8, true}, {0.99F, -3, 9, true}};
  tuning.ladders[1].targets = {{0.9F, -1.5F, 5, false}};
  EXPECT_EQ(tuning_text(tuning),
            "tuned with 100 base vectors, recall of the true neighbours\n"
            "target recall   k  stop threshold  or nprobe  uses\n"
            "-------------  --  --------------  ---------  ---------\n"
            "        0.900  10          -1.000          4  threshold\n"
            "        0.900  20          -1.500          5  nprobe\n"
            "2 of 3 targets at k = 10 are out of reach: these codes reach 0.930 with all lists\n");
}

TEST(Table, LinesUpColumnsByCodePointsNotBytes) {
  Table table({{"name", Align::left}, {"QPS"}});
  table.add({"\xC3\xA9t\xC3\xA9", "1,000"});
  table.add({"a", "7"});
  EXPECT_EQ(table.text(),
            "name    QPS\n"
            "----  -----\n"
            "\xC3\xA9t\xC3\xA9   1,000\n"
            "a         7\n");
}

TEST(Table, LeavesNoSpacesAtTheEndOfALine) {
  Table table({{"a", Align::left}, {"label", Align::left}});
  table.add({"x", ""});
  EXPECT_EQ(table.text(), "a  label\n-  -----\nx\n");
}

TEST(Shorten, CutsBetweenCodePointsAndKeepsOneLine) {
  EXPECT_EQ(shorten("abc", 4), "abc");
  EXPECT_EQ(shorten("a\nb\tc", 5), "a b c");
  EXPECT_EQ(shorten("\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", 5), "\xC3\xA9\xC3\xA9...");
}

TEST(RateText, GroupsThousandsAndKeepsADecimalBelowAHundred) {
  EXPECT_EQ(rate_text(0.25), "0.2");
  EXPECT_EQ(rate_text(99.94), "99.9");
  EXPECT_EQ(rate_text(100), "100");
  EXPECT_EQ(rate_text(999.6), "1,000");
  EXPECT_EQ(rate_text(12345678), "12,345,678");
}

TEST(BytesText, TakesTheUnitThatFits) {
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1234), "1.2 kB");
  EXPECT_EQ(bytes_text(999960), "1.0 MB");
}

TEST(ProgressLine, TellsShareTimeAndTimeLeft) {
  EXPECT_EQ(progress_line("build", "k-means", 0.25, 15),
            "build: k-means [######..................]  25 %  0:15, 0:45 left");
}

TEST(ProgressLine, TellsNoTimeLeftAtTheStartAndClampsTheShare) {
  EXPECT_EQ(progress_line("a", "b", 0, 61), "a: b [........................]   0 %  1:01");
  EXPECT_EQ(progress_line("a", "b", 2, 1),
            "a: b [########################] 100 %  0:01, 0:00 left");
}

TEST(ProgressBar, AsksTheWorkToStopAfterAnInterrupt) {
  const auto interrupted = [] {
    catch_interrupts("test");
    const HoldInterrupts held;
    ProgressBar bar("test");
    const Progress progress = bar.callback();
    if (!progress("stage", 0)) std::exit(1);
    std::raise(SIGTERM);
    std::exit(progress("stage", 0.5) ? 2 : interrupt_exit_code());
  };
  EXPECT_EXIT(interrupted(), testing::ExitedWithCode(143), "");
}

TEST(Interrupts, EndTheProgramAtOnceWhereNothingIsHalfWritten) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const auto raised = [signal] {
      catch_interrupts("obliq test");
      { const HoldInterrupts over; }
      std::raise(signal);
      std::exit(0);
    };
    EXPECT_EXIT(raised(), testing::ExitedWithCode(128 + signal), "obliq test: cancelled; no file");
  }
}

TEST(Interrupts, StayIgnoredWhereTheyWere) {
  const auto raised = [] {
    std::signal(SIGHUP, SIG_IGN);
    catch_interrupts("test");
    std::raise(SIGHUP);
    std::exit(7);
  };
  EXPECT_EXIT(raised(), testing::ExitedWithCode(7), "");
}

TEST(Interrupts, LetTheSecondKill) {
  const auto interrupted_twice = [] {
    catch_interrupts("test");
    const HoldInterrupts held;
    std::raise(SIGINT);
    std::raise(SIGINT);
    std::exit(0);
  };
  EXPECT_EXIT(interrupted_twice(), testing::KilledBySignal(SIGINT), "");
}

/// One query with two answers of three.
SearchResult two_answers() {
  SearchResult result{Matrix<float>(1, 3), Matrix<std::int64_t>(1, 3)};
  result.ids.values = {1, 0, -1};
  result.distances.values = {0.5F, 0.75F, std::numeric_limits<float>::infinity()};
  return result;
}

TEST(NeighboursJson, LeavesMissingAnswersOut) {
  const std::vector<std::string> base = {"zero", "one"};
  const std::vector<std::string> queries = {"q"};
  EXPECT_EQ(
      neighbours_json(two_answers(), 0, {base, queries}).dump(),
      R"({"query":0,"label":"q","ids":[1,0],"distances":[0.5,0.75],"labels":["one","zero"]})");
  EXPECT_EQ(neighbours_json(two_answers(), 0, {}).dump(),
            R"({"query":0,"ids":[1,0],"distances":[0.5,0.75]})");
}

TEST(NeighboursText, ShowsLabelsWhereThereAreAny) {
  const std::vector<std::string> base = {"zero"};  // id 1 has none
  EXPECT_EQ(neighbours_text(two_answers(), 0, 3, {base, {}}),
            "query 0\n"
            "rank  id  distance  label\n"
            "----  --  --------  -----\n"
            "   1   1       0.5\n"
            "   2   0      0.75  zero\n");
}

}  // namespace
}  // namespace obliq::tools
