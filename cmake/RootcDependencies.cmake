# MLIR and LLVM come from Debian, Halide from the project's virtual environment
# (scripts/setup.sh makes it); both are checked here, with the remedy.
set(LLVM_ROOT_22 /usr/lib/llvm-22)
find_package(MLIR CONFIG PATHS ${LLVM_ROOT_22}/lib/cmake/mlir)
if(NOT MLIR_FOUND)
  message(FATAL_ERROR "MLIR 22 is missing: run scripts/setup.sh")
endif()
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

file(GLOB ROOTC_HALIDE_DIR ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/halide)
find_package(Halide 21 CONFIG PATHS ${ROOTC_HALIDE_DIR}/lib64/cmake/Halide ${ROOTC_HALIDE_DIR}/lib/cmake/Halide COMPONENTS shared)
if(NOT Halide_FOUND)
  message(FATAL_ERROR "Halide 21 is missing: run scripts/setup.sh")
endif()

# The schema of ONNX files comes with the onnx package of the virtual environment.
find_package(Protobuf REQUIRED)
file(GLOB ROOTC_ONNX_SCHEMA ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/onnx/onnx.proto)
if(NOT ROOTC_ONNX_SCHEMA)
  message(FATAL_ERROR "The onnx package is missing: run scripts/setup.sh")
endif()

find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(GTest REQUIRED)
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
