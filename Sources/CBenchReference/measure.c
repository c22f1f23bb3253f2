// The measured loops, and the check of a whole disk that comes before them.
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

// MARK: The disk

/// Fills a MiB with numbers that depend on nothing but `seed` and the place.
static void fill_with_numbers(bench_host *host, uint8_t *data, uint64_t seed) {
    host->random = seed;
    for (size_t i = 0; i < MIB; i += 8) {
        uint64_t number = host_random(host);
        memcpy(data + i, &number, 8);
    }
}

enum { SHARED_SEED = 0x6b1d };

/// The numbers of the MiB at `offset`: its own, or those that all have.
static void fill_for(bench_host *host, uint8_t *data, uint64_t offset, bool is_own) {
    fill_with_numbers(host, data, is_own ? offset + 1 : SHARED_SEED);
}

static uint32_t piece(const bench_host *host, uint64_t offset) {
    uint64_t left = bench_host_capacity(host) - offset;
    return left < MIB ? (uint32_t)left : MIB;
}

static bool write_disk(bench_host *host, bool is_own) {
    for (uint64_t offset = 0; offset < bench_host_capacity(host); offset += MIB) {
        if (is_own || offset == 0) fill_for(host, host->pattern, offset, is_own);
        if (!host_move(host, false, offset, host->pattern, piece(host, offset))) return false;
    }
    const uint8_t synchronize[10] = {0x35};
    return host_command(host, synchronize, sizeof synchronize, false, NULL, 0, NULL);
}

static bool compare_disk(bench_host *host, bool is_own) {
    for (uint64_t offset = 0; offset < bench_host_capacity(host); offset += MIB) {
        uint32_t bytes = piece(host, offset);
        if (is_own) fill_for(host, host->pattern, offset, true);
        memset(host->buffer, 0, bytes);
        if (!host_move(host, true, offset, host->buffer, bytes)) return false;
        if (memcmp(host->buffer, host->pattern, bytes)) {
            return host_fail(host, "what was written at byte %llu reads differently", (unsigned long long)offset);
        }
    }
    return true;
}

bool bench_host_check_disk(bench_host *host) {
    // First every MiB is different, so that one that lands elsewhere is found; then all are the same, so that
    // measured writes need no time to make up their data.
    return write_disk(host, true) && compare_disk(host, true) && write_disk(host, false) && compare_disk(host, false);
}

// MARK: Times

// Counts of times in nanoseconds: 128 steps for each power of two, which is less than 1% off.
enum { STEP_BITS = 7, STEPS = 1 << STEP_BITS, COUNTS = (64 - STEP_BITS + 1) * STEPS };

typedef struct {
    uint64_t total;
    uint64_t counts[COUNTS];
} histogram;

static void note(histogram *times, int64_t nanoseconds) {
    uint64_t value = nanoseconds < 0 ? 0 : (uint64_t)nanoseconds;
    size_t index = (size_t)value;
    if (value >= STEPS) {
        int shift = 63 - __builtin_clzll(value) - STEP_BITS;
        index = (size_t)(shift + 1) * STEPS + (size_t)((value >> shift) - STEPS);
    }
    times->counts[index] += 1;
    times->total += 1;
}

static int64_t quantile(const histogram *times, double part) {
    uint64_t wanted = (uint64_t)((double)times->total * part), seen = 0;
    for (size_t index = 0; index < COUNTS; index += 1) {
        seen += times->counts[index];
        if (seen <= wanted) continue;
        if (index < STEPS) return (int64_t)index;
        size_t shift = index / STEPS - 1;
        return (int64_t)((index % STEPS + STEPS) << shift);
    }
    return 0;
}

/// What is being measured, from its beginning to its end.
typedef struct {
    histogram *times;
    int64_t start;
    int64_t cpu_start;
} measurement;

static bool begin(bench_host *host, measurement *m) {
    m->times = calloc(1, sizeof *m->times);
    if (!m->times) return host_fail(host, "out of memory");
    m->cpu_start = bench_cpu_time(host->server);
    m->start = bench_now();
    return true;
}

static bool finish(bench_host *host, measurement *m, bool is_right, bench_figures *figures) {
    figures->nanoseconds = bench_now() - m->start;
    int64_t cpu_end = bench_cpu_time(host->server);
    figures->server_cpu_nanoseconds = cpu_end - m->cpu_start;
    figures->commands = m->times->total;
    figures->p50_nanoseconds = quantile(m->times, 0.50);
    figures->p99_nanoseconds = quantile(m->times, 0.99);
    free(m->times);
    if (is_right && (cpu_end < 0 || m->cpu_start < 0)) return host_fail(host, "the server's CPU time cannot be read");
    return is_right;
}

// MARK: Commands

/// Whether the first and the last word of an answer are those of its place.
static bool is_from(const bench_host *host, const uint8_t *data, uint64_t offset, uint32_t bytes) {
    const uint8_t *expected = host->pattern + offset % MIB;
    return !memcmp(data, expected, 8) && !memcmp(data + bytes - 8, expected + bytes - 8, 8);
}

static bool repeat(bench_host *host, bench_command command, uint32_t bytes, uint64_t *next) {
    const uint8_t test[6] = {0x00};
    if (command == BENCH_TEST_UNIT_READY) return host_command(host, test, sizeof test, false, NULL, 0, NULL);
    uint64_t places = bench_host_capacity(host) / bytes;
    bool is_random = command == BENCH_RANDOM_READ || command == BENCH_RANDOM_WRITE;
    uint64_t offset = (is_random ? host_random(host) : (*next)++) % places * bytes;
    if (command == BENCH_RANDOM_WRITE || command == BENCH_SEQUENTIAL_WRITE) {
        return host_move(host, false, offset, host->pattern + offset % MIB, bytes);
    }
    if (!host_move(host, true, offset, host->buffer, bytes)) return false;
    return is_from(host, host->buffer, offset, bytes) || host_fail(host, "wrong data were read");
}

bool bench_host_measure(
    bench_host *host, bench_command command, uint32_t bytes, int64_t nanoseconds, bench_figures *figures
) {
    bool moves = command != BENCH_TEST_UNIT_READY;
    if (moves && (bytes == 0 || MIB % bytes || bytes % host->block_size)) {
        return host_fail(host, "commands of %u bytes do not fit the drive", bytes);
    }
    uint64_t next = 0;
    host->random = 1;
    for (int i = 0; i < 16; i += 1) {
        if (!repeat(host, command, bytes, &next)) return false;
    }
    measurement m;
    if (!begin(host, &m)) return false;
    bool is_right = true;
    int64_t now = m.start, end = m.start + nanoseconds;
    while (now < end && (is_right = repeat(host, command, bytes, &next))) {
        int64_t then = bench_now();
        note(m.times, then - now);
        now = then;
    }
    if (!finish(host, &m, is_right, figures)) return false;
    // Measured writes wrote what was there; if any of them went wrong, it shows now.
    bool wrote = command == BENCH_RANDOM_WRITE || command == BENCH_SEQUENTIAL_WRITE;
    return !wrote || compare_disk(host, false);
}

// MARK: Control transfers

enum { MOST_DEPTH = 1024, ANSWER_SIZE = URB_HEADER_SIZE + DEVICE_DESCRIPTOR_SIZE };

/// Room for `depth` requests and their answers.
typedef struct {
    uint32_t depth;
    uint32_t in_flight;
    // The sequence number of the next answer: one endpoint's transfers end in the order of their submission.
    uint32_t expected;
    uint8_t *requests;
    uint8_t *answers;
    size_t answer_bytes;
    int64_t sent[MOST_DEPTH];
} pipeline;

static bool open_pipeline(bench_host *host, pipeline *p, uint32_t depth) {
    p->depth = depth;
    p->in_flight = 0;
    p->expected = host->sequence;
    p->answer_bytes = 0;
    p->requests = calloc(depth, URB_HEADER_SIZE);
    p->answers = malloc((size_t)depth * ANSWER_SIZE);
    if (!p->requests || !p->answers) return host_fail(host, "out of memory");
    for (uint32_t i = 0; i < depth; i += 1) {
        uint8_t *request = p->requests + (size_t)i * URB_HEADER_SIZE;
        put_be32(request, URB_SUBMIT);
        put_be32(request + URB_DEVICE, host->device);
        put_be32(request + URB_DIRECTION, 1);
        put_be32(request + URB_LENGTH, DEVICE_DESCRIPTOR_SIZE);
        memcpy(request + URB_SETUP, (uint8_t[8]){0x80, 6, 0, 1, 0, 0, DEVICE_DESCRIPTOR_SIZE, 0}, 8);
    }
    return true;
}

/// Submits as many as there is room for, in one write.
static bool submit(bench_host *host, pipeline *p, int64_t now) {
    uint32_t count = p->depth - p->in_flight;
    for (uint32_t i = 0; i < count; i += 1) {
        p->sent[host->sequence % p->depth] = now;
        put_be32(p->requests + (size_t)i * URB_HEADER_SIZE + URB_SEQUENCE, host->sequence++);
    }
    p->in_flight = p->depth;
    return host_send(host, p->requests, (size_t)count * URB_HEADER_SIZE, NULL, 0);
}

/// Takes the answers that have come, at least one read's worth; `times` may be NULL.
static bool take(bench_host *host, pipeline *p, histogram *times, int64_t *now) {
    size_t room = (size_t)p->depth * ANSWER_SIZE - p->answer_bytes;
    ssize_t count;
    do {
        count = recv(host->socket, p->answers + p->answer_bytes, room, 0);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) return host_lost(host, "receive", count);
    p->answer_bytes += (size_t)count;
    *now = bench_now();
    size_t at = 0;
    for (; p->answer_bytes - at >= URB_HEADER_SIZE; at += ANSWER_SIZE) {
        const uint8_t *answer = p->answers + at;
        if (p->in_flight == 0) return host_fail(host, "an answer too many");
        if (get_be32(answer) != URB_SUBMITTED || get_be32(answer + URB_SEQUENCE) != p->expected ||
            get_be32(answer + URB_STATUS) || get_be32(answer + URB_LENGTH) != DEVICE_DESCRIPTOR_SIZE) {
            return host_fail(
                host, "a wrong answer to URB %u (kind %u, URB %u, status %d, %u bytes)", p->expected, get_be32(answer),
                get_be32(answer + URB_SEQUENCE), (int32_t)get_be32(answer + URB_STATUS),
                get_be32(answer + URB_LENGTH));
        }
        if (p->answer_bytes - at < ANSWER_SIZE) break;
        if (memcmp(answer + URB_HEADER_SIZE, host->descriptor, DEVICE_DESCRIPTOR_SIZE)) {
            return host_fail(host, "a wrong device descriptor");
        }
        if (times) note(times, *now - p->sent[p->expected % p->depth]);
        p->expected += 1;
        p->in_flight -= 1;
    }
    p->answer_bytes -= at;
    memmove(p->answers, p->answers + at, p->answer_bytes);
    return true;
}

static bool run_pipeline(bench_host *host, pipeline *p, histogram *times, int64_t end) {
    int64_t now = bench_now();
    while (now < end) {
        if (p->in_flight < p->depth && !submit(host, p, now)) return false;
        if (!take(host, p, times, &now)) return false;
    }
    while (p->in_flight > 0) {
        if (!take(host, p, times, &now)) return false;
    }
    return true;
}

bool bench_host_measure_control(bench_host *host, uint32_t depth, int64_t nanoseconds, bench_figures *figures) {
    if (depth < 1 || depth > MOST_DEPTH) return host_fail(host, "a depth of %u; 1 to %d are possible", depth, MOST_DEPTH);
    pipeline *p = malloc(sizeof *p);
    if (!p) return host_fail(host, "out of memory");
    measurement m;
    bool is_right = open_pipeline(host, p, depth) && run_pipeline(host, p, NULL, bench_now() + 2000000) &&
        begin(host, &m);
    if (is_right) {
        is_right = run_pipeline(host, p, m.times, m.start + nanoseconds);
        is_right = finish(host, &m, is_right, figures);
    }
    free(p->requests);
    free(p->answers);
    free(p);
    return is_right;
}
