import DeviceInspection
import Testing
import USBCore

private let getConfiguration = AnsweringDevice.Request(request: 8, value: 0)
private let getStatus = AnsweringDevice.Request(request: 0, value: 0)
private let setting = "configuration 1, interface 0 alternate 0"
private let product = AnsweringDevice.descriptor(.string, 2, .englishUS)

/// What a device must answer, and how its answers agree with each other and with the server's words.
@Suite struct AnswerLawTests {
    @Test(arguments: [
        SpoiltDevice(
            "no qualifier at high speed", LawfulDevices.drive(.high), .warning, "USB 2.0 §9.6.2",
            at: "device qualifier", saying: "there is none"
        ) { $0[.deviceQualifier] = nil },
        SpoiltDevice(
            "silence where STALL is due", LawfulDevices.drive(.full), "USB 2.0 §9.2.7", at: "device qualifier",
            saying: "no answer in time"
        ) { $0.answers[AnsweringDevice.descriptor(.deviceQualifier)] = .silent },
        SpoiltDevice(
            "no BOS though the version asks for one", LawfulDevices.drive(.full), "USB 3.2 §9.6.2", at: "BOS",
            saying: "bcdUSB is 0x0201"
        ) { $0.edit(.device) { $0[2] = 1 } },
        SpoiltDevice(
            "no BOS at SuperSpeed", LawfulDevices.drive(.super), "USB 3.2 §9.6.2", at: "BOS", saying: "at SuperSpeed"
        ) { $0[.bos] = nil },
        SpoiltDevice(
            "a selected configuration that is not there", LawfulDevices.drive(.full), "USB 2.0 §9.4.2", at: "device",
            saying: "says 5"
        ) {
            $0.answers[getConfiguration] = .bytes([5])
            $0.record.configurationValue = 5
        },
        SpoiltDevice(
            "no status", LawfulDevices.drive(.full), "USB 2.0 §9.4.5", at: "device", saying: "GET_STATUS fails: STALL"
        ) { $0.answers[getStatus] = .stalled },
        SpoiltDevice(
            "half a status", LawfulDevices.drive(.full), "USB 2.0 §9.4.5", at: "device", saying: "with 1 bytes"
        ) { $0.answers[getStatus] = .bytes([0]) },
        SpoiltDevice(
            "reserved bits of the status", LawfulDevices.drive(.full), "USB 2.0 §9.4.5", at: "device",
            saying: "0x0004; bits 15:2"
        ) { $0.answers[getStatus] = .bytes([4, 0]) },
        SpoiltDevice(
            "its own power against its word", LawfulDevices.drive(.full), .warning, "USB 2.0 §9.6.3", at: "device",
            saying: "says self-powered"
        ) { $0.answers[getStatus] = .bytes([1, 0]) },
    ]) func answers(_ device: SpoiltDevice) { device.check() }

    @Test func bitsThatMeanSomethingAtSuperSpeedAreLawfulThere() {
        var device = LawfulDevices.drive(.super)
        device.answers[getStatus] = .bytes([0x1c, 0])
        #expect(device.report.issues == [])
        #expect(device.report.text.contains("U1 Enabled"))
    }

    // MARK: Strings

    @Test(arguments: [
        SpoiltDevice(
            "a string that is not there", LawfulDevices.drive(.full), "USB 2.0 §9.6.7", at: "device",
            saying: "iProduct is 2, but string 2 in language 0x0409 cannot be read: STALL"
        ) { $0.answers[product] = .stalled },
        SpoiltDevice(
            "a string with half a unit", LawfulDevices.drive(.full), "USB 2.0 §9.6.7",
            at: "string 2 in language 0x0409", saying: "bLength is 5, an odd number"
        ) { $0.answers[product] = .bytes([5, 3, 65, 0, 66]) },
        SpoiltDevice(
            "a string that is cut", LawfulDevices.drive(.full), "USB 2.0 §9.6.7", at: "string 2 in language 0x0409",
            saying: "bLength is 6, but the device sends 4"
        ) { $0.answers[product] = .bytes([6, 3, 65, 0]) },
        SpoiltDevice(
            "a string with more behind it", LawfulDevices.drive(.full), "USB 2.0 §9.6.7",
            at: "string 2 in language 0x0409", saying: "sends more: 6 bytes"
        ) { $0.answers[product] = .bytes([4, 3, 65, 0, 66, 0]) },
        SpoiltDevice(
            "a string of another type", LawfulDevices.drive(.full), "USB 2.0 §9.6.7",
            at: "string 2 in language 0x0409", saying: "0x01; of a string"
        ) { $0.answers[product] = .bytes([4, 1, 65, 0]) },
        SpoiltDevice(
            "no bytes for a string", LawfulDevices.drive(.full), "USB 2.0 §9.6.7", at: "string 2 in language 0x0409",
            saying: "0 bytes"
        ) { $0.answers[product] = .bytes([]) },
        SpoiltDevice(
            "half a surrogate pair", LawfulDevices.drive(.full), .warning, "USB 2.0 §9.6.7",
            at: "string 2 in language 0x0409", saying: "no UTF-16"
        ) { $0.answers[product] = .bytes([4, 3, 0x00, 0xd8]) },
        SpoiltDevice(
            "a zero at the end", LawfulDevices.drive(.full), .warning, "USB 2.0 §9.6.7",
            at: "string 2 in language 0x0409", saying: "ends with a zero"
        ) { $0.answers[product] = .bytes([6, 3, 65, 0, 0, 0]) },
        SpoiltDevice(
            "a string that plays with the terminal", LawfulDevices.drive(.full), .warning, "USB 2.0 §9.6.7",
            at: "string 2 in language 0x0409", saying: "\\u{1b}"
        ) { $0.answers[product] = .bytes([6, 3, 0x1b, 0, 65, 0]) },
        SpoiltDevice(
            "no list of languages", LawfulDevices.drive(.full), "USB 2.0 §9.6.7", at: "list of languages",
            saying: "string 0 cannot be read"
        ) { $0[.string] = nil },
        SpoiltDevice(
            "an empty list of languages", LawfulDevices.drive(.full), "USB 2.0 §9.6.7", at: "list of languages",
            saying: "no language"
        ) { $0[.string] = [2, 3] },
        SpoiltDevice(
            "half a language", LawfulDevices.drive(.full), "USB 2.0 §9.6.7", at: "list of languages", saying: "odd"
        ) { $0[.string] = [5, 3, 9, 4, 7] },
        SpoiltDevice(
            "a language twice", LawfulDevices.drive(.full), .warning, "USB 2.0 §9.6.7", at: "list of languages",
            saying: "twice"
        ) { $0[.string] = [6, 3, 9, 4, 9, 4] },
    ]) func strings(_ device: SpoiltDevice) { device.check() }

    @Test func aMissingStringIsReportedWhereItIsUsed() {
        var device = LawfulDevices.drive(.full)
        device.edit(.configuration) { $0[17] = 9 }
        #expect(device.report.issues.map(\.path) == [setting])
        #expect(device.report.text.contains("iInterface              9 (no such string)"))
    }

    // MARK: The import record

    @Test(arguments: [
        SpoiltDevice(
            "another vendor", LawfulDevices.drive(.full), "USB/IP 1.1.1 OP_REP_IMPORT", at: "import record",
            saying: "idVendor is 0x0001, but the device descriptor has 0x1209"
        ) { $0.record.vendorID = 1 },
        SpoiltDevice(
            "another class", LawfulDevices.drive(.full), "USB/IP 1.1.1 OP_REP_IMPORT", at: "import record",
            saying: "bDeviceSubClass is 6, but the device descriptor has 0"
        ) { $0.record.deviceClass = [0, 6, 0] },
        SpoiltDevice(
            "another number of configurations", LawfulDevices.drive(.full), "USB/IP 1.1.1 OP_REP_IMPORT",
            at: "import record", saying: "bNumConfigurations is 0"
        ) { $0.record.configurationCount = 0 },
        SpoiltDevice(
            "another configuration", LawfulDevices.drive(.full), .warning, "USB/IP 1.1.1 OP_REP_IMPORT",
            at: "import record", saying: "has configuration 1 selected"
        ) { $0.record.configurationValue = 0 },
        SpoiltDevice(
            "another number of interfaces", LawfulDevices.drive(.full), .warning, "USB/IP 1.1.1 OP_REP_IMPORT",
            at: "import record", saying: "bNumInterfaces is 4"
        ) { $0.record.interfaceCount = 4 },
        SpoiltDevice(
            "a speed that is none", LawfulDevices.drive(.high), "USB/IP 1.1.1 OP_REP_IMPORT", at: "import record",
            saying: "the speed is 0, which is none; the laws of high speed"
        ) { $0.record.speed = 0 },
    ]) func serverAndDeviceAgree(_ device: SpoiltDevice) { device.check() }

    @Test func aSpeedThatTheDescriptorsDenyIsTheServersFault() {
        var device = LawfulDevices.drive(.super)
        device.record.speed = Speed.high.rawValue
        let first = device.report.issues.first
        #expect(first?.path == "import record")
        #expect(first?.message.contains("the speed is high speed, but bcdUSB 3.20") == true)
    }
}
