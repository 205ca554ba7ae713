# fmt without its library. The headers are in /usr/include, which the cross compiler reads too.
add_library(fmt::fmt INTERFACE IMPORTED)
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY=1)
