# Installs a build into an empty folder, then configures, builds and runs this folder against it.
# KIND static: what `cmake --install` installs. shared: the package of the shared library, found
# without fmt and OpenMP, which it holds or names by itself.
# cmake -D BUILD=<build folder> -D KIND=<static or shared> -D WORK=<scratch folder>
#       -D COMPILER=<c++> -P run.cmake
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
