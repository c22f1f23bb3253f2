#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/netlink.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int checked(int result) { return result < 0 ? -errno : result; }

int linux_accept(int listener) { return checked(accept4(listener, NULL, NULL, SOCK_CLOEXEC)); }

int linux_end_with_parent(int parent)
{
    int result = checked(prctl(PR_SET_PDEATHSIG, SIGTERM));
    // It may have ended before.
    if (getppid() != parent) raise(SIGTERM);
    return result;
}

int linux_outlive_parent(void) { return checked(prctl(PR_SET_PDEATHSIG, 0)); }

int linux_poll_create(void) { return checked(epoll_create1(EPOLL_CLOEXEC)); }

int linux_poll_add(int poll, int descriptor, uint64_t tag, int is_edge)
{
    struct epoll_event event = {.events = EPOLLIN | (is_edge ? EPOLLET : 0), .data.u64 = tag};
    return checked(epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event));
}

int linux_poll_remove(int poll, int descriptor) { return checked(epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, NULL)); }

int linux_poll_wait(int poll, uint64_t *tags, int room, int is_blocking)
{
    struct epoll_event events[64];
    int count = checked(epoll_wait(poll, events, room < 64 ? room : 64, is_blocking ? -1 : 0));
    for (int i = 0; i < count; i++) tags[i] = events[i].data.u64;
    return count;
}

int linux_timer_create(void) { return checked(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)); }

int linux_timer_set(int timer, uint64_t nanoseconds)
{
    struct itimerspec time = {
        .it_value = {.tv_sec = (time_t)(nanoseconds / 1000000000), .tv_nsec = (long)(nanoseconds % 1000000000)}};
    return checked(timerfd_settime(timer, TFD_TIMER_ABSTIME, &time, NULL));
}

int linux_uevents_open(void)
{
    int result = checked(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT));
    if (result < 0) return result;
    // The kernel's own group: udev's says the same later, where there is udev.
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
    int bound = checked(bind(result, (struct sockaddr *)&address, sizeof address));
    if (bound == 0) return result;
    close(result);
    return bound;
}

int linux_semaphore_wait(sem_t *semaphore, uint64_t nanoseconds)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    nanoseconds += (uint64_t)end.tv_nsec;
    end.tv_sec += (time_t)(nanoseconds / 1000000000);
    end.tv_nsec = (long)(nanoseconds % 1000000000);
    int result;
    do {
        result = checked(sem_clockwait(semaphore, CLOCK_MONOTONIC, &end));
    } while (result == -EINTR);
    return result;
}
