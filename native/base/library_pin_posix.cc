// library_pin_posix.cc: one more reference to the shared object that this code is in, never given back.
#include <dlfcn.h>

#include <atomic>

#include "base/library_pin.h"

namespace fdloop {

bool PinLibrary() {
  static std::atomic<bool> is_pinned{false};
  if (is_pinned) return true;
  Dl_info library;
  if (dladdr(reinterpret_cast<void*>(&PinLibrary), &library) == 0 || library.dli_fname == nullptr)
    return false;
  // The library is loaded already: no file is read. Two threads at a time make two references, which is one
  // more than needed.
  int mode = RTLD_LAZY;
#ifdef RTLD_NOLOAD
  mode |= RTLD_NOLOAD;
#endif
#ifdef RTLD_NODELETE
  mode |= RTLD_NODELETE;
#endif
  is_pinned = dlopen(library.dli_fname, mode) != nullptr;
  return is_pinned;
}

}  // namespace fdloop
