/// What Linux offers and Swift's Glibc does not show. Everything returns a negative errno on failure.
#ifndef CLINUX_H
#define CLINUX_H

#include <semaphore.h>
#include <stdint.h>

/// Accepts a connection whose descriptor programs that are started do not inherit.
int linux_accept(int listener);

/// Has this process get SIGTERM when the thread of `parent` that started it ends; at once, if it is not its parent.
int linux_end_with_parent(int parent);

/// Has this process go on when the thread that started it ends.
int linux_outlive_parent(void);

/// Makes a set of descriptors to wait for.
int linux_poll_create(void);
/// Adds a descriptor that is to be read; with `is_edge` it is reported once for each time something comes.
int linux_poll_add(int poll, int descriptor, uint64_t tag, int is_edge);
/// Takes a descriptor out.
int linux_poll_remove(int poll, int descriptor);
/// Waits, unless told not to, and writes at most `room` (1 to 64) tags of those that can be read; returns how many.
int linux_poll_wait(int poll, uint64_t *tags, int room, int is_blocking);

/// Makes a timer of the monotonic clock, which can be read when it has expired.
int linux_timer_create(void);
/// Sets a timer to expire at a time of the clock, in nanoseconds; 0 stops it.
int linux_timer_set(int timer, uint64_t nanoseconds);

/// Waits for a semaphore, not longer than so many nanoseconds of the monotonic clock.
int linux_semaphore_wait(sem_t *semaphore, uint64_t nanoseconds);

/// Opens a socket that can be read whenever the kernel has found or lost a device; what is read is of no use.
int linux_uevents_open(void);

#endif
