# Writes a header with a hash of the sources in FILES: the part of the kernel
# cache's key that stands for this library.
set(all "")
foreach(file IN LISTS FILES)
  file(SHA256 ${file} hash)
  string(APPEND all ${hash})
endforeach()
string(SHA256 hash "${all}")
string(SUBSTRING ${hash} 0 16 hash)
file(WRITE ${OUTPUT} "#define ROOTC_SOURCE_HASH \"${hash}\"\n")
