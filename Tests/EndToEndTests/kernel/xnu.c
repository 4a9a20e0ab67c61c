/* What XNU's poll and waitid do otherwise than Linux's, for LD_PRELOAD: docs/facts/swift-platform.md, Darwin.
 *
 *   clang -shared -fPIC -o xnu.so xnu.c
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A FIFO with a name. Pipes have none, and XNU tells of their hang-up. */
static int is_fifo(int fd) {
  struct stat info;
  if (fd < 0 || fstat(fd, &info) != 0 || !S_ISFIFO(info.st_mode)) return 0;
  char link[64], target[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, target, sizeof target);
  return length < 5 || memcmp(target, "pipe:", 5) != 0;
}

static long long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* The last writer of a FIFO has gone: poll says nothing of it. */
int poll(struct pollfd *set, nfds_t count, int timeout) {
  static int (*original)(struct pollfd *, nfds_t, int);
  if (!original) original = (int (*)(struct pollfd *, nfds_t, int))dlsym(RTLD_NEXT, "poll");
  int fifos = 0;
  for (nfds_t i = 0; i < count; i++) fifos += is_fifo(set[i].fd);
  if (!fifos) return original(set, count, timeout);
  long long until = timeout < 0 ? -1 : milliseconds() + timeout;
  for (;;) {
    int ready = original(set, count, 0);
    if (ready < 0) return ready;
    for (nfds_t i = 0; i < count; i++) {
      if (!set[i].revents || !is_fifo(set[i].fd)) continue;
      int bytes = 0;
      ioctl(set[i].fd, FIONREAD, &bytes);
      set[i].revents &= ~POLLHUP;
      if (!bytes) set[i].revents &= ~POLLIN;
      if (!set[i].revents) ready--;
    }
    if (ready > 0 || timeout == 0 || (until >= 0 && milliseconds() >= until)) return ready;
    usleep(5000);
  }
}

/* Who waits for an end without reaping is told of a stop as well. */
int waitid(idtype_t type, id_t id, siginfo_t *info, int options) {
  static int (*original)(idtype_t, id_t, siginfo_t *, int);
  if (!original) original = (int (*)(idtype_t, id_t, siginfo_t *, int))dlsym(RTLD_NEXT, "waitid");
  if ((options & WEXITED) && (options & WNOWAIT)) options |= WSTOPPED;
  return original(type, id, info, options);
}
