# How this project's own builds differ from a plain one: compiler cache, sanitizers. Nothing here
# reaches users of the installed library, and nothing applies when Vicinal is a subproject unless
# it is asked for.

if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(VICINAL_CCACHE ccache)
  if(VICINAL_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${VICINAL_CCACHE})
  endif()
endif()

if(VICINAL_HARDEN)
  # Checks of the stack and of calls whose bounds the compiler knows; in programs and shared libraries
  # no table of functions that may be written to. The kernels are loops without either.
  add_compile_options(-fstack-protector-strong $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
                      $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
if(VICINAL_SANITIZE)
  # For everything below, not per target: a sanitizer that sees only some of the code reports
  # nonsense.
  add_compile_options(-fsanitize=${VICINAL_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${VICINAL_SANITIZE})
endif()
if(VICINAL_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# vicinal_join(target): with VICINAL_JOIN several of its sources are compiled at once: most of a
# compilation is the reading of headers. Such sources must not use a name twice, not even in anonymous
# namespaces.
function(vicinal_join target)
  if(VICINAL_JOIN)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# vicinal_join_program(target...): as vicinal_join(), of tools, tests and benchmarks, with VICINAL_JOIN_PROGRAMS
# too.
function(vicinal_join_program)
  if(VICINAL_JOIN OR VICINAL_JOIN_PROGRAMS)
    set_target_properties(${ARGV} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()
