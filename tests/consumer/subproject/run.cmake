# Configures the project in this folder and reads how obliq would be compiled there: optimised, and
# with warnings that stay warnings. Then installs the parent: nothing of obliq comes along. Compiles
# nothing. KIND subproject: by add_subdirectory; fetched: by FetchContent.
# cmake -D KIND=<kind> -D SOURCE=<obliq> -D WORK=<scratch folder> -D COMPILER=<c++> -P run.cmake
unset(ENV{CXXFLAGS})
unset(ENV{CMAKE_BUILD_TYPE})
set(fetched OFF)
if(KIND STREQUAL "fetched")
  set(fetched ON)
endif()
file(REMOVE_RECURSE ${WORK})
execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK}/build -G Ninja
  -D CMAKE_CXX_COMPILER=${COMPILER} -D OBLIQ_SOURCE=${SOURCE} -D OBLIQ_FETCHED=${fetched}
  -D CMAKE_EXPORT_COMPILE_COMMANDS=ON
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build --target consumer -- -n
  COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)

file(READ ${WORK}/build/compile_commands.json commands)
string(JSON count LENGTH "${commands}")
math(EXPR last "${count} - 1")
set(checked 0)
foreach(i RANGE ${last})
  string(JSON file GET "${commands}" ${i} file)
  string(JSON command GET "${commands}" ${i} command)
  if(file MATCHES "main\\.cc$")
    continue()
  endif()
  math(EXPR checked "${checked} + 1")
  if(NOT command MATCHES " -O[23] " OR NOT command MATCHES " -DNDEBUG ")
    message(FATAL_ERROR "${file} is not optimised: ${command}")
  endif()
  if(command MATCHES " -Werror")
    message(FATAL_ERROR "${file} is compiled with -Werror: ${command}")
  endif()
endforeach()
if(checked LESS 50)
  message(FATAL_ERROR "only ${checked} sources of obliq in the parent's build")
endif()

execute_process(COMMAND ${CMAKE_COMMAND} --install ${WORK}/build --prefix ${WORK}/prefix
  COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE installed RELATIVE ${WORK}/prefix ${WORK}/prefix/*)
if(NOT installed STREQUAL "share/parent/CMakeLists.txt")
  message(FATAL_ERROR "the parent's install has: ${installed}")
endif()
