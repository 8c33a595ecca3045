# `cmake --install`, and Debian packages by `cpack`: rootc-runtime (rootrun, the
# library and headers for programs, the CMake package) and rootc (the compiler).
include(CMakePackageConfigHelpers)

# What is installed is built before; `cpack` is not to build the tests.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(ROOTC_PRIVATE_LIBRARIES ${CMAKE_INSTALL_LIBDIR}/rootc)

install(TARGETS rootrun COMPONENT runtime)
set(ROOTC_COMPILER rootc rootc-import rootc-kernel rootc-lsp-server rootc-time rootc-tune)
# Halide is not Debian's, so it comes along; its autoschedulers lie beside it.
set_target_properties(${ROOTC_COMPILER} PROPERTIES
  INSTALL_RPATH "$ORIGIN/../${ROOTC_PRIVATE_LIBRARIES};${LLVM_LIBRARY_DIRS}")
install(TARGETS ${ROOTC_COMPILER} COMPONENT compiler)
get_target_property(ROOTC_HALIDE_LIBRARY Halide::Halide IMPORTED_LOCATION_RELEASE)
get_filename_component(ROOTC_HALIDE_FOLDER ${ROOTC_HALIDE_LIBRARY} DIRECTORY)
install(FILES ${ROOTC_HALIDE_LIBRARY}
  ${ROOTC_HALIDE_FOLDER}/libautoschedule_adams2019.so ${ROOTC_HALIDE_FOLDER}/libautoschedule_mullapudi2016.so
  DESTINATION ${ROOTC_PRIVATE_LIBRARIES} COMPONENT compiler)
install(DIRECTORY models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/rootc/models COMPONENT compiler FILES_MATCHING PATTERN *.mlir)
install(DIRECTORY editors/ DESTINATION ${CMAKE_INSTALL_DATADIR}/rootc/editors COMPONENT compiler)

set(ROOTC_CMAKE_FOLDER ${CMAKE_INSTALL_LIBDIR}/cmake/rootc)
configure_package_config_file(cmake/rootcConfig.cmake.in ${CMAKE_BINARY_DIR}/package/rootcConfig.cmake
  INSTALL_DESTINATION ${ROOTC_CMAKE_FOLDER} PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/rootcConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/package/rootcConfig.cmake ${CMAKE_BINARY_DIR}/package/rootcConfigVersion.cmake
  cmake/RootcAddModel.cmake DESTINATION ${ROOTC_CMAKE_FOLDER} COMPONENT runtime)
install(EXPORT rootcTargets NAMESPACE rootc:: DESTINATION ${ROOTC_CMAKE_FOLDER} COMPONENT runtime)
file(RELATIVE_PATH ROOTC_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/rootc.pc.in ${CMAKE_BINARY_DIR}/package/rootc.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/package/rootc.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT runtime)
# Man pages and completions, from the tables of flags.
set(ROOTC_COMMAND_FILES ${CMAKE_BINARY_DIR}/package/commands)
add_custom_command(
  OUTPUT ${ROOTC_COMMAND_FILES}/rootc.1
  COMMAND ${Python_EXECUTABLE} ${CMAKE_SOURCE_DIR}/scripts/make-command-files.py
    ${CMAKE_SOURCE_DIR}/docs/commands.md ${ROOTC_COMMAND_FILES} ${PROJECT_VERSION}
  DEPENDS docs/commands.md scripts/make-command-files.py
  VERBATIM)
add_custom_target(command-files ALL DEPENDS ${ROOTC_COMMAND_FILES}/rootc.1)
foreach(program rootc rootc-import rootc-tune rootrun)
  set(component compiler)
  if(program STREQUAL rootrun)
    set(component runtime)
  endif()
  install(FILES ${ROOTC_COMMAND_FILES}/${program}.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT ${component})
  install(FILES ${ROOTC_COMMAND_FILES}/${program} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    COMPONENT ${component})
endforeach()
install(FILES LICENSE RENAME copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/rootc-runtime COMPONENT runtime)
install(FILES LICENSE RENAME copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/rootc COMPONENT compiler)

set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL runtime compiler)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_VENDOR rootc)
set(CPACK_PACKAGE_CONTACT "The rootc authors <rootc@localhost>")
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${ROOTC_HALIDE_FOLDER})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME rootc-runtime)
set(CPACK_DEBIAN_COMPILER_PACKAGE_NAME rootc)
set(CPACK_DEBIAN_COMPILER_PACKAGE_DEPENDS "rootc-runtime (= ${PROJECT_VERSION})")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
  "Trains and runs networks that rootc has compiled\n rootrun, the library and headers for programs, and the CMake package.")
set(CPACK_COMPONENT_COMPILER_DESCRIPTION
  "Compiler for convolutional networks with filter groups\n From a network's description, or ONNX, to a library that trains and runs it.")
include(CPack)
