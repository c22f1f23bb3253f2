#pragma once
#include <libusb.h>

// Swift does not show the array without a size at the end of a struct.
static inline struct libusb_iso_packet_descriptor *clibusb_packets(struct libusb_transfer *transfer)
{
    return transfer->iso_packet_desc;
}
