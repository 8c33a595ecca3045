/* A host's own allocator in the place of the C library's: every block is
 * poisoned, and none is used twice. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCK = 128 };
static const size_t room = (size_t)8 << 30;
static char *volatile heap;
static size_t used;
long own_allocations;

static char *start(void) {
  char *none = NULL;
  if (heap)
    return heap;
  char *made = mmap(NULL, room, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (made == MAP_FAILED)
    return NULL;
  if (!__atomic_compare_exchange_n(&heap, &none, made, 0, __ATOMIC_ACQ_REL,
                                   __ATOMIC_ACQUIRE))
    munmap(made, room);
  return heap;
}

static void *take(size_t alignment, size_t bytes) {
  char *base = start();
  if (alignment < BLOCK)
    alignment = BLOCK;
  size_t total = bytes + 2 * alignment;
  if (!base || bytes > room || total > room)
    return NULL;
  size_t at = __atomic_fetch_add(&used, total, __ATOMIC_RELAXED);
  if (at + total > room)
    return NULL;
  uintptr_t address = (uintptr_t)base + at + BLOCK;
  address = (address + alignment - 1) / alignment * alignment;
  ((size_t *)address)[-1] = bytes;
  memset((void *)address, 0xff, bytes); /* floats: not a number */
  __atomic_fetch_add(&own_allocations, 1, __ATOMIC_RELAXED);
  return (void *)address;
}

void *malloc(size_t bytes) { return take(BLOCK, bytes); }

void free(void *memory) {
  if (!memory)
    return;
  memset(memory, 0xfe, ((size_t *)memory)[-1]);
}

void *calloc(size_t count, size_t bytes) {
  if (bytes && count > room / bytes)
    return NULL;
  void *memory = take(BLOCK, count * bytes);
  return memory ? memset(memory, 0, count * bytes) : NULL;
}

void *realloc(void *memory, size_t bytes) {
  void *moved = take(BLOCK, bytes);
  if (moved && memory) {
    size_t before = ((size_t *)memory)[-1];
    memcpy(moved, memory, before < bytes ? before : bytes);
    free(memory);
  }
  return moved;
}

void *aligned_alloc(size_t alignment, size_t bytes) {
  return take(alignment, bytes);
}

void *memalign(size_t alignment, size_t bytes) {
  return take(alignment, bytes);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes) {
  *memory = take(alignment, bytes);
  return *memory ? 0 : ENOMEM;
}
