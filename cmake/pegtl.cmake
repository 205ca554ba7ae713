# PEGTL 3, the headers that the grammar of filters is made of; nothing that links obliq needs them.
# They are looked for as files, because not every package of them has a CMake configuration, and
# reached by a link, because the folder they are in may hold headers of another machine.
find_path(OBLIQ_PEGTL_INCLUDE tao/pegtl.hpp DOC "The folder of tao/pegtl.hpp, of PEGTL 3")
if(NOT OBLIQ_PEGTL_INCLUDE)
  message(FATAL_ERROR "obliq: tao/pegtl.hpp is not here: install PEGTL 3.2 (Debian and Ubuntu: "
                      "tao-pegtl-dev; Fedora: PEGTL-devel; conda, Homebrew and vcpkg: pegtl), or "
                      "set OBLIQ_PEGTL_INCLUDE to the folder that holds tao/pegtl.hpp")
endif()
file(STRINGS ${OBLIQ_PEGTL_INCLUDE}/tao/pegtl/version.hpp obliq_pegtl_version
     REGEX "define TAO_PEGTL_VERSION_MAJOR")
if(NOT obliq_pegtl_version MATCHES " 3$")
  message(FATAL_ERROR "obliq: ${OBLIQ_PEGTL_INCLUDE}/tao/pegtl is not PEGTL 3: "
                      "${obliq_pegtl_version}; set OBLIQ_PEGTL_INCLUDE to the folder of another")
endif()
set(obliq_pegtl ${CMAKE_CURRENT_BINARY_DIR}/pegtl)
file(MAKE_DIRECTORY ${obliq_pegtl})
file(CREATE_LINK ${OBLIQ_PEGTL_INCLUDE}/tao ${obliq_pegtl}/tao SYMBOLIC)
