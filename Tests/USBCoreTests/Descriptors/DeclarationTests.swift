import Testing
import USBCore

@Suite struct DeclarationTests {
    private func endpoint(
        _ speed: Speed, _ type: TransferType, maxBurst: UInt8 = 0, every: Duration? = nil, more: UInt8 = 0
    ) -> EndpointDescriptor {
        Endpoint(.in(1), type, additionalTransactions: more, every: every, maxBurst: maxBurst).descriptor(at: speed)
    }

    @Test func packetSizesAreTheUsualOnesOfTheSpeed() {
        let speeds: [Speed] = [.low, .full, .high, .super]
        #expect(speeds.map { endpoint($0, .control).maxPacketSize } == [8, 64, 64, 512])
        #expect(speeds.map { endpoint($0, .bulk).maxPacketSize } == [8, 64, 512, 1024])
        #expect(speeds.map { endpoint($0, .interrupt).maxPacketSize } == [8, 64, 64, 64])
        #expect(speeds.map { endpoint($0, .isochronous).maxPacketSize } == [8, 1023, 1024, 1024])
        #expect(endpoint(.super, .interrupt, maxBurst: 1).maxPacketSize == 1024)
    }

    @Test func intervalsAreTheUsualOnesOfTheSpeed() {
        let speeds: [Speed] = [.low, .full, .high, .super]
        #expect(speeds.map { endpoint($0, .interrupt).interval } == [10, 8, 7, 7])
        #expect(speeds.dropFirst().map { endpoint($0, .isochronous).interval } == [1, 4, 4])
        #expect(speeds.map { endpoint($0, .bulk).interval } == [0, 0, 0, 0])
        #expect(speeds.map { endpoint($0, .interrupt, every: .milliseconds(32)).interval } == [32, 32, 9, 9])
    }

    @Test func companionsAreMadeFromTheDeclaration() {
        let bulk = Endpoint(.in(1), .bulk, maxBurst: 15, maxStreamsExponent: 4)
        #expect(bulk.descriptor(at: .super).companion == CompanionDescriptor(maxBurst: 15, attributes: 4))
        #expect(bulk.descriptor(at: .high).companion == nil)
        let stream = Endpoint(.in(1), .isochronous, maxBurst: 1, mult: 2)
        #expect(
            stream.descriptor(at: .super).companion
                == CompanionDescriptor(maxBurst: 1, attributes: 2, bytesPerInterval: 6144))
        let status = Endpoint(.in(1), .interrupt, maxPacketSize: 16, bytesPerInterval: 10)
        #expect(status.descriptor(at: .super).companion == CompanionDescriptor(bytesPerInterval: 10))
    }

    @Test func additionalTransactionsAreForHighSpeed() {
        #expect(endpoint(.high, .isochronous, more: 2).maxPacketSize == 0x1400)
        #expect(endpoint(.full, .isochronous, more: 2).maxPacketSize == 1023)
        #expect(endpoint(.high, .bulk, more: 2).maxPacketSize == 512)
    }

    @Test(
        arguments: [
            (100, Speed.high, 50), (101, .high, 51), (500, .full, 250), (600, .high, 255), (100, .super, 13),
            (896, .super, 112), (900, .super, 112), (901, .super, 113), (0, .high, 0), (-5, .high, 0),
            (.max, .super, 255),
        ] as [(Int, Speed, UInt8)])
    func powerIsInTheUnitsOfTheSpeed(_ milliamps: Int, _ speed: Speed, _ field: UInt8) {
        let device = DeviceDescription(speed: speed, vendorID: 1, productID: 1) {
            Configuration(maxPowerMilliamps: milliamps) {}
        }
        #expect(device.configurations[0].maxPower == field)
    }

    @Test func theSpeedIsAtHandWhereADeclarationDependsOnIt() throws {
        let device = DeviceDescription(speed: .high, vendorID: 0x1209, productID: 1) { speed in
            Configuration {
                Interface(0, class: .vendorSpecific)
                for alternate in 1...2 as ClosedRange<UInt8> {
                    Interface(0, alternate: alternate, class: .vendorSpecific) {
                        Endpoint(.in(1), .isochronous, maxPacketSize: speed == .high ? 1024 : 1023)
                        if alternate == 2 { Endpoint(.out(1), .bulk) }
                    }
                }
            }
        }
        #expect(try device.validated() == device)
        #expect(device.configurations[0].interface(0, alternate: 1)?.endpoint(.in(1))?.packetSize == 1024)
        #expect(device.otherSpeed?.configurations[0].interface(0, alternate: 2)?.endpoint(.in(1))?.packetSize == 1023)
        #expect(device.configurations[0].interface(0, alternate: 2)?.endpoints.count == 2)
        #expect(device.configurations[0].interface(0, alternate: 3) == nil)
    }

    @Test func theOtherSpeedCanBeLeftOutOrAskedFor() {
        func device(_ speed: Speed, _ offers: Bool?) -> DeviceDescription {
            DeviceDescription(speed: speed, vendorID: 0x1209, productID: 1, offersOtherSpeed: offers) {
                Configuration { Interface(0, class: .vendorSpecific) { Endpoint(.in(1), .bulk) } }
            }
        }
        #expect(device(.high, nil).otherSpeed?.speed == .full)
        #expect(device(.high, false).otherSpeed == nil)
        #expect(device(.full, nil).otherSpeed == nil)
        #expect(device(.full, true).otherSpeed?.speed == .high)
        #expect(device(.full, true).otherSpeed?.configurations[0].interface(0)?.endpoints[0].packetSize == 512)
        #expect(device(.super, true).otherSpeed == nil)
    }

    @Test func classDescriptorsBelongToWhatTheyFollow() {
        let device = DeviceDescription(speed: .high, vendorID: 0x1209, productID: 1) {
            Configuration {
                ClassDescriptor(type: 0x40, 1)
                Association(class: .vendorSpecific) {
                    ClassDescriptor(type: 0x40, 2)
                    Interface(0, class: .vendorSpecific) {
                        ClassDescriptor(type: 0x40, 3)
                        Endpoint(.in(1), .bulk) { ClassDescriptor(type: 0x40, 4) }
                        ClassDescriptor(type: 0x40, 5)
                    }
                    ClassDescriptor(type: 0x40, 6)
                }
                ClassDescriptor(type: 0x40, 7)
            }
        }
        let configuration = device.configurations[0]
        func marks(_ descriptors: [ClassDescriptor]?) -> [UInt8]? { descriptors?.flatMap(\.body) }
        #expect(marks(configuration.descriptors) == [1])
        #expect(marks(configuration.associations.first?.descriptors) == [2])
        #expect(marks(configuration.interface(0)?.descriptors) == [3])
        #expect(marks(configuration.interface(0)?.endpoints[0].descriptors) == [4, 5, 6, 7])
    }

    @Test func namesGetIndicesInOrderAndSharedOnes() {
        let device = DeviceDescription(
            speed: .high, vendorID: 1, productID: 1, manufacturer: "M", product: "P", language: .german,
            strings: [2: "fixed"]
        ) {
            Configuration(name: "P") { Interface(0, class: .vendorSpecific, name: "I") }
        }
        #expect(device.device.manufacturerIndex == 1)
        #expect(device.device.productIndex == 3, "2 is taken")
        #expect(device.device.serialNumberIndex == 0)
        #expect(device.configurations[0].nameIndex == 3, "one text, one index")
        #expect(device.configurations[0].interface(0)?.nameIndex == 4)
        #expect(device.strings.languages == [.german])
        #expect(device.strings[2] == "fixed")
        #expect(device.strings[4, .german] == "I")
        #expect(device.strings[4, .englishUS] == nil)
    }

    @Test func moreNamesThanIndicesLeaveTheRestNameless() {
        let device = DeviceDescription(speed: .high, vendorID: 1, productID: 1) {
            Configuration {
                for number in UInt8.min...UInt8.max {
                    Interface(number, class: .vendorSpecific, name: "\(number)")
                }
            }
        }
        #expect(device.configurations[0].interface(254)?.nameIndex == 255)
        #expect(device.configurations[0].interface(255)?.nameIndex == 0)
        #expect(device.configurations[0].interfaceCount == 255)
    }

    @Test func versionAndClassCanBeSaid() {
        let device = DeviceDescription(
            speed: .high, vendorID: 1, productID: 1, deviceVersion: 0x1234, usbVersion: 0x0210, class: .vendorSpecific,
            subclass: 3, protocol: 4, maxPacketSize0: 32, bos: [.webUSB(vendorCode: 1)]
        ) {}
        #expect(device.device.bytes.prefix(8) == [0x12, 0x01, 0x10, 0x02, 0xff, 3, 4, 32])
        #expect(device.device.deviceVersion == 0x1234)
        #expect(device.bos?.capabilities == [.webUSB(vendorCode: 1)])
        let plain = DeviceDescription(speed: .high, vendorID: 1, productID: 1, bos: []) {}
        #expect(plain.device.usbVersion == 0x0201, "hosts ask for capabilities from 2.01 on")
    }
}
