// launch.c: starts a contender on one processor, with room for many descriptors, and makes sure that it ends
// when the harness does, however that ends.
//
//   launch CORE COMMAND [ARGUMENT...]

#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: launch CORE COMMAND [ARGUMENT...]\n");
    return 2;
  }
  pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) return 1;  // It had ended before we asked.

  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(atoi(argv[1]), &cores);
  if (sched_setaffinity(0, sizeof cores, &cores) < 0) perror("launch: sched_setaffinity");

  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);

  execvp(argv[2], argv + 2);
  perror(argv[2]);
  return 127;
}
