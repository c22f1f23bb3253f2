import TestSupport
import Testing
import USBCore
import USBIPWire

@Suite("URB phase")
struct URBPhaseTests {
    @Test("CMD_SUBMIT: the read of a device descriptor that begins every enumeration")
    func submit() throws {
        let golden = try hex(
            """
            00000001  // command: CMD_SUBMIT
            00000001  // seqnum
            00010002  // devid
            00000001  // direction: IN
            00000000  // ep
            00000200  // transfer_flags: URB_DIR_IN
            00000040  // transfer_buffer_length
            00000000  // start_frame
            00000000  // number_of_packets
            00000000  // interval
            80 06 0001 0000 4000  // setup, little-endian: GET_DESCRIPTOR(device), 64
            """)
        let command = SubmitCommand(
            sequence: 1, deviceID: 0x0001_0002, direction: 1, endpoint: 0, flags: 0x200, length: 64,
            setup: SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 64))
        #expect(bytes(of: command) == golden)
        #expect(
            unsafe golden.withUnsafeBytes { unsafe $0.baseAddress.map { unsafe SubmitCommand(header: $0) } } == command)
    }

    @Test("CMD_SUBMIT: signed fields are two's complement")
    func signedFields() throws {
        let golden = try hex(
            """
            00000001 ffffffff 00010002 00000000 0000000f
            00000002  // transfer_flags: ISO_ASAP
            7fffffff  // transfer_buffer_length
            ffffffff  // start_frame
            ffffffff  // number_of_packets, as usbip-win2 has it
            80000000  // interval
            00*8
            """)
        let command = SubmitCommand(
            sequence: .max, deviceID: 0x0001_0002, direction: 0, endpoint: 15, flags: 2, length: .max, startFrame: -1,
            packetCount: -1, interval: .min)
        #expect(bytes(of: command) == golden)
    }

    @Test(
        "RET_SUBMIT: success with 18 bytes, a stall, isochronous packets",
        arguments: [
            (
                SubmitReturn(sequence: 1, actualLength: 18),
                """
                00000003           // command: RET_SUBMIT
                00000001           // seqnum
                00000000 00000000 00000000  // devid, direction, ep: zero in answers
                00000000           // status
                00000012           // actual_length
                00000000 00000000  // start_frame, number_of_packets
                00000000 00*8      // error_count, padding
                """
            ),
            (
                SubmitReturn(sequence: 0x0d, status: -32),
                "00000003 0000000d 00*12 ffffffe0 00000000 00000000 00000000 00000000 00*8"
            ),
            (
                SubmitReturn(sequence: 2, actualLength: 9, startFrame: 7, packetCount: 3, errorCount: 1),
                "00000003 00000002 00*12 00000000 00000009 00000007 00000003 00000001 00*8"
            ),
        ])
    func submitReturn(answer: SubmitReturn, text: String) throws {
        let golden = try hex(text)
        #expect(unsafe written(48) { unsafe answer.encode(to: $0) } == golden)
        #expect(
            unsafe golden.withUnsafeBytes { unsafe $0.baseAddress.map { unsafe SubmitReturn(header: $0) } } == answer)
    }

    @Test(
        "CMD_UNLINK and RET_UNLINK",
        arguments: [
            (
                UnlinkMessage(sequence: 0x0d, deviceID: 0x0001_0002, argument: 0x0c), URBCommand.unlink,
                """
                00000002           // command: CMD_UNLINK
                0000000d           // seqnum
                00010002           // devid
                00000000 00000000  // direction, ep: zero whatever the victim is
                0000000c           // the victim's seqnum
                00*24              // padding
                """
            ),
            (
                UnlinkMessage(sequence: 0x0d, argument: 0xffff_ff98), .returnUnlink,
                "00000004 0000000d 00*12 ffffff98 00*24  // -ECONNRESET: taken back"
            ),
            (
                UnlinkMessage(sequence: 0x0d, argument: 0), .returnUnlink,
                "00000004 0000000d 00*12 00000000 00*24  // too late"
            ),
        ])
    func unlink(message: UnlinkMessage, command: URBCommand, text: String) throws {
        let golden = try hex(text)
        #expect(unsafe written(48) { unsafe message.encode(to: $0, as: command) } == golden)
        #expect(
            unsafe golden.withUnsafeBytes { unsafe $0.baseAddress.map { unsafe UnlinkMessage(header: $0) } } == message)
    }

    @Test("an isochronous packet descriptor, with the status that Linux puts into commands")
    func packet() throws {
        let golden = try hex(
            """
            00000000  // offset
            00000400  // length
            00000000  // actual_length
            ffffffee  // status: -EXDEV
            """)
        let packet = PacketDescriptor(offset: 0, length: 0x400, status: -18)
        #expect(bytes(of: packet) == golden)
        #expect(
            unsafe golden.withUnsafeBytes { unsafe $0.baseAddress.map { unsafe PacketDescriptor(bytes: $0) } } == packet
        )
    }

    @Test("headers survive the wire at any alignment", arguments: 1...50 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let submit = SubmitCommand(
            sequence: random.any(), deviceID: random.any(), direction: random.any(), endpoint: random.any(),
            flags: random.any(), length: random.any(), startFrame: random.any(), packetCount: random.any(),
            interval: random.any(), setup: SetupPacket(littleEndian: random.any()))
        let answer = SubmitReturn(
            sequence: random.any(), status: random.any(), actualLength: random.any(), startFrame: random.any(),
            packetCount: random.any(), errorCount: random.any())
        let unlink = UnlinkMessage(sequence: random.any(), deviceID: random.any(), argument: random.any())
        let packet = PacketDescriptor(
            offset: random.any(), length: random.any(), actualLength: random.any(), status: random.any())
        for shift in 0..<8 {
            var memory = [UInt8](repeating: 0xee, count: 64)
            unsafe memory.withUnsafeMutableBytes { memory in
                guard let start = memory.baseAddress else { return }
                let place = unsafe start + shift
                unsafe submit.encode(to: place)
                #expect(unsafe SubmitCommand(header: UnsafeRawPointer(place)) == submit)
                unsafe answer.encode(to: place)
                #expect(unsafe SubmitReturn(header: UnsafeRawPointer(place)) == answer)
                unsafe unlink.encode(to: place, as: .unlink)
                #expect(unsafe UnlinkMessage(header: UnsafeRawPointer(place)) == unlink)
                unsafe packet.encode(to: place)
                #expect(unsafe PacketDescriptor(bytes: UnsafeRawPointer(place)) == packet)
            }
            #expect(memory[..<shift].allSatisfy { $0 == 0xee } && memory[(shift + 48)...].allSatisfy { $0 == 0xee })
        }
    }

    @Test("command numbers are the protocol's")
    func commands() {
        #expect(URBCommand(rawValue: 1) == .submit && URBCommand(rawValue: 2) == .unlink)
        #expect(URBCommand(rawValue: 3) == .returnSubmit && URBCommand(rawValue: 4) == .returnUnlink)
        #expect(URBCommand(rawValue: 0) == nil && URBCommand(rawValue: 5) == nil)
    }
}
