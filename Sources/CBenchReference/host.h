// What the parts of the host share.
#ifndef HOST_H
#define HOST_H

#include "CBenchReference.h"
#include "wire.h"

enum {
    MIB = 1 << 20,
    // An answer that takes longer is taken for lost.
    ANSWER_SECONDS = 20,
    // The status of a URB whose endpoint has stalled, as Linux numbers it.
    STATUS_STALLED = -32,
};

struct bench_host {
    int socket;
    pid_t server;
    uint32_t device;
    uint32_t sequence;
    uint32_t tag;
    uint8_t endpoint_in, endpoint_out;
    uint8_t descriptor[DEVICE_DESCRIPTOR_SIZE];
    uint64_t blocks;
    uint32_t block_size;
    // 1 MiB that the checked disk repeats from its first byte to its last.
    uint8_t *pattern;
    // What commands read into.
    uint8_t *buffer;
    uint64_t random;
    char error[200];
};

/// Notes what went wrong; returns false.
bool host_fail(bench_host *host, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// Notes that a call on the socket failed, in words that fit its errno; returns false.
bool host_lost(bench_host *host, const char *doing, ssize_t result);

/// Sends all of two pieces, `second` may be empty.
bool host_send(bench_host *host, const void *first, size_t first_size, const void *second, size_t second_size);

/// Receives at least `least` bytes into two pieces, one behind the other; returns how many, 0 on failure.
size_t host_receive(
    bench_host *host, void *first, size_t first_size, void *second, size_t second_size, size_t least);

/// Connects to a port of 127.0.0.1.
bool host_connect(bench_host *host, uint16_t port);

/// Transfers one URB and waits for its answer; false only when the transport or the answer is broken.
bool host_transfer(
    bench_host *host, uint8_t endpoint, bool in, const uint8_t *setup, void *data, uint32_t length, int32_t *status,
    uint32_t *moved);

/// Carries out one SCSI command.
///
/// With `csw_status` the drive may refuse; without, everything must move and succeed.
bool host_command(
    bench_host *host, const uint8_t *cdb, uint8_t cdb_size, bool in, void *data, uint32_t length,
    uint8_t *csw_status);

/// READ(10) or WRITE(10) of whole blocks at a byte offset.
bool host_move(bench_host *host, bool in, uint64_t offset, void *data, uint32_t bytes);

/// The next of a fixed sequence of numbers that look random.
uint64_t host_random(bench_host *host);

#endif
