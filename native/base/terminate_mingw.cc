// terminate_mingw.cc: how a process ends that nothing can save. The C++ library's own way writes the name of
// the exception first; we have none, and linked statically its demangler would be a sixth of the addon.
#include <stdlib.h>

namespace __gnu_cxx {

[[noreturn]] void __verbose_terminate_handler() { abort(); }

}  // namespace __gnu_cxx
