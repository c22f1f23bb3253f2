import Testing
import USBCore

@Suite struct SetupPacketTests {
    @Test func fieldsAreLittleEndianInTheOrderOfTheBus() {
        // GET_DESCRIPTOR(device), 18 bytes: 80 06 00 01 00 00 12 00.
        let packet = SetupPacket(littleEndian: 0x0012_0000_0100_0680)
        #expect(packet == SetupPacket(requestType: 0x80, request: 0x06, value: 0x0100, index: 0, length: 18))
        #expect(packet.littleEndian == 0x0012_0000_0100_0680)
    }

    @Test(arguments: 0..<64) func bytesSurviveTheRoundTrip(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bytes = generator.next()
        #expect(SetupPacket(littleEndian: bytes).littleEndian == bytes)
    }

    @Test(
        arguments: [
            (0x00, Direction.out, SetupPacket.Kind.standard, SetupPacket.Recipient.device),
            (0x81, .in, .standard, .interface),
            (0x02, .out, .standard, .endpoint),
            (0xa1, .in, .class, .interface),
            (0x43, .out, .vendor, .other),
            (0xff, .in, .reserved, SetupPacket.Recipient(rawValue: 31)),
        ] as [(UInt8, Direction, SetupPacket.Kind, SetupPacket.Recipient)])
    func requestTypeSplitsIntoThree(
        _ type: UInt8, _ direction: Direction, _ kind: SetupPacket.Kind, _ recipient: SetupPacket.Recipient
    ) {
        let packet = SetupPacket(requestType: type, request: 0)
        #expect(packet.direction == direction)
        #expect(packet.kind == kind)
        #expect(packet.recipient == recipient)
    }

    @Test func descriptionNamesTheFields() {
        let packet = SetupPacket(requestType: 0x80, request: 0x06, value: 0x0100, length: 18)
        #expect(packet.description == "80 06 wValue 0100 wIndex 0000 wLength 18")
    }
}

@Suite struct SpeedTests {
    @Test func numbersAreThoseOfTheLinuxKernel() {
        #expect(Speed.allCases.map(\.rawValue) == [1, 2, 3, 5, 6])
        #expect(Speed(rawValue: 4) == nil, "4 is wireless USB")
    }

    @Test func superSpeedBeginsAtFiveGigabits() {
        #expect(Speed.allCases.filter(\.isSuperSpeed) == [.super, .superPlus])
    }
}

@Suite struct TransferTests {
    @Test func addressIsNumberAndDirection() {
        #expect(EndpointAddress.in(1).rawValue == 0x81)
        #expect(EndpointAddress.out(15).rawValue == 0x0f)
        #expect(EndpointAddress.in(0x12) == .in(2), "a number has four bits")
        #expect(EndpointAddress(rawValue: 0x83).number == 3)
        #expect(EndpointAddress(rawValue: 0x83).direction == .in)
        #expect(EndpointAddress(rawValue: 0x03).direction == .out)
        #expect(EndpointAddress.in(1).description == "EP 1 IN")
        #expect(EndpointAddress.out(2).description == "EP 2 OUT")
    }

    @Test func typesAreTheBitsOfTheEndpointDescriptor() {
        #expect(TransferType.allCases == [.control, .isochronous, .bulk, .interrupt])
        #expect(TransferType.allCases.map(\.rawValue) == [0, 1, 2, 3])
    }
}
