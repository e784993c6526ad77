// library_pin_windows.cc: asks the loader never to unload the module that this code is in.
#include <windows.h>

#include "base/library_pin.h"

namespace fdloop {

bool PinLibrary() {
  HMODULE module;
  return GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                            reinterpret_cast<LPCWSTR>(&PinLibrary), &module) != 0;
}

}  // namespace fdloop
