// timeout_test.cc: rounding and limits of time limits.
#include "selector/timeout.h"

#include "test/harness.h"

using namespace fdloop;

TEST(MillisecondsAreRoundedUp) {
  CHECK_EQ(TimeoutMs(0), 0);
  CHECK_EQ(TimeoutMs(1), 1);
  CHECK_EQ(TimeoutMs(kNsPerMs), 1);
  CHECK_EQ(TimeoutMs(kNsPerMs + 1), 2);
}

TEST(MillisecondsAreCapped) {
  CHECK_EQ(TimeoutMs(INT64_MAX), INT_MAX);
  CHECK_EQ(TimeoutMs(INT_MAX * kNsPerMs), INT_MAX);
  CHECK_EQ(TimeoutMs(INT_MAX * kNsPerMs + 1), INT_MAX);
}

TEST(NegativeIsWithoutLimit) {
  CHECK_EQ(TimeoutMs(-1), -1);
  CHECK_EQ(TimeoutMs(INT64_MIN), -1);
}

TEST(MicrosecondsAreRoundedUpAndCapped) {
  CHECK_EQ(TimeoutUs(0), 0);
  CHECK_EQ(TimeoutUs(1), 1);
  CHECK_EQ(TimeoutUs(kNsPerUs), 1);
  CHECK_EQ(TimeoutUs(kNsPerUs + 1), 2);
  CHECK_EQ(TimeoutUs(INT64_MAX), INT64_C(2147483647000));
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
