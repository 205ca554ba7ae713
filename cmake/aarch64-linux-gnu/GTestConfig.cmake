# GoogleTest built from the sources of Debian's package `googletest`, which also defines the names
# GTest::gmock and GTest::gtest_main.
set(INSTALL_GTEST OFF)
add_subdirectory(/usr/src/googletest ${CMAKE_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)
