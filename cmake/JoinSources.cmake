# Writes OUTPUT, the FILES one after another without their includes of each
# other (those in quotes).
set(text "")
foreach(file IN LISTS FILES)
  file(READ "${file}" part)
  string(REGEX REPLACE "#include \"[^\"]*\"\n" "" part "${part}")
  string(APPEND text "${part}\n")
endforeach()
file(WRITE "${OUTPUT}" "${text}")
