import USBCore

/// The class that an interface or a function says it has.
struct ClassCode: Hashable, Sendable {
    var code: USBClass
    var subclass: UInt8
    var `protocol`: UInt8

    /// Whether it is Audio 1.0: what does not say that it is a later one, whatever it says.
    var isFirstAudio: Bool { code == .audio && `protocol` != 0x20 && `protocol` != 0x30 }
}

/// The descriptors of a configuration's answer, each with what it belongs to: the base of its tree and of its laws.
///
/// It makes the best of whatever bytes there are, so that a broken descriptor hides nothing but itself.
struct ConfigurationOutline {
    /// What a descriptor belongs to, or begins.
    enum Level: Sendable {
        case configuration
        case association
        case interface
        case endpoint
    }

    /// One descriptor after the configuration's own.
    struct Entry {
        var item: DescriptorWalk.Item
        var level: Level
        /// Whether it begins its level, rather than belonging to what has begun it.
        var isHead: Bool
        var path: String
        /// The class of the interface or function around it.
        var owner: ClassCode?
        /// The type of the endpoint that it is or follows.
        var transferType: TransferType?
        /// Whether nothing but the endpoint stands before it.
        var followsEndpoint = false
    }

    /// The configuration descriptor, nil where not even its type can be read.
    private(set) var header: DescriptorWalk.Item?
    private(set) var entries: [Entry] = []
    /// What a length that makes no sense leaves unread, within `wTotalLength`.
    private(set) var rest: ArraySlice<UInt8> = []
    /// What the device sent beyond `wTotalLength`.
    private(set) var beyond: ArraySlice<UInt8> = []
    /// `wTotalLength`, nil where there is none.
    private(set) var promised: Int?
    /// The bytes that came.
    let count: Int
    /// Where the configuration is, such as `configuration 1`.
    let path: String

    /// Outlines an answer.
    ///
    /// - Parameters:
    ///   - index: the index that was asked for; it names a configuration whose value cannot be read.
    ///   - prefix: what paths begin with, such as `other speed`.
    init(_ bytes: [UInt8], index: Int, prefix: String = "") {
        count = bytes.count
        let name = bytes.count > 5 ? "configuration \(bytes[5])" : "configuration at index \(index)"
        path = prefix.isEmpty ? name : "\(prefix), \(name)"
        guard let length = bytes.first, length >= 2, Int(length) <= bytes.count else {
            rest = bytes[...]
            return
        }
        let start = DescriptorWalk.Item(offset: 0, bytes: bytes.prefix(Int(length)))
        header = start
        promised = length >= 4 ? Int(start.word(2)) : nil
        let end = min(max(promised ?? bytes.count, Int(length)), bytes.count)
        beyond = bytes[end...]
        let walk = DescriptorWalk(bytes[Int(length)..<end])
        rest = walk.rest
        place(walk.items)
    }

    /// `bConfigurationValue`, nil where the descriptor is too short.
    var value: UInt8? { header.flatMap { $0.bytes.count > 5 ? $0.byte(5) : nil } }

    /// Whether descriptors may be missing at the end.
    var isCut: Bool { !rest.isEmpty || (promised ?? 0) > count }

    private mutating func place(_ items: [DescriptorWalk.Item]) {
        var level = Level.configuration
        var head = path
        var current = path
        var owner: ClassCode?
        var type: TransferType?
        var followsEndpoint = false
        for item in items {
            var isHead = true
            switch item.type {
            case .interface:
                level = .interface
                head = "\(path), interface \(item.byte(2)) alternate \(item.byte(3))"
                current = head
                owner = ClassCode(
                    code: USBClass(rawValue: item.byte(5)), subclass: item.byte(6), protocol: item.byte(7))
                type = nil
            case .interfaceAssociation:
                level = .association
                head = "\(path), association of interface \(item.byte(2))"
                current = head
                owner = ClassCode(
                    code: USBClass(rawValue: item.byte(4)), subclass: item.byte(5), protocol: item.byte(6))
                type = nil
            case .endpoint where level == .interface || level == .endpoint:
                level = .endpoint
                current = "\(head), \(EndpointAddress(rawValue: item.byte(2)))"
                type = TransferType(rawValue: item.byte(3) & 3)
            default:
                isHead = false
            }
            entries.append(
                Entry(
                    item: item, level: level, isHead: isHead, path: current, owner: owner, transferType: type,
                    followsEndpoint: followsEndpoint))
            followsEndpoint = isHead && level == .endpoint
        }
    }
}
