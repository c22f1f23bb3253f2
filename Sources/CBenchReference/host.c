// A host: the connection, URBs, and SCSI commands over the Bulk-Only Transport, every answer checked.
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool host_fail(bench_host *host, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(host->error, sizeof host->error, format, arguments);
    va_end(arguments);
    return false;
}

bool host_lost(bench_host *host, const char *doing, ssize_t result) {
    if (result == 0) return host_fail(host, "the server closed the connection");
    if (errno == EAGAIN) return host_fail(host, "no answer within %d s", ANSWER_SECONDS);
    return host_fail(host, "cannot %s: %s", doing, strerror(errno));
}

uint64_t host_random(bench_host *host) {
    // splitmix64: every seed is good, and it costs nothing.
    uint64_t value = host->random += 0x9e3779b97f4a7c15;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

// MARK: The connection

/// Drops what has been moved from the front of the pieces.
static void advance(struct iovec *parts, int count, size_t moved) {
    for (int i = 0; i < count; i += 1) {
        size_t part = moved < parts[i].iov_len ? moved : parts[i].iov_len;
        parts[i].iov_base = (uint8_t *)parts[i].iov_base + part;
        parts[i].iov_len -= part;
        moved -= part;
    }
}

bool host_send(bench_host *host, const void *first, size_t first_size, const void *second, size_t second_size) {
    struct iovec parts[2] = {{(void *)first, first_size}, {(void *)second, second_size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = second_size ? 2 : 1};
    size_t left = first_size + second_size;
    while (left > 0) {
        ssize_t count = sendmsg(host->socket, &message, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return host_lost(host, "send", -1);
        left -= (size_t)count;
        advance(parts, 2, (size_t)count);
    }
    return true;
}

size_t host_receive(
    bench_host *host, void *first, size_t first_size, void *second, size_t second_size, size_t least
) {
    struct iovec parts[2] = {{first, first_size}, {second, second_size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = second_size ? 2 : 1};
    size_t received = 0;
    while (received < least) {
        ssize_t count = recvmsg(host->socket, &message, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            host_lost(host, "receive", count);
            return 0;
        }
        received += (size_t)count;
        advance(parts, 2, (size_t)count);
    }
    return received;
}

bool host_connect(bench_host *host, uint16_t port) {
    host->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (host->socket < 0) return host_lost(host, "make a socket", -1);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    int on = 1;
    setsockopt(host->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(host->socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(host->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(host->socket, (struct sockaddr *)&address, sizeof address)) return host_lost(host, "connect", -1);
    return true;
}

// MARK: URBs

bool host_transfer(
    bench_host *host, uint8_t endpoint, bool in, const uint8_t *setup, void *data, uint32_t length, int32_t *status,
    uint32_t *moved
) {
    uint8_t header[URB_HEADER_SIZE] = {0};
    uint32_t sequence = host->sequence++;
    put_be32(header, URB_SUBMIT);
    put_be32(header + URB_SEQUENCE, sequence);
    put_be32(header + URB_DEVICE, host->device);
    put_be32(header + URB_DIRECTION, in);
    put_be32(header + URB_ENDPOINT, endpoint);
    put_be32(header + URB_LENGTH, length);
    if (setup) memcpy(header + URB_SETUP, setup, 8);
    if (!host_send(host, header, sizeof header, data, in ? 0 : length)) return false;

    // Nothing else is on its way, so whatever comes belongs to this answer.
    size_t received = host_receive(host, header, sizeof header, data, in ? length : 0, sizeof header);
    if (received == 0) return false;
    if (get_be32(header) != URB_SUBMITTED) return host_fail(host, "an answer of kind %u", get_be32(header));
    if (get_be32(header + URB_SEQUENCE) != sequence) {
        return host_fail(
            host, "an answer to URB %u instead of %u", get_be32(header + URB_SEQUENCE), sequence);
    }
    *status = (int32_t)get_be32(header + URB_STATUS);
    *moved = get_be32(header + URB_LENGTH);
    if (*moved > length) return host_fail(host, "an answer that claims %u of %u bytes", *moved, length);
    if (!in) return true;
    size_t data_received = received - sizeof header;
    if (data_received > *moved) return host_fail(host, "more bytes than the answer says");
    if (data_received == *moved) return true;
    size_t rest = *moved - data_received;
    return host_receive(host, (uint8_t *)data + data_received, rest, NULL, 0, rest) == rest;
}

// MARK: Commands

static bool clear_halt(bench_host *host, uint8_t address) {
    uint8_t setup[8] = {0x02, 1, 0, 0, address};
    int32_t status;
    uint32_t moved;
    if (!host_transfer(host, 0, false, setup, NULL, 0, &status, &moved)) return false;
    return status == 0 || host_fail(host, "clearing a halt failed with status %d", status);
}

static bool receive_csw(bench_host *host, uint8_t csw[CSW_SIZE]) {
    int32_t status;
    uint32_t moved;
    for (int attempt = 0;; attempt += 1) {
        if (!host_transfer(host, host->endpoint_in, true, NULL, csw, CSW_SIZE, &status, &moved)) return false;
        if (status == 0 && moved == CSW_SIZE) break;
        // One stall may come before it (Bulk-Only Transport, figure 2).
        if (status != STATUS_STALLED || attempt > 0) {
            return host_fail(host, "a command status of %u bytes, URB status %d", moved, status);
        }
        if (!clear_halt(host, host->endpoint_in | 0x80)) return false;
    }
    if (get_le32(csw) != CSW_SIGNATURE) return host_fail(host, "a command status without its signature");
    if (get_le32(csw + 4) != host->tag) {
        return host_fail(host, "the status of command %u instead of %u", get_le32(csw + 4), host->tag);
    }
    return true;
}

bool host_command(
    bench_host *host, const uint8_t *cdb, uint8_t cdb_size, bool in, void *data, uint32_t length,
    uint8_t *csw_status
) {
    uint8_t cbw[CBW_SIZE] = {0}, csw[CSW_SIZE];
    int32_t status;
    uint32_t moved;
    host->tag += 1;
    put_le32(cbw, CBW_SIGNATURE);
    put_le32(cbw + 4, host->tag);
    put_le32(cbw + 8, length);
    cbw[12] = in ? 0x80 : 0;
    cbw[14] = cdb_size;
    memcpy(cbw + 15, cdb, cdb_size);
    if (!host_transfer(host, host->endpoint_out, false, NULL, cbw, CBW_SIZE, &status, &moved)) return false;
    if (status || moved != CBW_SIZE) {
        return host_fail(host, "a command wrapper was answered with status %d, %u bytes", status, moved);
    }
    if (length > 0) {
        uint8_t endpoint = in ? host->endpoint_in : host->endpoint_out;
        if (!host_transfer(host, endpoint, in, NULL, data, length, &status, &moved)) return false;
        if (status == STATUS_STALLED && csw_status) {
            if (!clear_halt(host, endpoint | (in ? 0x80 : 0))) return false;
        } else if (status || (!csw_status && moved != length)) {
            return host_fail(host, "command 0x%02x moved %u of %u bytes, URB status %d", cdb[0], moved, length, status);
        }
    }
    if (!receive_csw(host, csw)) return false;
    if (csw_status) {
        *csw_status = csw[12];
        return true;
    }
    if (csw[12] || get_le32(csw + 8)) {
        return host_fail(host, "command 0x%02x ended with status %u, residue %u", cdb[0], csw[12], get_le32(csw + 8));
    }
    return true;
}

bool host_move(bench_host *host, bool in, uint64_t offset, void *data, uint32_t bytes) {
    uint8_t cdb[10] = {in ? 0x28 : 0x2a};
    put_be32(cdb + 2, (uint32_t)(offset / host->block_size));
    put_be16(cdb + 7, (uint16_t)(bytes / host->block_size));
    return host_command(host, cdb, sizeof cdb, in, data, bytes, NULL);
}
