# fmt, whose headers are in /usr/include, which the cross compiler reads too: fmt 9 as a library of
# one source, others without a library.
file(STRINGS /usr/include/fmt/core.h found REGEX "define FMT_VERSION 9")
if(found)
  set(fmt_VERSION 9)
  add_library(cross_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/../fmt/fmt.cc)
  target_compile_features(cross_fmt PRIVATE cxx_std_20)
  set_target_properties(cross_fmt PROPERTIES POSITION_INDEPENDENT_CODE ON)
  add_library(fmt::fmt ALIAS cross_fmt)
else()
  add_library(fmt::fmt INTERFACE IMPORTED)
  target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY=1)
  add_library(fmt::fmt-header-only ALIAS fmt::fmt)
endif()
