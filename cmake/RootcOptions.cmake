# Compile options of the project's own targets.
add_compile_options(-Wall -Wextra -Wno-unused-parameter)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees overlapping copies in std::string's operator+ (its bug 105651).
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
  # A precompiled header's system headers are none to it: it sees more of that kind there.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-stringop-overflow> $<$<COMPILE_LANGUAGE:CXX>:-Wno-array-bounds>)
endif()
if(ROOTC_WERROR)
  add_compile_options(-Werror)
endif()

# Sanitizers instrument what runs beside generated code: it links RootcSanitizer.
# The compiler stays as it is: Debian's libMLIR and libLLVM are not instrumented,
# so their locks and their allocators' poison would give false reports.
add_library(RootcSanitizer INTERFACE)
if(ROOTC_SANITIZE STREQUAL "address")
  target_compile_options(RootcSanitizer INTERFACE
    -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(RootcSanitizer INTERFACE -fsanitize=address,undefined)
elseif(ROOTC_SANITIZE STREQUAL "thread")
  target_compile_options(RootcSanitizer INTERFACE -g1 -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(RootcSanitizer INTERFACE -fsanitize=thread)
elseif(ROOTC_SANITIZE)
  message(FATAL_ERROR "ROOTC_SANITIZE is '${ROOTC_SANITIZE}'; use address, thread or nothing")
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # What ccache asks for where headers are precompiled.
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
  endif()
endif()
