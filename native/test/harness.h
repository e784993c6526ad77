// harness.h: the smallest test harness that is enough. A program lists its cases with TEST, prints one line
// for each and fails if one of them fails. A failed check ends its case, not the program.
#ifndef FDLOOP_TEST_HARNESS_H_
#define FDLOOP_TEST_HARNESS_H_

#include <stdint.h>
#include <stdio.h>

#include <chrono>
#include <thread>
#include <vector>

namespace fdloop {

struct TestCase {
  const char* name;
  void (*run)();
};

// What the cases of one program share.
struct TestRun {
  std::vector<TestCase> cases;
  const char* argument = "";  // The program's first argument: the subject of a contract suite.
  bool has_failed = false;    // Whether the current case has.
};

inline TestRun& CurrentRun() {
  static TestRun run;
  return run;
}

struct TestRegistration {
  TestRegistration(const char* name, void (*run)()) { CurrentRun().cases.push_back({name, run}); }
};

inline int RunTests(int argc, char** argv) {
  TestRun& run = CurrentRun();
  if (argc > 1) run.argument = argv[1];
  int failed = 0;
  for (const TestCase& test_case : run.cases) {
    run.has_failed = false;
    test_case.run();
    printf("%s - %s\n", run.has_failed ? "not ok" : "ok", test_case.name);
    fflush(stdout);
    failed += run.has_failed ? 1 : 0;
  }
  return failed == 0 && !run.cases.empty() ? 0 : 1;
}

inline void ReportFailure(const char* file, int line, const char* text, long long got, long long wanted) {
  CurrentRun().has_failed = true;
  printf("  %s:%d: %s: got %lld, wanted %lld\n", file, line, text, got, wanted);
}

#define TEST(name)                                             \
  static void name();                                          \
  static const fdloop::TestRegistration k##name{#name, &name}; \
  static void name()

#define CHECK_EQ(got, wanted)                                                   \
  do {                                                                          \
    const long long got_value = static_cast<long long>(got);                    \
    const long long wanted_value = static_cast<long long>(wanted);              \
    if (got_value != wanted_value) {                                            \
      fdloop::ReportFailure(__FILE__, __LINE__, #got, got_value, wanted_value); \
      return;                                                                   \
    }                                                                           \
  } while (false)

#define CHECK(condition) CHECK_EQ(static_cast<bool>(condition), true)

inline int64_t NowNs() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline void Pause(int64_t ns) { std::this_thread::sleep_for(std::chrono::nanoseconds(ns)); }

}  // namespace fdloop

#endif  // FDLOOP_TEST_HARNESS_H_
