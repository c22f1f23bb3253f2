// How a host gets at a drive: the list, the import, enumeration, and what makes a disk ready.
#define _GNU_SOURCE
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool request(bench_host *host, uint16_t code, const uint8_t *body, size_t size, uint16_t reply_code) {
    uint8_t header[OP_HEADER_SIZE] = {0};
    put_be16(header, OP_VERSION);
    put_be16(header + 2, code);
    if (!host_send(host, header, sizeof header, body, size)) return false;
    if (!host_receive(host, header, sizeof header, NULL, 0, sizeof header)) return false;
    if (get_be16(header) != OP_VERSION || get_be16(header + 2) != reply_code) {
        return host_fail(host, "an answer 0x%04x to request 0x%04x", get_be16(header + 2), code);
    }
    if (get_be32(header + 4)) return host_fail(host, "the server refuses, status %u", get_be32(header + 4));
    return true;
}

static bool list(bench_host *host, uint32_t *count) {
    uint8_t number[4], record[RECORD_SIZE], interface[4];
    if (!request(host, OP_DEVICE_LIST_REQUEST, NULL, 0, OP_DEVICE_LIST_REPLY)) return false;
    if (!host_receive(host, number, sizeof number, NULL, 0, sizeof number)) return false;
    *count = get_be32(number);
    if (*count > 1 << 20) return host_fail(host, "a list of %u devices", *count);
    for (uint32_t i = 0; i < *count; i += 1) {
        if (!host_receive(host, record, sizeof record, NULL, 0, sizeof record)) return false;
        for (int n = record[RECORD_INTERFACE_COUNT]; n > 0; n -= 1) {
            if (!host_receive(host, interface, sizeof interface, NULL, 0, sizeof interface)) return false;
        }
    }
    return true;
}

int bench_list(uint16_t port, char *error, size_t error_size) {
    bench_host host = {.socket = -1};
    uint32_t count = 0;
    bool is_done = host_connect(&host, port) && list(&host, &count);
    if (host.socket >= 0) close(host.socket);
    if (is_done) return (int)count;
    snprintf(error, error_size, "%s", host.error);
    return -1;
}

// MARK: Enumeration

static bool read_descriptor(bench_host *host, uint8_t type, uint8_t *data, uint16_t length) {
    uint8_t setup[8] = {0x80, 6, 0, type, 0, 0, (uint8_t)length, (uint8_t)(length >> 8)};
    int32_t status;
    uint32_t moved;
    if (!host_transfer(host, 0, true, setup, data, length, &status, &moved)) return false;
    if (status == 0 && moved == length) return true;
    return host_fail(host, "descriptor %u came with %u of %u bytes, status %d", type, moved, length, status);
}

static bool find_endpoints(bench_host *host, const uint8_t *configuration, size_t size) {
    bool is_drive = false;
    for (size_t at = 0; at + 2 <= size && configuration[at] >= 2; at += configuration[at]) {
        const uint8_t *part = configuration + at;
        if (part[0] > size - at) break;
        if (part[1] == 4 && part[0] >= 9) is_drive = part[5] == 8 && part[6] == 6 && part[7] == 0x50;
        if (part[1] != 5 || part[0] < 7 || !is_drive || (part[3] & 3) != 2) continue;
        if (part[2] & 0x80) host->endpoint_in = part[2] & 15;
        else host->endpoint_out = part[2] & 15;
    }
    return (host->endpoint_in && host->endpoint_out) || host_fail(host, "the device is no Bulk-Only drive");
}

static bool enumerate(bench_host *host) {
    uint8_t configuration[1024];
    int32_t status;
    uint32_t moved;
    if (!read_descriptor(host, 1, host->descriptor, sizeof host->descriptor)) return false;
    if (!read_descriptor(host, 2, configuration, 9)) return false;
    uint16_t size = (uint16_t)(configuration[2] | configuration[3] << 8);
    if (size < 9 || size > sizeof configuration) return host_fail(host, "a configuration of %u bytes", size);
    if (!read_descriptor(host, 2, configuration, size)) return false;
    if (!find_endpoints(host, configuration, size)) return false;
    uint8_t setup[8] = {0x00, 9, configuration[5]};
    if (!host_transfer(host, 0, false, setup, NULL, 0, &status, &moved)) return false;
    return status == 0 || host_fail(host, "the configuration was refused with status %d", status);
}

static bool make_ready(bench_host *host) {
    uint8_t inquiry[36], sense[18], capacity[8], status = 1;
    const uint8_t inquire[6] = {0x12, 0, 0, 0, sizeof inquiry};
    const uint8_t test[6] = {0x00}, explain[6] = {0x03, 0, 0, 0, sizeof sense}, measure[10] = {0x25};
    if (!host_command(host, inquire, sizeof inquire, true, inquiry, sizeof inquiry, NULL)) return false;
    // A new medium is announced by refusing the first commands.
    for (int attempt = 0; attempt < 8; attempt += 1) {
        if (!host_command(host, test, sizeof test, false, NULL, 0, &status)) return false;
        if (status == 0) break;
        uint8_t ignored;
        if (!host_command(host, explain, sizeof explain, true, sense, sizeof sense, &ignored)) return false;
    }
    if (status) return host_fail(host, "the drive does not become ready");
    if (!host_command(host, measure, sizeof measure, true, capacity, sizeof capacity, NULL)) return false;
    host->blocks = (uint64_t)get_be32(capacity) + 1;
    host->block_size = get_be32(capacity + 4);
    if (host->block_size >= 512 && host->block_size <= 4096 && host->blocks * host->block_size >= MIB) return true;
    return host_fail(
        host, "a capacity of %llu blocks of %u bytes", (unsigned long long)host->blocks, host->block_size);
}

static bool import(bench_host *host, const char *bus_id) {
    uint8_t name[BUS_ID_SIZE] = {0}, record[RECORD_SIZE];
    strncpy((char *)name, bus_id, BUS_ID_SIZE - 1);
    if (!request(host, OP_IMPORT_REQUEST, name, sizeof name, OP_IMPORT_REPLY)) return false;
    if (!host_receive(host, record, sizeof record, NULL, 0, sizeof record)) return false;
    if (memcmp(record + RECORD_BUS_ID, name, BUS_ID_SIZE)) return host_fail(host, "another device was imported");
    host->device = get_be32(record + RECORD_BUS_NUMBER) << 16 | get_be32(record + RECORD_DEVICE_NUMBER);
    return true;
}

bench_host *bench_host_open(uint16_t port, const char *bus_id, pid_t server, char *error, size_t error_size) {
    bench_host *host = calloc(1, sizeof *host);
    if (!host) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    host->socket = -1;
    host->server = server;
    host->sequence = 1;
    host->pattern = malloc(MIB);
    host->buffer = calloc(1, MIB);
    if (!host->pattern || !host->buffer) {
        host_fail(host, "out of memory");
    } else if (
        host_connect(host, port) && import(host, bus_id) && enumerate(host) && make_ready(host)
    ) {
        return host;
    }
    snprintf(error, error_size, "%s", host->error);
    bench_host_close(host);
    return NULL;
}

void bench_host_close(bench_host *host) {
    if (host->socket >= 0) close(host->socket);
    free(host->pattern);
    free(host->buffer);
    free(host);
}

const char *bench_host_error(const bench_host *host) { return host->error; }

uint64_t bench_host_capacity(const bench_host *host) { return host->blocks * host->block_size; }
