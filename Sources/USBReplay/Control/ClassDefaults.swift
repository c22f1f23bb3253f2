import USBCore

/// What a device of a known class answers to requests that hosts make as they please, when the recording lacks them.
///
/// Another host, or the same with another driver, sets idle rates and line codings that the recording does not have;
/// refusing them would keep drivers from binding.
struct ClassDefaults {
    /// The highest logical unit of a disk.
    var lastUnit: UInt8 = 0
    /// By interface, what the host set: 115200 bits, 8 data bits, no parity, 1 stop bit before it did.
    private var lineCodings: [UInt16: [UInt8]] = [:]
    private var idleRates: [UInt16: UInt8] = [:]
    private var protocols: [UInt16: UInt8] = [:]

    init(lastUnit: UInt8 = 0) { self.lastUnit = lastUnit }

    /// The answer; nil where the class has none that does no harm.
    mutating func answer(_ setup: SetupPacket, _ data: [UInt8], interfaceClass: UInt8?) -> Outcome? {
        guard setup.kind == .class, setup.recipient == .interface else { return nil }
        let interface = setup.index & 0xff
        switch (interfaceClass, setup.direction, setup.request) {
        // HID 1.11 §7.2: SET_IDLE, GET_IDLE, SET_PROTOCOL, GET_PROTOCOL.
        case (0x03?, .out, 0x0a):
            idleRates[interface] = UInt8(truncatingIfNeeded: setup.value >> 8)
            return .taken(.success)
        case (0x03?, .in, 0x02): return .answer([idleRates[interface] ?? 0], .success)
        case (0x03?, .out, 0x0b):
            protocols[interface] = UInt8(truncatingIfNeeded: setup.value)
            return .taken(.success)
        case (0x03?, .in, 0x03): return .answer([protocols[interface] ?? 1], .success)
        // Bulk-Only Transport 1.0 §3.1 and §3.2: reset, GET_MAX_LUN.
        case (0x08?, .out, 0xff): return .taken(.success)
        case (0x08?, .in, 0xfe): return .answer([lastUnit], .success)
        // PSTN 1.20 §6.3: SET_LINE_CODING, GET_LINE_CODING, SET_CONTROL_LINE_STATE, SEND_BREAK.
        case (0x02?, .out, 0x20) where data.count == 7:
            lineCodings[interface] = data
            return .taken(.success)
        case (0x02?, .in, 0x21):
            return .answer(lineCodings[interface] ?? [0x00, 0xc2, 0x01, 0x00, 0, 0, 8], .success)
        case (0x02?, .out, 0x22), (0x02?, .out, 0x23): return .taken(.success)
        default: return nil
        }
    }
}
