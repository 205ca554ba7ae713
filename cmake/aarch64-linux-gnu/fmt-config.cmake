# fmt as one source. The headers are in /usr/include, which the cross compiler reads too.
add_library(cross_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/../fmt/fmt.cc)
target_compile_features(cross_fmt PUBLIC cxx_std_20)
set_target_properties(cross_fmt PROPERTIES POSITION_INDEPENDENT_CODE ON)
add_library(fmt::fmt ALIAS cross_fmt)
