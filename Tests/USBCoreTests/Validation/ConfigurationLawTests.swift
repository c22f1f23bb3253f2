import Testing
import USBCore

private let high = SampleDevices.drive(.high)
private let fast = SampleDevices.drive(.super)
private let composite = SampleDevices.composite(.high)

@Suite struct ConfigurationLawTests {
    @Test(arguments: [
        BrokenLaw("value 0", high, "USB 2.0 §9.6.3", at: "configuration 0", saying: "not configured") {
            $0.configurations[0].value = 0
        },
        BrokenLaw("a value used twice", high, "USB 2.0 §9.6.3", at: "configuration 1", saying: "used twice") {
            $0.configurations.append($0.configurations[0])
            $0.device.configurationCount = 2
        },
        BrokenLaw("bit 7 of the attributes", high, "USB 2.0 §9.6.3", at: "configuration 1", saying: "always 1") {
            $0.configurations[0].attributes = 0x00
        },
        BrokenLaw("reserved attributes", fast, "USB 3.2 §9.6.3", at: "configuration 1", saying: "reserved") {
            $0.configurations[0].attributes = 0x81
        },
        BrokenLaw("more than 500 mA", high, "USB 2.0 §9.6.3", at: "configuration 1", saying: "502 mA") {
            $0.configurations[0].maxPower = 251
        },
        BrokenLaw("more than 900 mA", fast, "USB 3.2 §9.6.3", at: "configuration 1", saying: "904 mA") {
            $0.configurations[0].maxPower = 113
        },
        BrokenLaw("no power at all", high, .warning, "USB 2.0 §9.6.3", at: "configuration 1", saying: "no power") {
            $0.configurations[0].maxPower = 0
        },
        BrokenLaw("a total that lies", high, "USB 2.0 §9.6.3", at: "configuration 1", saying: "wTotalLength is 33") {
            $0.configurations[0].declaredTotalLength = 33
        },
        BrokenLaw("more than a total counts", high, "USB 2.0 §9.6.3", at: "configuration 1", saying: "to 65535") {
            let most = ClassDescriptor(type: 0x40, bytes: [UInt8](repeating: 0, count: 253))
            $0.configurations[0].descriptors = [ClassDescriptor](repeating: most, count: 257)
        },
        BrokenLaw("no interface", high, "USB 2.0 §9.6.3", at: "configuration 1", saying: "at least 1") {
            $0.configurations[0].items = []
        },
        BrokenLaw("a wrong count of interfaces", high, "USB 2.0 §9.6.3", at: "configuration 1", saying: "are 1 inter") {
            $0.configurations[0].declaredInterfaceCount = 2
        },
        BrokenLaw("a configuration descriptor too long", high, "USB 2.0 §9.5", at: "configuration 1", saying: "256") {
            $0.configurations[0].extra = [UInt8](repeating: 0, count: 247)
        },
        BrokenLaw("a class descriptor too long", high, "USB 2.0 §9.5", at: "configuration 1", saying: "has 254 bytes") {
            $0.configurations[0].descriptors = [
                ClassDescriptor(type: 0x40, bytes: [UInt8](repeating: 0, count: 254))
            ]
        },
        BrokenLaw("a device descriptor inside", fast, "USB 3.2 §9.5", at: "configuration 1", saying: "no place") {
            $0.configurations[0].descriptors = [ClassDescriptor(type: .device)]
        },
    ])
    func oneLawOfTheConfiguration(_ law: BrokenLaw) { law.check() }

    @Test(arguments: [
        BrokenLaw("a gap in the numbers", high, "USB 2.0 §9.6.5", at: "configuration 1", saying: "interface 0 is miss")
        {
            $0.edit { $0.number = 1 }
        },
        BrokenLaw(
            "no setting 0", high, "USB 2.0 §9.6.5", at: "configuration 1, interface 0", saying: "no alternate setting 0"
        ) { $0.edit { $0.alternate = 1 } },
        BrokenLaw(
            "a setting twice", composite, "USB 2.0 §9.6.5", at: "configuration 1, interface 3",
            saying: "0 is there twice"
        ) { $0.configurations[0].items.append($0.configurations[0].items[4]) },
        BrokenLaw(
            "a number left out", composite, .warning, "USB 2.0 §9.6.5", at: "configuration 1, interface 3",
            saying: "leave out numbers: 0, 2"
        ) { $0.edit(item: 5) { $0.alternate = 2 } },
        BrokenLaw(
            "settings apart", composite, .warning, "USB 2.0 §9.6.5", at: "configuration 1, interface 3",
            saying: "stands apart"
        ) { $0.configurations[0].items.swapAt(3, 4) },
        BrokenLaw(
            "a wrong count of endpoints", high, "USB 2.0 §9.6.5", at: "configuration 1, interface 0 alternate 0",
            saying: "there are 2 endpoints"
        ) { $0.edit { $0.declaredEndpointCount = 1 } },
        BrokenLaw(
            "the reserved class", high, .warning, "USB 2.0 §9.6.5", at: "configuration 1, interface 0 alternate 0",
            saying: "bInterfaceClass is 0"
        ) {
            $0.edit {
                $0.interfaceClass = .perInterface
                $0.interfaceSubclass = 0
            }
        },
        BrokenLaw(
            "an endpoint twice in a setting", high, "USB 2.0 §9.6.5",
            at: "configuration 1, interface 0 alternate 0, EP 1 IN", saying: "twice in one alternate setting"
        ) { $0.editEndpoint(1) { $0.address = .in(1) } },
        BrokenLaw(
            "an endpoint of two interfaces", composite, "USB 2.0 §9.6.5",
            at: "configuration 1, interface 2 alternate 0, EP 1 IN", saying: "interface 0 has the endpoint already"
        ) { $0.editEndpoint(item: 3) { $0.address = .in(1) } },
        BrokenLaw(
            "three endpoints at low speed", SampleDevices.mouse(), "USB 2.0 §5.3.1.2", at: "configuration 1",
            saying: "2 at most"
        ) {
            $0.edit { setting in
                for number in [2, 3] as [UInt8] {
                    var more = setting.endpoints[0]
                    more.address = .in(number)
                    setting.endpoints.append(more)
                }
            }
        },
    ])
    func oneLawOfTheInterface(_ law: BrokenLaw) { law.check() }

    @Test(arguments: [
        BrokenLaw(
            "an association of nothing", composite, "USB 3.2 §9.6.4",
            at: "configuration 1, association of interface 0", saying: "bInterfaceCount is 0"
        ) { $0.editAssociation { $0.interfaceCount = 0 } },
        BrokenLaw(
            "an association of interfaces that are not there", composite, "USB 3.2 §9.6.4",
            at: "configuration 1, association of interface 0", saying: "there is no interface 4"
        ) { $0.editAssociation { $0.interfaceCount = 255 } },
        BrokenLaw(
            "an association beyond 255", composite, "USB 3.2 §9.6.4",
            at: "configuration 1, association of interface 255", saying: "interfaces 255 to 509"
        ) {
            $0.editAssociation {
                $0.firstInterface = 255
                $0.interfaceCount = 255
            }
        },
        BrokenLaw(
            "a function without a class", composite, "USB 3.2 §9.6.4",
            at: "configuration 1, association of interface 0", saying: "bFunctionClass is 0"
        ) { $0.editAssociation { $0.functionClass = .perInterface } },
        BrokenLaw(
            "an interface in two associations", composite, "USB 3.2 §9.6.4",
            at: "configuration 1, association of interface 1", saying: "interface 1 belongs to another"
        ) {
            let second = AssociationDescriptor(firstInterface: 1, interfaceCount: 2, functionClass: .hid)
            $0.configurations[0].items.insert(.association(second), at: 1)
        },
        BrokenLaw(
            "an association after its interface", composite, "USB 3.2 §9.6.4",
            at: "configuration 1, association of interface 0", saying: "interface 0 stands before"
        ) { $0.configurations[0].items.swapAt(0, 1) },
    ])
    func oneLawOfTheAssociation(_ law: BrokenLaw) { law.check() }

    @Test func alternateSettingsOfOneInterfaceShareAnEndpoint() {
        var device = composite
        let item = device.configurations[0].items[5]
        device.configurations[0].items.append(item)
        device.edit(item: 6) { $0.alternate = 2 }
        #expect(device.validate() == [])
    }
}
