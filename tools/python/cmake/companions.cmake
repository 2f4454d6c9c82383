# Copies the shared libraries that LIBRARY needs, and that not every system has, into FOLDER under
# the names by which they are looked for, and their packages' copyright files into LICENSES; writes
# their names to LIST.
#
# Every Linux system with Python has the C library's, and libstdc++ and libgcc_s belong to it: two of
# these in one process would not do.
file(
  GET_RUNTIME_DEPENDENCIES
  LIBRARIES ${LIBRARY}
  RESOLVED_DEPENDENCIES_VAR found
  UNRESOLVED_DEPENDENCIES_VAR missing
  PRE_EXCLUDE_REGEXES "^ld-linux" "^lib(c|m|dl|rt|pthread|stdc\\+\\+|gcc_s)\\.so"
  POST_EXCLUDE_REGEXES "/ld-linux")
if(missing)
  message(FATAL_ERROR "${LIBRARY} needs what is not here: ${missing}")
endif()
file(MAKE_DIRECTORY ${LICENSES})
set(names "")
foreach(library IN LISTS found)
  get_filename_component(name ${library} NAME)
  file(REAL_PATH ${library} file)
  configure_file(${file} ${FOLDER}/${name} COPYONLY)
  string(APPEND names "${name}\n")
  execute_process(
    COMMAND dpkg-query -S ${file}
    OUTPUT_VARIABLE owner
    RESULT_VARIABLE unknown
    ERROR_QUIET)
  string(REGEX REPLACE ":.*" "" owner "${owner}")
  if(NOT unknown AND EXISTS /usr/share/doc/${owner}/copyright)
    configure_file(/usr/share/doc/${owner}/copyright ${LICENSES}/${owner}.txt COPYONLY)
  endif()
endforeach()
file(WRITE ${LIST} "${names}")
