# The packages of Debian, which cpack makes of the preset `package` (./dev debs): libobliqX.Y,
# libobliq-dev and obliq, the command line. X.Y is what the library stays compatible with, so that
# packages of two of them can be installed side by side.

set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(version ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})
# Who builds packages for others names himself: -D CPACK_DEBIAN_PACKAGE_MAINTAINER="Name <address>".
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "obliq maintainers <maintainers@obliq.invalid>" CACHE STRING
    "Whom the packages name")

# What Debian wants in each package: licence and changes; for a command, its manual page.
set(documents ${CMAKE_CURRENT_BINARY_DIR}/debian)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)  # of SOURCE_DATE_EPOCH where that is set
configure_file(CHANGELOG.md ${documents}/changelog COPYONLY)
foreach(document changelog.Debian obliq.1 shlibs)
  configure_file(cmake/debian/${document}.in ${documents}/${document} @ONLY)
endforeach()
foreach(document changelog changelog.Debian obliq.1)
  execute_process(COMMAND gzip -9nkf ${documents}/${document} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
install(FILES ${documents}/obliq.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
        COMPONENT command EXCLUDE_FROM_ALL)

# Describes the package that is made of a component: obliq_debian(component package section text).
macro(obliq_debian component package section text)
  install(FILES cmake/debian/copyright ${documents}/changelog.gz ${documents}/changelog.Debian.gz
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
  list(APPEND CPACK_COMPONENTS_ALL ${component})
  string(TOUPPER ${component} part)
  set(CPACK_DEBIAN_${part}_PACKAGE_NAME ${package})
  set(CPACK_DEBIAN_${part}_PACKAGE_SECTION ${section})
  set(CPACK_DEBIAN_${part}_DESCRIPTION "${text}")
endmacro()

set(about "obliq finds the nearest of many vectors: an index of inverted lists over
quantized codes, with filters, for CPUs.")
obliq_debian(library libobliq${obliq_abi} libs "vector search index, shared library
${about}")
obliq_debian(development libobliq-dev libdevel "vector search index, headers
${about}
This package has the headers and what CMake and pkg-config read.")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${documents}/shlibs
    ${PROJECT_SOURCE_DIR}/cmake/debian/triggers)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libobliq${obliq_abi} (= ${version})")
set(OBLIQ_COMMAND_BUILD "" CACHE PATH "The build folder of the command, where it is another one")
if(OBLIQ_TOOLS OR OBLIQ_COMMAND_BUILD)
  obliq_debian(command obliq science "vector search index, command line
${about}
This package has the command that builds, searches and measures indexes.")
  set(CPACK_DEBIAN_COMMAND_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_COMMAND_PACKAGE_SUGGESTS "python3-matplotlib")  # draws the charts
endif()

if(OBLIQ_COMMAND_BUILD)
  install(SCRIPT ${OBLIQ_COMMAND_BUILD}/tools/cmake_install.cmake COMPONENT command)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/debs)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
