# Debian packages by CPack: an install component each, called as the package is. `tools/debian`
# builds them, from a build with CMAKE_INSTALL_PREFIX=/usr and the architecture's own folder as
# CMAKE_INSTALL_LIBDIR (lib/x86_64-linux-gnu).
#
# What programs need at run time is found by dpkg-shlibdeps; what the static library's users link is
# written here, as in vicinalConfig.cmake.in.

set(packages libvicinal0 libvicinal-dev)
if(VICINAL_BUILD_TOOLS)
  list(APPEND packages vicinal-tools)
endif()
if(TARGET vicinal_python_call)
  list(APPEND packages python3-vicinal)
endif()

# vicinal_package(name SECTION section SUMMARY words DESCRIPTION words [DEPENDS depends])
function(vicinal_package name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SECTION;SUMMARY;DESCRIPTION;DEPENDS" "")
  string(TOUPPER ${name} component)
  set(CPACK_DEBIAN_${component}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${component}_PACKAGE_SECTION ${arg_SECTION} PARENT_SCOPE)
  set(CPACK_DEBIAN_${component}_DESCRIPTION "${arg_SUMMARY}\n${arg_DESCRIPTION}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${component}_PACKAGE_DEPENDS "${arg_DEPENDS}" PARENT_SCOPE)
  # In packages only: an installation without them has the sources' LICENSE.
  install(
    FILES ${PROJECT_SOURCE_DIR}/LICENSE
    DESTINATION share/doc/${name}
    RENAME copyright
    COMPONENT ${name}
    EXCLUDE_FROM_ALL)
endfunction()

set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(debian_version ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})

vicinal_package(
  libvicinal0
  SECTION libs
  SUMMARY "embedded vector index (shared library)"
  DESCRIPTION
    "Keeps an HNSW graph of vectors searchable while they are inserted, replaced\nand erased, and every acknowledged write in an LMDB store. This is its C ABI,\nfor programs of every language."
)
set(static_needs "libhwy-dev, libfmt-dev, liblmdb-dev, libroaring-dev, libxxhash-dev")
if(VICINAL_WITH_MIMALLOC)
  string(APPEND static_needs ", libmimalloc-dev")
endif()
vicinal_package(
  libvicinal-dev
  SECTION libdevel
  SUMMARY "embedded vector index (development files)"
  DESCRIPTION
    "Headers of the C ABI and of the C++20 API, the static library, and what CMake\nand pkg-config need to find them."
  DEPENDS "libvicinal0 (= ${debian_version}), ${static_needs}")
if(VICINAL_BUILD_TOOLS)
  vicinal_package(
    vicinal-tools
    SECTION database
    SUMMARY "embedded vector index (command line)"
    DESCRIPTION
      "The command vicinal: imports vectors into a store, searches, validates, repairs\nand backs up.")
endif()

if(TARGET vicinal_python_call)
  vicinal_package(
    python3-vicinal
    SECTION python
    SUMMARY "embedded vector index (Python 3)"
    DESCRIPTION
      "The module vicinal: stores and indexes of vectors, written and searched with\narrays of numpy."
    DEPENDS "python3 (>= 3.11), python3-numpy, libvicinal0 (= ${debian_version})")
  set(CPACK_DEBIAN_PYTHON3-VICINAL_PACKAGE_CONTROL_EXTRA
      ${CMAKE_CURRENT_LIST_DIR}/python3-vicinal/postinst
      ${CMAKE_CURRENT_LIST_DIR}/python3-vicinal/prerm)
endif()

set(CPACK_COMPONENTS_ALL ${packages})
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_GENERATOR DEB)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME vicinal)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_PACKAGE_VENDOR "The Vicinal authors")
set(CPACK_PACKAGE_CONTACT "The Vicinal authors <authors@vicinal.invalid>")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SOURCE vicinal)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Where the library is that the Python module needs; no package of the system has it.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/engine/c)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
                                                GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
# This machine's own, unless the build is for another.
if(CMAKE_CROSSCOMPILING AND CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
endif()
include(CPack)
