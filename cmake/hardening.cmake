# What makes a fault that is left harder to use by an attacker, for the library, the command and the
# Python module: the stack protector, the checked calls of the C library, and tables of addresses
# that are bound at start and read-only from then on (full RELRO). The kernels do without the first
# two (obliq_kernel): they call nothing that is checked.
#
# Sets obliq_hardening (compile options) and obliq_hardening_link (link options). Sanitizers bring
# better checks, and the checked calls need an optimising compiler.
set(obliq_hardening "")
set(obliq_hardening_link "")
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(obliq_hardening_link "LINKER:-z,relro,-z,now")
  if(NOT OBLIQ_SANITIZE AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize|-O0")
    set(optimised "$<NOT:$<CONFIG:Debug>>")
    set(obliq_hardening -fstack-protector-strong
        "$<${optimised}:-U_FORTIFY_SOURCE>" "$<${optimised}:-D_FORTIFY_SOURCE=2>")
  endif()
endif()

# Kernels are compiled without the checks, whatever the options of the target.
set(obliq_unchecked -fno-stack-protector -U_FORTIFY_SOURCE)
