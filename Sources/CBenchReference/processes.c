// The processes of a benchmark: started, measured and ended.
#define _GNU_SOURCE
#include "CBenchReference.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { CHILD_OUTPUT = 3, CHILD_EXTRA = 4 };

/// Moves a descriptor out of the way of the numbers that children expect.
static int raise_descriptor(int descriptor) {
    int raised = fcntl(descriptor, F_DUPFD_CLOEXEC, 10);
    int error = errno;
    close(descriptor);
    errno = error;
    return raised;
}

pid_t bench_spawn(char *const arguments[], int *output, int extra) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return -errno;
    int input = raise_descriptor(ends[0]), result = raise_descriptor(ends[1]);
    if (input < 0 || result < 0) {
        int error = errno;
        if (input >= 0) close(input);
        if (result >= 0) close(result);
        return -error;
    }

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, result, CHILD_OUTPUT);
    if (extra >= 0) posix_spawn_file_actions_adddup2(&actions, extra, CHILD_EXTRA);

    pid_t child;
    int error = posix_spawn(&child, "/proc/self/exe", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(result);
    if (error) {
        close(input);
        return -error;
    }
    *output = input;
    return child;
}

int bench_read_number(int descriptor, int milliseconds) {
    char text[16];
    size_t length = 0;
    int64_t end = bench_now() + (int64_t)milliseconds * 1000000;
    while (length < sizeof text - 1) {
        int64_t left = (end - bench_now()) / 1000000;
        struct pollfd wait = {.fd = descriptor, .events = POLLIN};
        int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return -1;
        ssize_t count = read(descriptor, text + length, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return -1;
        if (text[length] == '\n') break;
        length += 1;
    }
    text[length] = 0;
    char *rest;
    long number = strtol(text, &rest, 10);
    return rest == text || *rest || number < 0 || number > INT_MAX ? -1 : (int)number;
}

bool bench_write_number(int descriptor, int number) {
    char text[16];
    int length = snprintf(text, sizeof text, "%d\n", number);
    return write(descriptor, text, (size_t)length) == length;
}

void bench_follow_parent(pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // It may have ended before the line above.
    if (getppid() != parent) _exit(1);
}

void bench_end(pid_t child) {
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
}

int64_t bench_cpu_time(pid_t process) {
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(process, &clock) || clock_gettime(clock, &time)) return -1;
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t bench_peak_memory(pid_t process) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)process);
    FILE *file = fopen(path, "re");
    if (!file) return -1;
    long long kibibytes = -1;
    while (kibibytes < 0 && fgets(line, sizeof line, file)) {
        if (sscanf(line, "VmHWM: %lld kB", &kibibytes) != 1) kibibytes = -1;
    }
    fclose(file);
    return kibibytes < 0 ? -1 : kibibytes * 1024;
}

int bench_unnamed_file(int64_t bytes) {
    const char *folder = getenv("TMPDIR");
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/ghostbench-XXXXXX", folder && *folder ? folder : "/tmp");
    if (length < 0 || (size_t)length >= sizeof path) return -ENAMETOOLONG;

    // No signal may come between the making and the loss of the name.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    int file = mkostemp(path, O_CLOEXEC);
    int error = errno;
    if (file >= 0) unlink(path);
    sigprocmask(SIG_SETMASK, &before, NULL);

    if (file < 0) return -error;
    file = raise_descriptor(file);
    if (file < 0) return -errno;
    if (ftruncate(file, bytes)) {
        error = errno;
        close(file);
        return -error;
    }
    return file;
}

int bench_processors(int *processors, int capacity) {
    cpu_set_t set;
    int count = 0;
    if (sched_getaffinity(0, sizeof set, &set)) return 0;
    for (int i = 0; i < CPU_SETSIZE && count < capacity; i += 1) {
        if (CPU_ISSET(i, &set)) processors[count++] = i;
    }
    return count;
}

bool bench_stay_on(const int *processors, int count) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < count; i += 1) {
        if (processors[i] >= 0 && processors[i] < CPU_SETSIZE) CPU_SET(processors[i], &set);
    }
    return sched_setaffinity(0, sizeof set, &set) == 0;
}

void bench_keep_awake(int processor, int descriptor) {
    struct sched_param none = {0};
    if (sched_setscheduler(0, SCHED_IDLE, &none)) return;
    if (!bench_stay_on(&processor, 1)) return;
    bench_write_number(descriptor, processor);
    for (;;) {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
        __asm__ volatile("yield");
#else
        __asm__ volatile("");
#endif
    }
}

void bench_rest(const pid_t *children, int count) {
    for (int i = 0; i < count; i += 1) kill(children[i], SIGSTOP);
    struct timespec while_others_run = {.tv_nsec = 5000000};
    nanosleep(&while_others_run, NULL);
    for (int i = 0; i < count; i += 1) kill(children[i], SIGCONT);
}

int64_t bench_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}
