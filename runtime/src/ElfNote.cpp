//===- ElfNote.cpp - Tell a model from any other file ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElfNote.h"
#include "Support.h"

#include <algorithm>
#include <cstddef>
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

/// A model's note and where in the file it is; 0: nowhere.
struct FoundNote {
  rootc_note note;
  size_t position = 0;
};

uint64_t alignTo4(uint64_t size) { return (size + 3) & ~uint64_t(3); }
} // namespace

/// The model's note, if it is one of those in [begin, end).
static FoundNote findAmong(const Reader &reader, uint64_t begin, uint64_t end) {
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
      FoundNote found;
      if (header.n_descsz < sizeof(found.note))
        fail("{}: its model note is damaged; make it again with rootc",
             reader.path);
      found.note = reader.read<rootc_note>(descriptor);
      found.position = descriptor;
      const char *entry = found.note.entry;
      if (!entry[0] || !std::memchr(entry, 0, sizeof(found.note.entry)))
        fail("{}: its model note is damaged; make it again with rootc",
             reader.path);
      return found;
    }
    begin = next;
  }
  return {};
}

static FoundNote findNote(const std::string &path,
                          const std::vector<char> &bytes, bool ofAnyMachine) {
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
  if (header.e_machine != hostMachine && !ofAnyMachine)
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
  FoundNote found;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    auto segment = reader.read<Elf64_Phdr>(header.e_phoff +
                                           uint64_t(i) * sizeof(Elf64_Phdr));
    if (segment.p_type == PT_LOAD || segment.p_type == PT_NOTE ||
        segment.p_type == PT_DYNAMIC)
      reader.require(segment.p_offset, segment.p_filesz);
    if (segment.p_type == PT_NOTE && !found.position)
      found = findAmong(reader, segment.p_offset,
                        segment.p_offset + segment.p_filesz);
  }
  if (!found.position)
    fail("{}: is a library, but not a model that rootc made", path);
  return found;
}

/// The hash of a file whose note is at `position`, as the note is to hold it.
static std::string hashOf(const std::vector<char> &bytes, size_t position) {
  constexpr char zeros[sizeof(rootc_note::hash)] = {};
  std::string_view file(bytes.data(), bytes.size());
  size_t begin = position + offsetof(rootc_note, hash);
  return hashOfBytes({file.substr(0, begin),
                      {zeros, sizeof(zeros)},
                      file.substr(begin + sizeof(zeros))});
}

std::string rootc::readModelNote(const std::string &path,
                                 const std::vector<char> &bytes) {
  FoundNote found = findNote(path, bytes, /*ofAnyMachine=*/false);
  std::string_view hash(found.note.hash, sizeof(found.note.hash));
  if (hash.find_first_not_of('\0') == hash.npos)
    fail("{}: holds a model, but was not written by rootc, so that nothing "
         "tells whether it is complete; make it with 'rootc NET.mlir -o "
         "NET.so'",
         path);
  if (hash != hashOf(bytes, found.position))
    fail("{}: is damaged, or was changed after rootc wrote it (a download that "
         "broke, strip); get it again, or make it again with rootc",
         path);
  return found.note.entry;
}

void rootc::sealModel(const std::string &path, std::vector<char> &bytes) {
  size_t position = findNote(path, bytes, /*ofAnyMachine=*/true).position;
  std::string hash = hashOf(bytes, position);
  std::copy(hash.begin(), hash.end(),
            bytes.begin() +
                std::ptrdiff_t(position + offsetof(rootc_note, hash)));
}
