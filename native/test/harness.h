// harness.h: the smallest test harness that is enough. A program lists its cases with TEST, prints one line
// for each and fails if one of them fails. A failed check ends its case, not the program.
#ifndef FDLOOP_TEST_HARNESS_H_
#define FDLOOP_TEST_HARNESS_H_

#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000000000 + now.tv_nsec;
}

// Two connected stream sockets, closed at the end of the case.
struct SocketPair {
  int a = -1;
  int b = -1;

  SocketPair() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0) {
      a = fds[0];
      b = fds[1];
    }
  }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;
  ~SocketPair() {
    CloseA();
    CloseB();
  }
  void CloseA() { CloseEnd(&a); }
  void CloseB() { CloseEnd(&b); }

 private:
  static void CloseEnd(int* fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }
};

inline bool Put(int fd, const char* text, size_t length) {
  return write(fd, text, length) == static_cast<ssize_t>(length);
}

}  // namespace fdloop

#endif  // FDLOOP_TEST_HARNESS_H_
