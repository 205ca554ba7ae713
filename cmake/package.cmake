# The library as others see it: the target, and the package that find_package(obliq) reads.

# A library made of the objects of all folders; `type` is STATIC, SHARED or nothing (then
# BUILD_SHARED_LIBS decides). A shared library names what it needs by file, not by target, so that
# who links it need not have found fmt or OpenMP.
function(obliq_library name type)
  add_library(${name} ${type})
  target_sources(${name} PRIVATE ${obliq_all_objects}
                 PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include
                 FILES ${obliq_public_headers})
  target_compile_features(${name} PUBLIC cxx_std_20)
  get_target_property(kind ${name} TYPE)
  get_target_property(fmt_kind fmt::fmt TYPE)
  set(fmt ${obliq_fmt})
  if(OBLIQ_EMBED_FMT)
    set(fmt "")  # inside the objects
  elseif(kind STREQUAL "SHARED_LIBRARY" AND NOT fmt_kind STREQUAL "INTERFACE_LIBRARY")
    set(fmt $<TARGET_LINKER_FILE:fmt::fmt>)
  endif()
  target_link_libraries(${name} PRIVATE OpenMP::OpenMP_CXX ${fmt})
  target_link_options(${name} PRIVATE ${obliq_hardening_link})
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
endfunction()

# Installs library `name` and its package into `component`, the default one where that is "". What
# else is passed goes to every install command (EXCLUDE_FROM_ALL).
function(obliq_install_package name component)
  set(where ${CMAKE_INSTALL_LIBDIR}/cmake/obliq)
  set(how ${ARGN})
  if(component)
    list(PREPEND how COMPONENT ${component})
  endif()
  get_target_property(kind ${name} TYPE)
  set(OBLIQ_NEEDS "")
  if(kind STREQUAL "STATIC_LIBRARY")
    set(OBLIQ_NEEDS "find_dependency(OpenMP COMPONENTS CXX)")
    if(NOT OBLIQ_EMBED_FMT)
      string(APPEND OBLIQ_NEEDS "\nfind_dependency(fmt)")
    endif()
  endif()
  set(config ${CMAKE_CURRENT_BINARY_DIR}/${name}-package)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/obliq-config.cmake.in
    ${config}/obliq-config.cmake INSTALL_DESTINATION ${where})
  write_basic_package_version_file(${config}/obliq-config-version.cmake
    COMPATIBILITY SameMinorVersion)

  set_target_properties(${name} PROPERTIES EXPORT_NAME obliq)
  install(TARGETS ${name} EXPORT ${name}_targets
    RUNTIME ${how} LIBRARY ${how} ARCHIVE ${how} FILE_SET HEADERS ${how})
  install(EXPORT ${name}_targets NAMESPACE obliq:: FILE obliq_targets.cmake DESTINATION ${where}
    ${how})
  install(FILES ${config}/obliq-config.cmake ${config}/obliq-config-version.cmake
    DESTINATION ${where} ${how})
endfunction()
