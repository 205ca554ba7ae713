// OBLIQ_API marks what the shared library exports; everything else is hidden. OBLIQ_HIDDEN hides a
// class that is declared inside an exported one.
#pragma once

#if defined(_WIN32)
#define OBLIQ_API
#define OBLIQ_HIDDEN
#else
#define OBLIQ_API __attribute__((visibility("default")))
#define OBLIQ_HIDDEN __attribute__((visibility("hidden")))
#endif
