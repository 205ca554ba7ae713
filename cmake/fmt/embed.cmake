# Sets obliq_fmt, what our objects are compiled with and what links them needs, and
# obliq_fmt_objects, those that stand in for the library of fmt where OBLIQ_EMBED_FMT asks for it.
#
# Everything else is then compiled as if it were to link that library: a wheel's objects are those
# of other builds, which a compiler cache knows. Of other versions than fmt.cc is made for, the
# headers alone are used, which work and take longer; so they are in a static library for others,
# who may link fmt themselves.
set(obliq_fmt fmt::fmt)
set(obliq_fmt_objects "")
set(obliq_knows_fmt OFF)
if(fmt_VERSION VERSION_GREATER_EQUAL 9 AND fmt_VERSION VERSION_LESS 10)
  set(obliq_knows_fmt ON)
endif()
if(OBLIQ_EMBED_FMT AND obliq_knows_fmt AND
   (BUILD_SHARED_LIBS OR OBLIQ_PYTHON OR CMAKE_CROSSCOMPILING))
  add_library(obliq_embedded_fmt OBJECT ${CMAKE_CURRENT_LIST_DIR}/fmt.cc)
  target_compile_features(obliq_embedded_fmt PRIVATE cxx_std_20)
  target_include_directories(obliq_embedded_fmt SYSTEM PRIVATE
    $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)
  set_target_properties(obliq_embedded_fmt PROPERTIES POSITION_INDEPENDENT_CODE ON
    CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  set(obliq_fmt_objects $<TARGET_OBJECTS:obliq_embedded_fmt>)
  add_library(obliq_fmt_headers INTERFACE)
  target_include_directories(obliq_fmt_headers SYSTEM INTERFACE
    $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_definitions(obliq_fmt_headers INTERFACE
    $<TARGET_PROPERTY:fmt::fmt,INTERFACE_COMPILE_DEFINITIONS>)
  set(obliq_fmt obliq_fmt_headers)
elseif(OBLIQ_EMBED_FMT)
  set(obliq_fmt fmt::fmt-header-only)
endif()
