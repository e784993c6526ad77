// delay_load_windows.cc: the names of Node-API come from the program that we are in, whatever its file is
// called. An addon is linked against "node.exe"; in Electron, or where somebody renamed node, a library of
// that name does not exist, or is a second Node. For builds without node-gyp and cmake-js, which bring a hook
// of their own.
#include <windows.h>
// After it: it has no includes of its own.
#include <delayimp.h>
#include <string.h>

namespace {

// The answer for a name is written where its calls find it, which binutils makes read-only (2.44 does).
void MakeWritable(void* place) {
  DWORD before;
  VirtualProtect(place, sizeof(void*), PAGE_READWRITE, &before);
}

FARPROC WINAPI UseThisProgram(unsigned event, PDelayLoadInfo info) {
  if (event == dliStartProcessing) MakeWritable(info->ppfn);
  if (event != dliNotePreLoadLibrary || _stricmp(info->szDll, "node.exe") != 0) return nullptr;
  return reinterpret_cast<FARPROC>(GetModuleHandleW(nullptr));
}

}  // namespace

// Declared by the header.
PfnDliHook __pfnDliNotifyHook2 = UseThisProgram;
