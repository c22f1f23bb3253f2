// The bytes of USB/IP 1.1.1 and of the Bulk-Only Transport, as far as the benchmark needs them.
#ifndef WIRE_H
#define WIRE_H

#include <stdint.h>

enum {
    OP_HEADER_SIZE = 8,
    OP_VERSION = 0x0111,
    OP_DEVICE_LIST_REQUEST = 0x8005,
    OP_DEVICE_LIST_REPLY = 0x0005,
    OP_IMPORT_REQUEST = 0x8003,
    OP_IMPORT_REPLY = 0x0003,
    BUS_ID_SIZE = 32,
    RECORD_SIZE = 312,
    RECORD_BUS_ID = 256,
    RECORD_BUS_NUMBER = 288,
    RECORD_DEVICE_NUMBER = 292,
    RECORD_SPEED = 296,
    RECORD_INTERFACE_COUNT = 311,

    URB_HEADER_SIZE = 48,
    URB_SUBMIT = 1,
    URB_UNLINK = 2,
    URB_SUBMITTED = 3,
    URB_UNLINKED = 4,
    URB_SEQUENCE = 4,
    URB_DEVICE = 8,
    URB_DIRECTION = 12,
    URB_ENDPOINT = 16,
    // Flags in a submission.
    URB_STATUS = 20,
    // The buffer's length in a submission, what was moved in an answer.
    URB_LENGTH = 24,
    URB_SETUP = 40,

    CBW_SIZE = 31,
    CBW_SIGNATURE = 0x43425355,
    CSW_SIZE = 13,
    CSW_SIGNATURE = 0x53425355,
    DEVICE_DESCRIPTOR_SIZE = 18,
};

static inline uint16_t get_be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static inline uint32_t get_be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint32_t get_le32(const uint8_t *p) {
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline void put_be16(uint8_t *p, uint16_t value) {
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void put_be32(uint8_t *p, uint32_t value) {
    put_be16(p, (uint16_t)(value >> 16));
    put_be16(p + 2, (uint16_t)value);
}

static inline void put_le32(uint8_t *p, uint32_t value) {
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)(value >> 16);
    p[3] = (uint8_t)(value >> 24);
}

#endif
