# rootc_add_model(NAME NET.mlir [SHARED] [ROOT n] [TOPOLOGY root|tree|column]
#   [GROUPS name=n,...] [IMAGE HxW] [MODE train|infer] [PRECISION f32|bf16]
#   [TARGET target] [TUNED file] [WEIGHTS file [SLICE_WEIGHTS]] [FLAGS flag...])
#
# Compiles a network, when it or its weights have changed, to a static library:
# targets that link NAME have it and may include "NAME.h". The functions in it
# are called by the network's symbol: @net has net_model(). With WEIGHTS, which
# means MODE infer, it has net_classify() too. SHARED makes NAME.so instead, to
# be loaded by dlopen; its path is the target's property ROOTC_LIBRARY. FLAGS go
# to rootc as they are.
function(rootc_add_model name network)
  cmake_parse_arguments(PARSE_ARGV 2 model "SHARED;SLICE_WEIGHTS"
    "ROOT;TOPOLOGY;GROUPS;IMAGE;MODE;PRECISION;TARGET;TUNED;WEIGHTS" "FLAGS")
  if(model_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "rootc_add_model(${name}): unknown arguments: ${model_UNPARSED_ARGUMENTS}")
  endif()
  find_program(ROOTC_PROGRAM rootc HINTS ${rootc_BINDIR})
  if(NOT ROOTC_PROGRAM)
    message(FATAL_ERROR "rootc_add_model(${name}): rootc is not installed: install the package 'rootc', "
      "or set ROOTC_PROGRAM to the compiler")
  endif()
  get_filename_component(network "${network}" ABSOLUTE)
  set(inputs "${network}")
  set(flags ${model_FLAGS})
  if(model_WEIGHTS)
    if(NOT model_MODE)
      set(model_MODE infer)
    endif()
    get_filename_component(model_WEIGHTS "${model_WEIGHTS}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  endif()
  if(model_TUNED)
    get_filename_component(model_TUNED "${model_TUNED}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  endif()
  list(APPEND inputs ${model_WEIGHTS} ${model_TUNED})
  foreach(key ROOT TOPOLOGY GROUPS IMAGE MODE PRECISION TARGET TUNED WEIGHTS)
    if(DEFINED model_${key})
      string(TOLOWER "${key}" flag)
      list(APPEND flags "--${flag}=${model_${key}}")
    endif()
  endforeach()
  if(model_SLICE_WEIGHTS)
    list(APPEND flags --slice-weights)
  endif()

  set(header "${CMAKE_CURRENT_BINARY_DIR}/${name}.h")
  if(model_SHARED)
    set(library "${CMAKE_CURRENT_BINARY_DIR}/${name}.so")
    set(more COMMAND "${ROOTC_PROGRAM}" "${network}" ${flags} -o "${header}")
  else()
    set(library "${CMAKE_CURRENT_BINARY_DIR}/${name}.a")
    set(more)
  endif()
  add_custom_command(
    OUTPUT "${library}" "${header}"
    COMMAND "${ROOTC_PROGRAM}" "${network}" ${flags} -o "${library}"
    ${more}
    DEPENDS ${inputs} "${ROOTC_PROGRAM}"
    COMMENT "Compiling the network ${name}"
    VERBATIM)
  add_custom_target(${name}_compiled ALL DEPENDS "${library}" "${header}")
  if(model_SHARED)
    add_library(${name} INTERFACE IMPORTED GLOBAL)
  else()
    add_library(${name} STATIC IMPORTED GLOBAL)
    set_target_properties(${name} PROPERTIES IMPORTED_LOCATION "${library}"
      INTERFACE_LINK_LIBRARIES "Threads::Threads;m")
  endif()
  set_target_properties(${name} PROPERTIES ROOTC_LIBRARY "${library}"
    INTERFACE_INCLUDE_DIRECTORIES "${CMAKE_CURRENT_BINARY_DIR}")
  add_dependencies(${name} ${name}_compiled)
endfunction()
