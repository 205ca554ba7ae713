// OBLIQ_API marks what the shared library exports; everything else is hidden.
#pragma once

#if defined(_WIN32)
#define OBLIQ_API
#else
#define OBLIQ_API __attribute__((visibility("default")))
#endif
