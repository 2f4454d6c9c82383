# Install rules: static library, public headers, CMake package, pkg-config files.
#
# The archive carries no dependency inside it, so both packages say what its user must link:
# Highway, {fmt}, LMDB, xxHash, CRoaring and threads. robin-map and cereal are header-only and
# private.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/vicinal)

install(
  TARGETS vicinal
  EXPORT vicinalTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  FILE_SET public_headers DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(VICINAL_WITH_MIMALLOC)
  install(
    TARGETS vicinal_mimalloc
    EXPORT vicinalTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    FILE_SET mimalloc_header DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endif()

install(
  EXPORT vicinalTargets
  NAMESPACE vicinal::
  DESTINATION ${package_dir})
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/vicinalConfig.cmake.in ${PROJECT_BINARY_DIR}/vicinalConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor release may change the API.
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/vicinalConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/vicinalConfig.cmake
              ${PROJECT_BINARY_DIR}/vicinalConfigVersion.cmake DESTINATION ${package_dir})

# pkg-config files find their prefix from where they lie, so an installed tree can be moved.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY
           ${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig OUTPUT_VARIABLE pc_to_prefix)
configure_file(${CMAKE_CURRENT_LIST_DIR}/vicinal.pc.in ${PROJECT_BINARY_DIR}/vicinal.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/vicinal.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(VICINAL_WITH_MIMALLOC)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/vicinal-mimalloc.pc.in
                 ${PROJECT_BINARY_DIR}/vicinal-mimalloc.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/vicinal-mimalloc.pc
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
