/*
 * A disk that can be watched and made to fail, put between a process and its C library (LD_PRELOAD). It knows the files in the
 * folder PRESCORE_DISK whose names begin with "queue.db": the database, its write-ahead log, and "queue.db.acks", in which a test
 * notes what it was promised.
 *
 * Each write, truncation and sync is appended to PRESCORE_DISK/log in the order in which it ended, so a test can work out what a
 * power cut at any moment may have left. PRESCORE_DISK/fault, while it is there, makes calls fail: its first letter says which
 * (w: writes, s: syncs, r: reads), the number after it is the errno.
 *
 * Known limit: memory-mapped writes are not seen; SQLite maps only the -shm file here, which a restart builds anew.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DATABASE = 1, WAL = 2, ACKS = 3, DESCRIPTORS = 65536 };

static unsigned char file_of[DESCRIPTORS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_descriptor = -1;

static int classify(const char *path) {
  const char *folder = getenv("PRESCORE_DISK");
  if (!folder || strncmp(path, folder, strlen(folder)) != 0) return 0;
  const char *name = path + strlen(folder);
  if (strcmp(name, "/queue.db") == 0) return DATABASE;
  if (strcmp(name, "/queue.db-wal") == 0) return WAL;
  if (strcmp(name, "/queue.db.acks") == 0) return ACKS;
  return 0;
}

static int opened(int descriptor, const char *path) {
  if (descriptor >= 0 && descriptor < DESCRIPTORS) file_of[descriptor] = classify(path);
  return descriptor;
}

static int file(int descriptor) {
  return descriptor >= 0 && descriptor < DESCRIPTORS ? file_of[descriptor] : 0;
}

/* Whether a call of this kind fails now; sets errno. */
static int fails(int descriptor, char kind) {
  int which = file(descriptor);
  if (which != DATABASE && which != WAL) return 0;
  char path[4096], text[16] = {0};
  snprintf(path, sizeof path, "%s/fault", getenv("PRESCORE_DISK"));
  int saved = errno, fault = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (fault < 0) {
    errno = saved;
    return 0;
  }
  ssize_t length = syscall(SYS_read, fault, text, sizeof text - 1);
  syscall(SYS_close, fault);
  errno = length > 1 && text[0] == kind ? atoi(text + 1) : saved;
  return length > 1 && text[0] == kind;
}

/* A record: operation, file, offset, length, and for a write its bytes. */
static void record(char operation, int descriptor, uint64_t offset, uint64_t length, const void *bytes) {
  int which = file(descriptor);
  if (!which) return;
  int saved = errno;
  pthread_mutex_lock(&lock);
  if (log_descriptor < 0) {
    char path[4096];
    snprintf(path, sizeof path, "%s/log", getenv("PRESCORE_DISK"));
    log_descriptor = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }
  unsigned char head[18] = {(unsigned char)operation, (unsigned char)which};
  memcpy(head + 2, &offset, 8);
  memcpy(head + 10, &length, 8);
  if (syscall(SYS_write, log_descriptor, head, sizeof head) != sizeof head) abort();
  if (bytes && syscall(SYS_write, log_descriptor, bytes, length) != (long)length) abort();
  pthread_mutex_unlock(&lock);
  errno = saved;
}

static int open_at(int folder, const char *path, int flags, mode_t mode) {
  return opened(syscall(SYS_openat, folder, path, flags, mode), path);
}

#define MODE_OF(flags, last)                              \
  mode_t mode = 0;                                        \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {                \
    va_list rest;                                         \
    va_start(rest, last);                                 \
    mode = va_arg(rest, mode_t);                          \
    va_end(rest);                                         \
  }

int open(const char *path, int flags, ...) { MODE_OF(flags, flags) return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags, flags) return open_at(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE_OF(flags, flags) return open_at(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE_OF(flags, flags) return open_at(folder, path, flags, mode); }

int close(int descriptor) {
  if (descriptor >= 0 && descriptor < DESCRIPTORS) file_of[descriptor] = 0;
  return syscall(SYS_close, descriptor);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t offset) {
  if (fails(descriptor, 'w')) return -1;
  ssize_t written = syscall(SYS_pwrite64, descriptor, bytes, length, offset);
  if (written > 0) record('w', descriptor, offset, written, bytes);
  return written;
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
  if (fails(descriptor, 'w')) return -1;
  off_t offset = file(descriptor) ? syscall(SYS_lseek, descriptor, 0, SEEK_CUR) : 0;
  ssize_t written = syscall(SYS_write, descriptor, bytes, length);
  if (written > 0) record('w', descriptor, offset, written, bytes);
  return written;
}

ssize_t pread(int descriptor, void *bytes, size_t length, off_t offset) {
  return fails(descriptor, 'r') ? -1 : syscall(SYS_pread64, descriptor, bytes, length, offset);
}

int ftruncate(int descriptor, off_t length) {
  if (fails(descriptor, 'w')) return -1;
  int result = syscall(SYS_ftruncate, descriptor, length);
  if (result == 0) record('t', descriptor, length, 0, NULL);
  return result;
}

int fsync(int descriptor) {
  if (fails(descriptor, 's')) return -1;
  int result = syscall(SYS_fsync, descriptor);
  if (result == 0) record('s', descriptor, 0, 0, NULL);
  return result;
}

int fdatasync(int descriptor) {
  if (fails(descriptor, 's')) return -1;
  int result = syscall(SYS_fdatasync, descriptor);
  if (result == 0) record('s', descriptor, 0, 0, NULL);
  return result;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off_t offset) { return pwrite(descriptor, bytes, length, offset); }
ssize_t pread64(int descriptor, void *bytes, size_t length, off_t offset) { return pread(descriptor, bytes, length, offset); }
int ftruncate64(int descriptor, off_t length) { return ftruncate(descriptor, length); }
