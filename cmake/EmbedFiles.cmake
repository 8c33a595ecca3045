# Writes OUTPUT, a C++ source that defines a function for each NAME=PATH of
# FILES: `llvm::StringRef NAME()`, the file's bytes, as HEADER declares it.
set(text "#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\n")
foreach(entry IN LISTS FILES)
  string(REGEX MATCH "^([A-Za-z]+)=(.*)$" matched "${entry}")
  set(name ${CMAKE_MATCH_1})
  file(READ "${CMAKE_MATCH_2}" bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "((0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,))" "\\1\n" bytes "${bytes}")
  string(APPEND text "\nstatic const unsigned char ${name}Bytes[] = {\n${bytes}0};\n"
    "llvm::StringRef ${name}() {\n  return {reinterpret_cast<const char *>(${name}Bytes), sizeof ${name}Bytes - 1};\n}\n")
endforeach()
string(APPEND text "\n} // namespace ${NAMESPACE}\n")
file(WRITE "${OUTPUT}" "${text}")
