# Runs programs on an emulated x86-64 CPU without AVX or SSE4: nothing outside the kernel files may
# use more than the baseline, and the kernels must fall back to scalar.
# cmake -D QEMU=<qemu-x86_64> -D LEVELS=<simd_levels> -D CONSUMER=<consumer>
#       [-D OBLIQ=<obliq> -D WORK=<scratch folder>] -P old_cpu.cmake
set(ENV{OMP_NUM_THREADS} 1)

function(emulate)
  execute_process(COMMAND ${QEMU} -cpu qemu64 ${ARGN} COMMAND_ERROR_IS_FATAL ANY
                  OUTPUT_VARIABLE printed COMMAND_ECHO STDOUT)
  set(printed "${printed}" PARENT_SCOPE)
endfunction()

emulate(${LEVELS})
if(NOT printed STREQUAL "scalar\n")
  message(FATAL_ERROR "expected level scalar alone on this CPU, found: ${printed}")
endif()
emulate(${CONSUMER})
if(OBLIQ)
  file(REMOVE_RECURSE ${WORK})
  file(MAKE_DIRECTORY ${WORK})
  emulate(${OBLIQ} generate clustered --n 500 --dim 48 --queries 5 --seed 3 -o ${WORK}/set.hdf5)
  foreach(quantizer sq8 lm4)
    emulate(${OBLIQ} build ${WORK}/set.hdf5 -o ${WORK}/index --quantizer ${quantizer} --nlist 8)
    emulate(${OBLIQ} search ${WORK}/index ${WORK}/set.hdf5 -k 5)
    emulate(${OBLIQ} verify ${WORK}/index)
  endforeach()
endif()
