# The library as others see it: the target, and the packages that find_package(obliq) and pkg-config
# read.

# What stays compatible: before 1.0 the patch versions of a minor version, after it the minor
# versions of a major one. The names of the shared library and of its symbols' version say as much.
set(obliq_abi ${PROJECT_VERSION_MAJOR})
set(obliq_compatibility SameMajorVersion)
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(obliq_abi ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  set(obliq_compatibility SameMinorVersion)
endif()
set(obliq_map ${CMAKE_CURRENT_BINARY_DIR}/obliq.map)
configure_file(${CMAKE_CURRENT_LIST_DIR}/obliq.map.in ${obliq_map} @ONLY)

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
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX
                        VERSION ${PROJECT_VERSION} SOVERSION ${obliq_abi})
  if(kind STREQUAL "SHARED_LIBRARY" AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
    target_link_options(${name} PRIVATE LINKER:--version-script=${obliq_map})
    set_target_properties(${name} PROPERTIES LINK_DEPENDS ${obliq_map})
  endif()
endfunction()

# Writes what CMake and pkg-config read of library `name` into `folder`. A static library asks those
# who link it for what it needs, for the C++ runtime too: they may be C programs.
function(obliq_write_package name folder where)
  get_target_property(kind ${name} TYPE)
  set(OBLIQ_NEEDS "")
  set(OBLIQ_PC_REQUIRES "")
  set(OBLIQ_PC_LIBS "")
  if(kind STREQUAL "STATIC_LIBRARY")
    set(OBLIQ_NEEDS "find_dependency(OpenMP COMPONENTS CXX)")
    set(OBLIQ_PC_LIBS " ${OpenMP_CXX_FLAGS} -lstdc++ -lm")
    if(NOT OBLIQ_EMBED_FMT)
      string(APPEND OBLIQ_NEEDS "\nfind_dependency(fmt)")
      set(OBLIQ_PC_REQUIRES fmt)
    endif()
  endif()
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/obliq-config.cmake.in
    ${folder}/obliq-config.cmake INSTALL_DESTINATION ${where})
  write_basic_package_version_file(${folder}/obliq-config-version.cmake
    COMPATIBILITY ${obliq_compatibility})
  # The prefix as seen from the file, so that what is installed may be moved.
  set(OBLIQ_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
  if(NOT IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
    file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
    set(OBLIQ_PC_PREFIX "\${pcfiledir}/${up}")
    string(REGEX REPLACE "/$" "" OBLIQ_PC_PREFIX "${OBLIQ_PC_PREFIX}")
  endif()
  configure_file(${PROJECT_SOURCE_DIR}/cmake/obliq.pc.in ${folder}/obliq.pc @ONLY)
endfunction()

# Installs library `name`: what runs programs into one component, what builds them and its packages
# into another. What else is passed goes to every install command (EXCLUDE_FROM_ALL).
function(obliq_install_package name runtime development)
  set(where ${CMAKE_INSTALL_LIBDIR}/cmake/obliq)
  set(run COMPONENT ${runtime} ${ARGN})
  set(build COMPONENT ${development} ${ARGN})
  set(files ${CMAKE_CURRENT_BINARY_DIR}/${name}-package)
  obliq_write_package(${name} ${files} ${where})
  set_target_properties(${name} PROPERTIES EXPORT_NAME obliq)
  install(TARGETS ${name} EXPORT ${name}_targets
    LIBRARY ${run} NAMELINK_COMPONENT ${development} ARCHIVE ${build} FILE_SET HEADERS ${build})
  install(EXPORT ${name}_targets NAMESPACE obliq:: FILE obliq_targets.cmake DESTINATION ${where}
    ${build})
  install(FILES ${files}/obliq-config.cmake ${files}/obliq-config-version.cmake
    DESTINATION ${where} ${build})
  install(FILES ${files}/obliq.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig ${build})
endfunction()
