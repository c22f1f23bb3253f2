// What the benchmark measures with, in C so that it adds as little as possible to what it measures.
//
// Three parts: a reference server (the least that a thumb drive in user space has to do), a host that loads any
// server with commands and checks every answer, and the processes both run in.
#ifndef CBENCHREFERENCE_H
#define CBENCHREFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: Processes

/// Starts this executable again with other arguments.
///
/// What the child writes to its descriptor 3 can be read from `*output`; `extra`, unless negative, is the child's
/// descriptor 4. Returns the child, or a negated errno.
pid_t bench_spawn(char *const arguments[], int *output, int extra);

/// Reads the decimal number that a child sends when it is ready.
///
/// Returns a negative number when none came within `milliseconds`, or the child closed its end without a word.
int bench_read_number(int descriptor, int milliseconds);

/// Sends a number to the process that started this one.
bool bench_write_number(int descriptor, int number);

/// Ends this process together with the one that started it, however that ends.
void bench_follow_parent(pid_t parent);

/// Kills a child and waits for its end.
void bench_end(pid_t child);

/// The CPU time of all threads of a process, in nanoseconds; negative when there is no such process.
int64_t bench_cpu_time(pid_t process);

/// The most memory that a process has had resident at once, in bytes; negative when that cannot be told.
int64_t bench_peak_memory(pid_t process);

/// A descriptor of an empty file of `bytes` bytes that has no name, and so never stays behind.
///
/// Returns a negated errno when it cannot be made.
int bench_unnamed_file(int64_t bytes);

/// The processors that this process may use, at most `capacity`; returns how many.
int bench_processors(int *processors, int capacity);

/// Keeps the calling thread, and what it starts from now on, on some processors; false when that is not permitted.
bool bench_stay_on(const int *processors, int count);

/// Keeps a processor awake at idle priority: announces itself on `descriptor`, and never returns.
///
/// Returns only when the system does not permit idle priority.
void bench_keep_awake(int processor, int descriptor);

/// Stops children for a moment.
///
/// Idle priority holds among the processes of one session; those of others may not get a turn at all while a
/// processor is kept awake.
void bench_rest(const pid_t *children, int count);

/// Nanoseconds of a clock that only goes forward.
int64_t bench_now(void);

// MARK: The reference

/// Serves a RAM disk of `bytes` bytes as the device `1-1` on a free port of 127.0.0.1, one client at a time.
///
/// Sends the port on `descriptor`, then serves for ever. Returns an errno when it cannot begin.
int bench_reference_serve(int descriptor, uint64_t bytes);

// MARK: The host

/// A host that has imported a Bulk-Only drive.
typedef struct bench_host bench_host;

/// A command that a host can repeat.
typedef enum {
    BENCH_TEST_UNIT_READY,
    BENCH_RANDOM_READ,
    BENCH_RANDOM_WRITE,
    BENCH_SEQUENTIAL_READ,
    BENCH_SEQUENTIAL_WRITE,
} bench_command;

/// What a measurement gave.
typedef struct {
    uint64_t commands;
    int64_t nanoseconds;
    /// Of the server's process, all threads.
    int64_t server_cpu_nanoseconds;
    int64_t p50_nanoseconds;
    int64_t p99_nanoseconds;
} bench_figures;

/// Counts the devices that a server on 127.0.0.1 lists; negative, with words in `error`, when the list is wrong.
int bench_list(uint16_t port, char *error, size_t error_size);

/// Imports a device from a server on 127.0.0.1 and makes its drive ready, as an operating system would.
///
/// `server` is the process whose CPU time measurements take. Returns NULL, with words in `error`, on failure.
bench_host *bench_host_open(uint16_t port, const char *bus_id, pid_t server, char *error, size_t error_size);

/// Gives the device back.
void bench_host_close(bench_host *host);

/// What went wrong, after a function has returned false.
const char *bench_host_error(const bench_host *host);

/// The drive's size in bytes.
uint64_t bench_host_capacity(const bench_host *host);

/// Writes the whole drive, reads it back and compares; leaves on it what measurements expect to read.
bool bench_host_check_disk(bench_host *host);

/// Repeats one command, one at a time, for a while.
///
/// `bytes` must divide 1 MiB and be a multiple of the drive's block; it is ignored without a data phase. The disk
/// must have been checked before. False when any answer was wrong.
bool bench_host_measure(
    bench_host *host, bench_command command, uint32_t bytes, int64_t nanoseconds, bench_figures *figures);

/// Reads the device descriptor over and over, with `depth` (1 to 1024) requests on their way.
bool bench_host_measure_control(bench_host *host, uint32_t depth, int64_t nanoseconds, bench_figures *figures);

#endif
