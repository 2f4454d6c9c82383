# Install rules: static and shared library, public headers, CMake package, pkg-config files.
#
# The archive carries no dependency inside it, so its packages say what its user must link:
# Highway, {fmt}, LMDB, xxHash, CRoaring and threads. robin-map and cereal are header-only and
# private. The shared library names what it needs by itself: who links it needs nothing else, so it
# has a component, targets and a pkg-config file of its own.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/vicinal)

install(
  TARGETS vicinal
  EXPORT vicinalTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  FILE_SET public_headers DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILE_SET c_headers DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(
  TARGETS vicinal_shared
  EXPORT vicinalSharedTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  FILE_SET c_headers DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(VICINAL_WITH_MIMALLOC)
  install(
    TARGETS vicinal_mimalloc
    EXPORT vicinalTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    FILE_SET mimalloc_header DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endif()

foreach(targets IN ITEMS vicinalTargets vicinalSharedTargets)
  install(
    EXPORT ${targets}
    NAMESPACE vicinal::
    DESTINATION ${package_dir})
endforeach()
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
set(modules vicinal vicinal-c)
if(VICINAL_WITH_MIMALLOC)
  list(APPEND modules vicinal-mimalloc)
endif()
foreach(module IN LISTS modules)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${module}.pc.in ${PROJECT_BINARY_DIR}/${module}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${module}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
