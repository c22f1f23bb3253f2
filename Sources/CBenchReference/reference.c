// The reference: the least that a thumb drive in user space has to do for each command.
//
// One thread, blocking calls, one client at a time, a RAM disk. One read takes whatever has arrived, one write
// sends whatever is due; READ's data leave straight from the disk and WRITE's arrive straight in it. There is no
// device model: each answer is the shortest way from the request to its bytes. It checks what memory safety needs,
// and otherwise trusts its client, which is the benchmark's own host.
#define _GNU_SOURCE
#include "CBenchReference.h"
#include "wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_SIZE = 64 << 10, BLOCK_SIZE = 512, ENDPOINT_STALLED = -EPIPE };

typedef enum { PHASE_COMMAND, PHASE_DATA_IN, PHASE_DATA_OUT, PHASE_STATUS } phase;

typedef struct {
    int socket;
    uint8_t *disk;
    uint64_t disk_size;

    uint8_t *input;
    size_t input_start, input_end;
    uint8_t *output;
    size_t output_size;

    phase phase;
    // What the data phase still has to move.
    uint8_t *data;
    uint32_t data_left;
    uint8_t answer[64];
    uint8_t csw[CSW_SIZE];
} drive;

static const uint8_t device_descriptor[DEVICE_DESCRIPTOR_SIZE] = {
    18, 1, 0x00, 0x02, 0, 0, 0, 64, 0x09, 0x12, 0x73, 0x6d, 0x00, 0x01, 0, 0, 0, 1,
};

static const uint8_t configuration_descriptor[32] = {
    9, 2, 32, 0, 1, 1, 0, 0x80, 50,             // configuration 1, bus-powered, 100 mA
    9, 4, 0, 0, 2, 0x08, 0x06, 0x50, 0,         // interface 0: mass storage, SCSI, Bulk-Only
    7, 5, 0x81, 2, 0x00, 0x02, 0,               // bulk IN 1, 512 bytes
    7, 5, 0x02, 2, 0x00, 0x02, 0,               // bulk OUT 2, 512 bytes
};

// MARK: Sending

/// Sends what has gathered, then `size` bytes from where they are.
static bool flush(drive *d, const uint8_t *data, size_t size) {
    struct iovec parts[2] = {{d->output, d->output_size}, {(void *)data, size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    size_t left = d->output_size + size;
    d->output_size = 0;
    while (left > 0) {
        ssize_t sent = sendmsg(d->socket, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return false;
        left -= (size_t)sent;
        for (int i = 0; i < 2; i += 1) {
            size_t part = (size_t)sent < parts[i].iov_len ? (size_t)sent : parts[i].iov_len;
            parts[i].iov_base = (uint8_t *)parts[i].iov_base + part;
            parts[i].iov_len -= part;
            sent -= (ssize_t)part;
        }
    }
    return true;
}

/// Answers a URB; small data gather with the answers before and after, large data leave at once.
static bool answer(drive *d, const uint8_t *request, int32_t status, uint32_t moved, const uint8_t *data) {
    size_t copied = data && moved <= 512 ? moved : 0;
    if (d->output_size + URB_HEADER_SIZE + copied > BUFFER_SIZE && !flush(d, NULL, 0)) return false;
    uint8_t *header = d->output + d->output_size;
    memset(header, 0, URB_HEADER_SIZE);
    put_be32(header, get_be32(request) == URB_UNLINK ? URB_UNLINKED : URB_SUBMITTED);
    memcpy(header + URB_SEQUENCE, request + URB_SEQUENCE, 4);
    put_be32(header + URB_STATUS, (uint32_t)status);
    put_be32(header + URB_LENGTH, moved);
    d->output_size += URB_HEADER_SIZE;
    if (copied) memcpy(header + URB_HEADER_SIZE, data, copied);
    d->output_size += copied;
    return !data || copied == moved || flush(d, data, moved);
}

// MARK: Receiving

/// Waits until at least `size` (at most BUFFER_SIZE) bytes are in the input buffer.
static bool fill(drive *d, size_t size) {
    size_t have = d->input_end - d->input_start;
    if (have >= size) return true;
    memmove(d->input, d->input + d->input_start, have);
    d->input_start = 0;
    d->input_end = have;
    if (d->output_size && !flush(d, NULL, 0)) return false;
    while (d->input_end < size) {
        ssize_t count = recv(d->socket, d->input + d->input_end, BUFFER_SIZE - d->input_end, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        d->input_end += (size_t)count;
    }
    return true;
}

/// Takes a header to the input buffer and what follows it to where the data phase wants it.
///
/// Returns how many bytes have landed there, or a negative number when the stream has ended. A host has one command
/// in flight, so what follows are data; should they not be, `data_out` puts them back.
static ssize_t receive_header_and_data(drive *d) {
    size_t have = d->input_end - d->input_start;
    memmove(d->input, d->input + d->input_start, have);
    d->input_start = 0;
    d->input_end = have;
    if (have >= URB_HEADER_SIZE) return 0;
    if (d->output_size && !flush(d, NULL, 0)) return -1;
    while (d->input_end < URB_HEADER_SIZE) {
        size_t missing = URB_HEADER_SIZE - d->input_end;
        struct iovec parts[2] = {{d->input + d->input_end, missing}, {d->data, d->data_left}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        ssize_t count = recvmsg(d->socket, &message, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return -1;
        if ((size_t)count >= missing) {
            d->input_end = URB_HEADER_SIZE;
            return count - (ssize_t)missing;
        }
        d->input_end += (size_t)count;
    }
    return 0;
}

// MARK: Control transfers

static bool control(drive *d, const uint8_t *request, bool in, uint32_t length) {
    const uint8_t *setup = request + URB_SETUP;
    const uint8_t *data = NULL;
    uint32_t size = 0;
    static const uint8_t zero = 0;
    if (setup[1] == 0x06 && setup[3] == 1) {
        data = device_descriptor;
        size = sizeof device_descriptor;
    } else if (setup[1] == 0x06 && setup[3] == 2) {
        data = configuration_descriptor;
        size = sizeof configuration_descriptor;
    } else if (setup[0] == 0xa1 && setup[1] == 0xfe) {
        data = &zero;
        size = 1;
    } else if (in) {
        return answer(d, request, ENDPOINT_STALLED, 0, NULL);
    }
    if (!in) return answer(d, request, 0, length, NULL);
    return answer(d, request, 0, size < length ? size : length, data);
}

// MARK: The Bulk-Only Transport

static void prepare(drive *d, uint32_t size, phase next) {
    d->data = d->answer;
    d->data_left = size;
    d->phase = next;
}

/// Prepares what a command block wrapper asks for; false when it is not one.
static bool begin_command(drive *d, const uint8_t *cbw) {
    if (get_le32(cbw) != CBW_SIGNATURE) return false;
    uint32_t wanted = get_le32(cbw + 8), residue = 0;
    const uint8_t *cdb = cbw + 15;
    uint8_t status = 0;
    memset(d->answer, 0, sizeof d->answer);
    d->phase = PHASE_STATUS;
    d->data_left = 0;
    switch (cdb[0]) {
    case 0x28:  // READ(10)
    case 0x2a:  // WRITE(10)
    {
        uint64_t offset = (uint64_t)get_be32(cdb + 2) * BLOCK_SIZE;
        uint32_t size = (uint32_t)get_be16(cdb + 7) * BLOCK_SIZE;
        if (size != wanted || offset > d->disk_size || size > d->disk_size - offset) {
            status = 1;
            break;
        }
        d->data = d->disk + offset;
        d->data_left = size;
        if (size) d->phase = cdb[0] == 0x28 ? PHASE_DATA_IN : PHASE_DATA_OUT;
        break;
    }
    case 0x00:  // TEST UNIT READY
    case 0x35:  // SYNCHRONIZE CACHE(10)
        break;
    case 0x03:  // REQUEST SENSE
        d->answer[0] = 0x70;
        d->answer[7] = 10;
        prepare(d, 18, PHASE_DATA_IN);
        break;
    case 0x12:  // INQUIRY
        memcpy(d->answer, "\x00\x80\x06\x02\x1f\0\0\0BENCH   REFERENCE       1.0 ", 36);
        prepare(d, 36, PHASE_DATA_IN);
        break;
    case 0x1a:  // MODE SENSE(6)
        d->answer[0] = 3;
        prepare(d, 4, PHASE_DATA_IN);
        break;
    case 0x25:  // READ CAPACITY(10)
        put_be32(d->answer, (uint32_t)(d->disk_size / BLOCK_SIZE - 1));
        put_be32(d->answer + 4, BLOCK_SIZE);
        prepare(d, 8, PHASE_DATA_IN);
        break;
    default:
        status = 1;
    }
    if (d->data_left > wanted) d->data_left = wanted;
    residue = wanted - d->data_left;
    // Data that the host waits for and that do not exist: an empty packet ends its wait.
    if (d->phase == PHASE_STATUS && wanted && cbw[12] & 0x80) prepare(d, 0, PHASE_DATA_IN);
    put_le32(d->csw, CSW_SIGNATURE);
    memcpy(d->csw + 4, cbw + 4, 4);
    put_le32(d->csw + 8, residue);
    d->csw[12] = status;
    return true;
}

static bool bulk_in(drive *d, const uint8_t *request, uint32_t length) {
    if (d->phase == PHASE_DATA_IN) {
        uint32_t size = length < d->data_left ? length : d->data_left;
        const uint8_t *data = d->data;
        d->data += size;
        d->data_left -= size;
        if (d->data_left == 0) d->phase = PHASE_STATUS;
        return answer(d, request, 0, size, data);
    }
    if (d->phase != PHASE_STATUS || length < CSW_SIZE) return answer(d, request, ENDPOINT_STALLED, 0, NULL);
    d->phase = PHASE_COMMAND;
    return answer(d, request, 0, CSW_SIZE, d->csw);
}

/// Takes one URB in the middle of a WRITE.
static bool data_out(drive *d) {
    ssize_t got = receive_header_and_data(d);
    if (got < 0) return false;
    size_t landed = (size_t)got;
    uint8_t header[URB_HEADER_SIZE];
    memcpy(header, d->input, sizeof header);
    d->input_start = URB_HEADER_SIZE;
    bool is_data = get_be32(header) == URB_SUBMIT && get_be32(header + URB_ENDPOINT) == 2;
    uint32_t length = get_be32(header + URB_LENGTH), size = is_data ? length : 0;
    if (size > d->data_left) return false;

    size_t early = d->input_end - d->input_start;
    if (landed > size) {
        if (landed - size > BUFFER_SIZE - d->input_end) return false;
        memcpy(d->input + d->input_end, d->data + size, landed - size);
        d->input_end += landed - size;
        landed = size;
    } else if (landed == 0 && early > 0) {
        landed = early < size ? early : size;
        memcpy(d->data, d->input + d->input_start, landed);
        d->input_start += landed;
    }
    while (landed < size) {
        ssize_t count = recv(d->socket, d->data + landed, size - landed, MSG_WAITALL);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        landed += (size_t)count;
    }
    if (!is_data) {
        if (get_be32(header) == URB_UNLINK) return answer(d, header, 0, 0, NULL);
        bool in = get_be32(header + URB_DIRECTION) != 0;
        // Anything but a control transfer is out of turn.
        if (get_be32(header + URB_ENDPOINT) == 0 && (in || length == 0)) return control(d, header, in, length);
        return in && answer(d, header, ENDPOINT_STALLED, 0, NULL);
    }
    d->data += size;
    d->data_left -= size;
    if (d->data_left == 0) d->phase = PHASE_STATUS;
    return answer(d, header, 0, size, NULL);
}

// MARK: The connection

static void serve_urbs(drive *d) {
    for (;;) {
        if (d->phase == PHASE_DATA_OUT) {
            if (!data_out(d)) return;
            continue;
        }
        if (!fill(d, URB_HEADER_SIZE)) return;
        const uint8_t *request = d->input + d->input_start;
        uint32_t command = get_be32(request), length = get_be32(request + URB_LENGTH);
        bool in = get_be32(request + URB_DIRECTION) != 0;
        if (command == URB_UNLINK) {
            d->input_start += URB_HEADER_SIZE;
            if (!answer(d, request, 0, 0, NULL)) return;
            continue;
        }
        if (command != URB_SUBMIT || (!in && length > 4096)) return;
        size_t size = URB_HEADER_SIZE + (in ? 0 : length);
        if (!fill(d, size)) return;
        request = d->input + d->input_start;
        d->input_start += size;
        if (get_be32(request + URB_ENDPOINT) == 0) {
            if (!control(d, request, in, length)) return;
        } else if (in) {
            if (!bulk_in(d, request, length)) return;
        } else {
            if (d->phase != PHASE_COMMAND || length != CBW_SIZE) return;
            if (!begin_command(d, request + URB_HEADER_SIZE) || !answer(d, request, 0, length, NULL)) return;
        }
    }
}

/// Answers the import of `1-1`; false when the client wants anything else.
static bool serve_import(drive *d) {
    if (!fill(d, OP_HEADER_SIZE + BUS_ID_SIZE)) return false;
    const uint8_t *request = d->input + d->input_start;
    d->input_start += OP_HEADER_SIZE + BUS_ID_SIZE;
    if (get_be16(request + 2) != OP_IMPORT_REQUEST) return false;
    uint8_t reply[OP_HEADER_SIZE + RECORD_SIZE] = {0};
    put_be16(reply, OP_VERSION);
    put_be16(reply + 2, OP_IMPORT_REPLY);
    uint8_t *record = reply + OP_HEADER_SIZE;
    memcpy(record, "/sys/devices/reference/1-1", 27);
    memcpy(record + RECORD_BUS_ID, "1-1", 4);
    put_be32(record + RECORD_BUS_NUMBER, 1);
    put_be32(record + RECORD_DEVICE_NUMBER, 2);
    put_be32(record + RECORD_SPEED, 3);
    record[RECORD_INTERFACE_COUNT] = 1;
    return flush(d, reply, sizeof reply);
}

int bench_reference_serve(int descriptor, uint64_t bytes) {
    if (bytes < BLOCK_SIZE || bytes % BLOCK_SIZE || bytes / BLOCK_SIZE > UINT32_MAX) return EINVAL;
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, 16) ||
        getsockname(listener, (struct sockaddr *)&address, &size))
        return errno;
    drive d = {
        .disk = calloc(1, bytes), .disk_size = bytes, .input = malloc(BUFFER_SIZE), .output = malloc(BUFFER_SIZE),
    };
    if (!d.disk || !d.input || !d.output) return ENOMEM;
    if (!bench_write_number(descriptor, ntohs(address.sin_port))) return EPIPE;
    for (;;) {
        d.socket = accept(listener, NULL, NULL);
        if (d.socket < 0) continue;
        setsockopt(d.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        d.input_start = d.input_end = d.output_size = d.data_left = 0;
        d.phase = PHASE_COMMAND;
        if (serve_import(&d)) serve_urbs(&d);
        close(d.socket);
    }
}
