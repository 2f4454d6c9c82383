# How tests are registered. Every test goes through these functions, so that a configuration can
# choose by label what it builds and runs (presets asan, tsan, aarch64), and so that the tests of
# several configurations can run as one ctest run (tools/test) under distinct names.
include(GoogleTest)

set(VICINAL_TEST_PREFIX "" CACHE STRING "Put before the name of every test")
set(VICINAL_TEST_ONLY_LABELS "" CACHE STRING "When set, only tests with one of these labels exist")
set(VICINAL_TEST_SKIP_LABELS "" CACHE STRING "Tests with one of these labels do not exist")

# Sets `result` to the seconds after which a test has failed: `seconds`, 300 when that is empty. An
# emulated CPU is slower by orders of magnitude.
function(vicinal_test_timeout result seconds)
  if(NOT seconds)
    set(seconds 300)
  endif()
  if(CMAKE_CROSSCOMPILING)
    math(EXPR seconds "${seconds} * 6")
  endif()
  set(${result} ${seconds} PARENT_SCOPE)
endfunction()

# Sets `result` to whether this configuration wants tests with the labels that follow.
function(vicinal_wants_test result)
  set(wanted TRUE)
  if(VICINAL_TEST_ONLY_LABELS)
    set(wanted FALSE)
  endif()
  foreach(label IN LISTS ARGN)
    if(label IN_LIST VICINAL_TEST_ONLY_LABELS)
      set(wanted TRUE)
    endif()
  endforeach()
  foreach(label IN LISTS ARGN)
    if(label IN_LIST VICINAL_TEST_SKIP_LABELS)
      set(wanted FALSE)
    endif()
  endforeach()
  set(${result} ${wanted} PARENT_SCOPE)
endfunction()

# vicinal_add_test(name SOURCES files... [LABELS labels...] [LIBRARIES targets...]
#                  [DEFINITIONS definitions...] [TIMEOUT seconds] [WHOLE | ALONE])
#
# A GoogleTest program `name`. Each of its cases is a ctest test "<prefix>name.Suite.Case"; with
# WHOLE the program is one ctest test (for thousands of small parametrised cases). Where programs are joined
# the tests of a folder are one program, named as its VICINAL_JOINED_TESTS says, but for those that are
# WHOLE or ALONE. Labels in use:
#   unit target model stress crash fuzz golden   what kind of test it is (unit when none is given)
#   threads   uses several threads: also runs under the thread sanitizer, as stress does
#   slow      more than a few seconds: not under address sanitizer or emulation
function(vicinal_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "WHOLE;ALONE" "TIMEOUT" "SOURCES;LABELS;LIBRARIES;DEFINITIONS")
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  vicinal_wants_test(wanted ${arg_LABELS})
  if(NOT wanted)
    return()
  endif()
  vicinal_test_timeout(arg_TIMEOUT "${arg_TIMEOUT}")

  set(joined FALSE)
  if((VICINAL_JOIN OR VICINAL_JOIN_PROGRAMS) AND VICINAL_JOINED_TESTS AND NOT arg_WHOLE AND NOT arg_ALONE)
    set(joined TRUE)
    set(name ${VICINAL_JOINED_TESTS})
  endif()
  set(begun FALSE)
  if(TARGET ${name})
    set(begun TRUE)
  else()
    add_executable(${name})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PRIVATE vicinal vicinal_flags vicinal_program_allocator
                                          GTest::gtest_main GTest::gmock)
    if(joined)
      vicinal_join_program(${name})
    endif()
  endif()
  target_sources(${name} PRIVATE ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES})
  target_compile_definitions(${name} PRIVATE ${arg_DEFINITIONS})
  if(begun)
    return()
  endif()
  if(arg_WHOLE)
    add_test(NAME ${VICINAL_TEST_PREFIX}${name} COMMAND ${name})
    set_tests_properties(${VICINAL_TEST_PREFIX}${name} PROPERTIES LABELS "${arg_LABELS}"
                                                                  TIMEOUT ${arg_TIMEOUT})
  else()
    gtest_discover_tests(
      ${name}
      TEST_PREFIX "${VICINAL_TEST_PREFIX}${name}."
      DISCOVERY_TIMEOUT 120
      PROPERTIES TIMEOUT ${arg_TIMEOUT})
    # gtest_discover_tests would keep the first of several labels only, so ctest sets them itself
    # once the cases are known.
    set(labels_file ${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake)
    file(
      WRITE ${labels_file}
      "if(${name}_TESTS)\n"
      "  set_tests_properties(\${${name}_TESTS} PROPERTIES LABELS \"${arg_LABELS}\")\n"
      "endif()\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${labels_file})
  endif()
endfunction()

# vicinal_add_command_test(name COMMAND command... [LABELS labels...] [TIMEOUT seconds])
#
# A ctest test that runs a command. Exit code 77 means skipped, with the reason on its output.
function(vicinal_add_command_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "COMMAND;LABELS")
  vicinal_wants_test(wanted ${arg_LABELS})
  if(NOT wanted)
    return()
  endif()
  vicinal_test_timeout(arg_TIMEOUT "${arg_TIMEOUT}")
  add_test(NAME ${VICINAL_TEST_PREFIX}${name} COMMAND ${arg_COMMAND})
  set_tests_properties(${VICINAL_TEST_PREFIX}${name}
                       PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()

# vicinal_add_fuzzer(name SOURCES files... [LIBRARIES targets...])
#
# A fuzz target, the program vicinal-fuzz-<name>: SOURCES define LLVMFuzzerTestOneInput. With
# VICINAL_FUZZ it is a libFuzzer program (tools/fuzz runs it); otherwise the corpus, the folder
# corpus/<name>, is replayed through it. Either way one ctest test runs over the corpus.
function(vicinal_add_fuzzer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  vicinal_wants_test(wanted fuzz)
  if(NOT wanted)
    return()
  endif()
  set(program vicinal-fuzz-${name})
  add_executable(${program} ${arg_SOURCES})
  target_include_directories(${program} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${program} PRIVATE vicinal vicinal_flags ${arg_LIBRARIES})
  set(run_arguments "")
  if(VICINAL_FUZZ)
    target_link_options(${program} PRIVATE -fsanitize=fuzzer)
    set(run_arguments -runs=0)
  else()
    target_sources(${program} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc)
  endif()
  vicinal_add_command_test(${program} COMMAND ${program} ${run_arguments}
                           ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name} LABELS fuzz)
endfunction()
