# Installs a build into an empty folder, then configures, builds and runs this folder against it.
# What pkg-config tells, where it is here, must do as well. KIND static: what `cmake --install`
# installs. shared: the package of the shared library, found without fmt and OpenMP, which it holds
# or names by itself.
# cmake -D BUILD=<build folder> -D KIND=<static or shared> -D WORK=<scratch folder>
#       -D COMPILER=<c++> -D PKG_CONFIG=<pkg-config> -D VERSION=<of obliq> -P run.cmake
function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

set(component "")
set(without "")
if(KIND STREQUAL "shared")
  set(component --component shared_test)
  set(without -D CMAKE_DISABLE_FIND_PACKAGE_fmt=ON -D CMAKE_DISABLE_FIND_PACKAGE_OpenMP=ON)
endif()
file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix ${component})
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK}/build -G Ninja ${without}
    -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_PREFIX_PATH=${WORK}/prefix)
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/consumer)

if(NOT PKG_CONFIG)
  message(STATUS "NOT TESTED, for want of pkg-config: obliq.pc")
  return()
endif()
file(GLOB_RECURSE pc ${WORK}/prefix/*/obliq.pc)
cmake_path(GET pc PARENT_PATH folder)
cmake_path(GET folder PARENT_PATH libraries)
set(ENV{PKG_CONFIG_PATH} ${folder})
run(${PKG_CONFIG} --exact-version=${VERSION} obliq)
execute_process(COMMAND ${PKG_CONFIG} --cflags --libs obliq
                OUTPUT_VARIABLE flags COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(flags UNIX_COMMAND "${flags}")
run(${COMPILER} -std=c++20 ${CMAKE_CURRENT_LIST_DIR}/main.cc -o ${WORK}/by_pkg_config ${flags}
    -Wl,-rpath,${libraries})
run(${WORK}/by_pkg_config)
