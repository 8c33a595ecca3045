# MLIR and LLVM come from Debian, packages of Python from the project's virtual
# environment (scripts/setup.sh makes it) or, where pip builds, from the one that
# it makes; they are checked here, with the remedy.
if(NOT SKBUILD)
  set(Python_EXECUTABLE ${CMAKE_SOURCE_DIR}/.venv/bin/python)
endif()
find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module)
# The folder of an installed package.
function(rootc_find_python_package name result)
  execute_process(
    COMMAND ${Python_EXECUTABLE} -c
      "import importlib.util; print(importlib.util.find_spec('${name}').submodule_search_locations[0])"
    OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
  if(failed)
    message(FATAL_ERROR "The Python package ${name} is missing: run scripts/setup.sh")
  endif()
  set(${result} ${folder} PARENT_SCOPE)
endfunction()

set(LLVM_ROOT_22 /usr/lib/llvm-22)
find_package(MLIR CONFIG PATHS ${LLVM_ROOT_22}/lib/cmake/mlir)
if(NOT MLIR_FOUND)
  message(FATAL_ERROR "MLIR 22 is missing: run scripts/setup.sh")
endif()
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

rootc_find_python_package(halide ROOTC_HALIDE_DIR)
# The package puts a pointer to itself among CMake's default paths, which is wrong where pip builds.
find_package(Halide 21 CONFIG PATHS ${ROOTC_HALIDE_DIR}/lib64/cmake/Halide ${ROOTC_HALIDE_DIR}/lib/cmake/Halide COMPONENTS shared
  NO_DEFAULT_PATH)
if(NOT Halide_FOUND)
  message(FATAL_ERROR "Halide 21 is missing: run scripts/setup.sh")
endif()

# The schema of ONNX files comes with the onnx package.
find_package(Protobuf REQUIRED)
rootc_find_python_package(onnx ROOTC_ONNX_DIR)
set(ROOTC_ONNX_SCHEMA ${ROOTC_ONNX_DIR}/onnx.proto)

if(NOT ROOTC_SANITIZE)
  rootc_find_python_package(nanobind ROOTC_NANOBIND_DIR)
  find_package(nanobind CONFIG REQUIRED PATHS ${ROOTC_NANOBIND_DIR}/cmake NO_DEFAULT_PATH)
endif()

find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
if(ROOTC_TESTS)
  find_package(GTest REQUIRED)
endif()
find_package(Eigen3 REQUIRED NO_MODULE)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(SQLite3 REQUIRED)
if(NOT TARGET SQLite3::SQLite3) # its name before CMake 4.3
  add_library(SQLite3::SQLite3 ALIAS SQLite::SQLite3)
endif()
find_package(Threads REQUIRED)

# Headers of dependencies are not ours to warn about.
include_directories(SYSTEM ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
