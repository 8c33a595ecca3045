//===- ElfNote.cpp - Tell a model from any other file ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElfNote.h"
#include "Support.h"

#include <cstring>
#include <elf.h>

using namespace rootc;

namespace {
#if defined(__x86_64__)
constexpr Elf64_Half hostMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half hostMachine = EM_AARCH64;
#else
#error "Add the ELF machine of this architecture"
#endif

/// Reads structs out of the file, every one checked against its end.
struct Reader {
  const std::string &path;
  const std::vector<char> &bytes;

  bool holds(uint64_t offset, uint64_t size) const {
    return offset <= bytes.size() && size <= bytes.size() - offset;
  }
  void require(uint64_t offset, uint64_t size) const {
    if (!holds(offset, size))
      fail("{}: is truncated: it has {} bytes, and its header promises more; "
           "make it again with rootc",
           path, bytes.size());
  }
  template <typename T> T read(uint64_t offset) const {
    require(offset, sizeof(T));
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
  }
};

uint64_t alignTo4(uint64_t size) { return (size + 3) & ~uint64_t(3); }
} // namespace

/// The entry symbol if the notes in [begin, end) hold a model's, else "".
static std::string findEntry(const Reader &reader, uint64_t begin,
                             uint64_t end) {
  while (end - begin >= sizeof(Elf64_Nhdr)) {
    auto header = reader.read<Elf64_Nhdr>(begin);
    uint64_t owner = begin + sizeof(header);
    uint64_t descriptor = owner + alignTo4(header.n_namesz);
    uint64_t next = descriptor + alignTo4(header.n_descsz);
    if (descriptor > end || next > end)
      break;
    constexpr size_t ownerSize = sizeof(ROOTC_NOTE_OWNER);
    if (header.n_type == ROOTC_NOTE_TYPE && header.n_namesz == ownerSize &&
        !std::memcmp(reader.bytes.data() + owner, ROOTC_NOTE_OWNER,
                     ownerSize)) {
      uint32_t version = 0;
      if (header.n_descsz >= sizeof(version))
        version = reader.read<uint32_t>(descriptor);
      if (version != ROOTC_ABI_VERSION)
        fail("{}: is a model of ABI version {}, and this rootrun runs version "
             "{}; compile the network again with the rootc of this version",
             reader.path, version, ROOTC_ABI_VERSION);
      rootc_note note;
      if (header.n_descsz < sizeof(note))
        fail("{}: its model note is damaged; make it again with rootc",
             reader.path);
      note = reader.read<rootc_note>(descriptor);
      if (!note.entry[0] || !std::memchr(note.entry, 0, sizeof(note.entry)))
        fail("{}: its model note is damaged; make it again with rootc",
             reader.path);
      return note.entry;
    }
    begin = next;
  }
  return "";
}

std::string rootc::readModelNote(const std::string &path,
                                 const std::vector<char> &bytes) {
  Reader reader{path, bytes};
  if (bytes.empty())
    fail("{}: is empty; make it with 'rootc NET.mlir -o NET.so'", path);
  if (!reader.holds(0, EI_NIDENT) ||
      std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0)
    fail("{}: is not a shared library; make one with 'rootc NET.mlir -o "
         "NET.so'",
         path);
  if (bytes[EI_CLASS] != ELFCLASS64 || bytes[EI_DATA] != ELFDATA2LSB)
    fail("{}: is a library for another machine; compile the network for this "
         "one",
         path);
  auto header = reader.read<Elf64_Ehdr>(0);
  if (header.e_machine != hostMachine)
    fail("{}: is a library for another machine; compile the network for this "
         "one",
         path);
  if (header.e_type != ET_DYN || header.e_phentsize != sizeof(Elf64_Phdr))
    fail("{}: is not a shared library; make one with 'rootc NET.mlir -o "
         "NET.so'",
         path);
  if (header.e_shoff)
    reader.require(header.e_shoff,
                   uint64_t(header.e_shnum) * header.e_shentsize);
  reader.require(header.e_phoff, uint64_t(header.e_phnum) * sizeof(Elf64_Phdr));
  std::string entry;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    auto segment = reader.read<Elf64_Phdr>(header.e_phoff +
                                           uint64_t(i) * sizeof(Elf64_Phdr));
    if (segment.p_type == PT_LOAD || segment.p_type == PT_NOTE ||
        segment.p_type == PT_DYNAMIC)
      reader.require(segment.p_offset, segment.p_filesz);
    if (segment.p_type == PT_NOTE && entry.empty())
      entry = findEntry(reader, segment.p_offset,
                        segment.p_offset + segment.p_filesz);
  }
  if (entry.empty())
    fail("{}: is a library, but not a model that rootc made", path);
  return entry;
}
