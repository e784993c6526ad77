// syscall.c: Linux's system calls as one function for tests, which need descriptors of kinds that Node cannot make.
// Compiled by syscalls.ts. Arguments are numbers, or bytes, of which the address is passed.
#include <errno.h>
#include <node_api.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST 6

static napi_value Call(napi_env env, napi_callback_info info) {
  napi_value values[MOST + 1], result;
  size_t count = MOST + 1;
  int64_t arguments[MOST + 1] = {0};
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
  for (size_t i = 0; i < count && i <= MOST; i++) {
    bool is_bytes = false;
    void* data = NULL;
    napi_is_typedarray(env, values[i], &is_bytes);
    if (is_bytes) {
      napi_get_typedarray_info(env, values[i], NULL, NULL, &data, NULL, NULL);
      arguments[i] = (int64_t)data;
    } else {
      napi_get_value_int64(env, values[i], &arguments[i]);
    }
  }
  long answer = syscall(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5], arguments[6]);
  napi_create_int64(env, answer < 0 ? -errno : answer, &result);
  return result;
}

static const struct {
  const char* name;
  int number;
} kNumbers[] = {
    {"eventfd2", SYS_eventfd2},
    {"timerfd_create", SYS_timerfd_create},
    {"timerfd_settime", SYS_timerfd_settime},
    {"signalfd4", SYS_signalfd4},
    {"rt_sigprocmask", SYS_rt_sigprocmask},
    {"tgkill", SYS_tgkill},
    {"gettid", SYS_gettid},
    {"inotify_init1", SYS_inotify_init1},
    {"inotify_add_watch", SYS_inotify_add_watch},
    {"ioctl", SYS_ioctl},
    {"fcntl", SYS_fcntl},
    {"wait4", SYS_wait4},
};

static napi_value Init(napi_env env, napi_value exports) {
  napi_value value;
  for (size_t i = 0; i < sizeof kNumbers / sizeof *kNumbers; i++) {
    napi_create_int32(env, kNumbers[i].number, &value);
    napi_set_named_property(env, exports, kNumbers[i].name, value);
  }
  napi_create_function(env, "call", NAPI_AUTO_LENGTH, Call, NULL, &value);
  napi_set_named_property(env, exports, "call", value);
  return exports;
}

NAPI_MODULE(syscall, Init)
