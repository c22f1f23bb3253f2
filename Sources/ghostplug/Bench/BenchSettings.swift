import DeviceModels
import Measurement
import SocketIO
import USBCore

/// What `bench` measures on an endpoint.
enum BenchType: String, CaseIterable {
    case control
    case bulkIn = "bulk-in"
    case bulkOut = "bulk-out"
    case interruptIn = "interrupt-in"
    case interruptOut = "interrupt-out"
    case isoIn = "iso-in"
    case isoOut = "iso-out"

    /// The endpoint's type.
    var transfer: TransferType {
        switch self {
        case .control: .control
        case .bulkIn, .bulkOut: .bulk
        case .interruptIn, .interruptOut: .interrupt
        case .isoIn, .isoOut: .isochronous
        }
    }

    /// The endpoint's direction; of control, that of the request that is repeated.
    var direction: Direction {
        switch self {
        case .control, .bulkIn, .interruptIn, .isoIn: .in
        case .bulkOut, .interruptOut, .isoOut: .out
        }
    }

    /// The type of an endpoint; nil for control endpoints, which have no descriptor that can be asked for.
    init?(_ endpoint: EndpointDescriptor) {
        let found = Self.allCases.first {
            $0 != .control && $0.transfer == endpoint.type && $0.direction == endpoint.address.direction
        }
        guard let found else { return nil }
        self = found
    }
}

/// Everything that `bench` can be told.
struct BenchSettings {
    /// What is measured.
    enum Target {
        case server(HostAndPort, busID: String)
        case model(DeviceSpecification)
    }

    var target: Target
    /// Nil for what the device has and what can be measured without changing anything.
    var types: [BenchType]?
    /// Bytes of a bulk URB, of an interrupt URB, of an isochronous packet; nil for what suits each.
    var sizes: [Int]?
    var depths = [1, 32]
    var packets = [8]
    /// Seconds of each case.
    var time = 2.0
    /// Seconds before each case's figures count.
    var warmup = 0.2
    /// Seconds after which an endpoint that gives nothing is given up.
    var timeout = 5.0
    var endpoint: EndpointAddress?
    var interface: UInt8?
    var alternate: UInt8?
    var configuration: UInt8?
    var isNumbered = false
    var allowsWrites = false

    /// The bytes in flight at once, at most: both ends hold them, and half of what a server keeps unless told otherwise.
    static let bytesInFlight = 128 << 20
    static let sizeRange = 1...16 << 20
    static let depthRange = 1...4096
    /// What `vhci_hcd` takes, too.
    static let packetRange = 1...1024

    /// Reads what to measure.
    ///
    /// - Parameter words: a server and a bus id, or a model with its keys.
    init(target words: [String]) throws(ConfigurationError) {
        switch words.count {
        case 1:
            do throws(ModelError) {
                let specification = try DeviceSpecification(parsing: words[0])
                try ModelRegistry.check(specification)
                target = .model(specification)
            } catch {
                let hint = "; to measure a server's device, name its bus id as well ('ghostplug list' shows them)"
                throw ConfigurationError("'\(words[0])': \(error)\(hint)")
            }
        case 2:
            guard let server = HostAndPort(words[0]), server.port != 0 else {
                throw ConfigurationError("'\(words[0])' is no server; write HOST, HOST:PORT or [IPV6]:PORT")
            }
            guard (1...31).contains(words[1].utf8.count), words[1].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
                throw ConfigurationError("'\(words[1])' is no bus id; 'ghostplug list \(server)' shows them")
            }
            target = .server(server, busID: words[1])
        default:
            throw ConfigurationError("write HOST[:PORT] and BUSID, or a MODEL such as zero; see --help")
        }
    }

    /// Sets one of the options by its name on the command line, without the dashes.
    mutating func set(_ option: String, to text: String) throws(ConfigurationError) {
        let place = "--\(option)"
        switch option {
        case "type": types = try Self.types(text, place)
        case "size": sizes = try Self.list(text, Self.sizeRange, place, ByteSize.parse)
        case "depth": depths = try Self.list(text, Self.depthRange, place, Self.digits)
        case "packets": packets = try Self.list(text, Self.packetRange, place, Self.digits)
        case "time": time = try Self.seconds(text, 0.05...3600, place)
        case "warmup": warmup = try Self.seconds(text, 0...60, place)
        case "timeout": timeout = try Self.seconds(text, 0.05...3600, place)
        case "endpoint": endpoint = try Self.endpoint(text, place)
        case "interface": interface = UInt8(try ServeSettings.integer(text, 0...255, place))
        case "alternate": alternate = UInt8(try ServeSettings.integer(text, 0...255, place))
        case "configuration": configuration = UInt8(try ServeSettings.integer(text, 1...255, place))
        default: throw ConfigurationError("there is no option \(place)")
        }
    }

    // MARK: One value

    private static func types(_ text: String, _ place: String) throws(ConfigurationError) -> [BenchType] {
        var types: [BenchType] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let type = BenchType(rawValue: String(part)) else {
                let all = BenchType.allCases.map(\.rawValue).joined(separator: ", ")
                throw ConfigurationError("\(place): '\(part)' is none of \(all)")
            }
            if !types.contains(type) { types.append(type) }
        }
        return types
    }

    private static func list(
        _ text: String, _ range: ClosedRange<Int>, _ place: String, _ parse: (String) -> Int?
    ) throws(ConfigurationError) -> [Int] {
        var numbers: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = parse(String(part)), range.contains(number) else {
                throw ConfigurationError(
                    "\(place): '\(part)' is not a number from \(range.lowerBound) to "
                        + "\(ByteSize.text(range.upperBound)); several are written 1,32,128")
            }
            if !numbers.contains(number) { numbers.append(number) }
        }
        return numbers
    }

    private static func digits(_ text: String) -> Int? {
        text.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) ? Int(text) : nil
    }

    private static func seconds(
        _ text: String, _ range: ClosedRange<Double>, _ place: String
    ) throws(ConfigurationError) -> Double {
        // Double alone would take "nan" and "0x1p3" as well.
        guard text.utf8.allSatisfy({ "0123456789.".utf8.contains($0) }), let number = Double(text),
            range.contains(number)
        else {
            throw ConfigurationError(
                "\(place): '\(text)' is not a number of seconds from \(significant(range.lowerBound)) to "
                    + significant(range.upperBound))
        }
        return number
    }

    private static func endpoint(_ text: String, _ place: String) throws(ConfigurationError) -> EndpointAddress {
        let isHex = text.lowercased().hasPrefix("0x")
        let digits = isHex ? text.dropFirst(2) : text[...]
        guard digits.first?.isHexDigit == true, let address = UInt8(digits, radix: isHex ? 16 : 10),
            address & 0x70 == 0, address & 0x0f != 0
        else {
            throw ConfigurationError("\(place): '\(text)' is no address; write 0x81 for IN 1, 0x01 for OUT 1")
        }
        return EndpointAddress(rawValue: address)
    }
}
