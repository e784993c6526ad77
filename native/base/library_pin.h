// library_pin.h: keeps this library in memory until the process ends. A host unloads an addon when the last
// environment that uses it ends, and a thread that still runs its code would then run into nothing.
#ifndef FDLOOP_BASE_LIBRARY_PIN_H_
#define FDLOOP_BASE_LIBRARY_PIN_H_

namespace fdloop {

// May be called again, from any thread. False if the system does not say where the library is, or refuses.
bool PinLibrary();

}  // namespace fdloop

#endif  // FDLOOP_BASE_LIBRARY_PIN_H_
