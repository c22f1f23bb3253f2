public import HIDReports

/// Keys beside a keyboard's own: the consumer page (volume, playing, programs) and the system's power keys.
///
/// A function without a boot protocol, with a bit for each key: report 1 has the consumer keys, report 2 the system's.
public final class MediaFunction: HIDFunction {
    /// See ``HIDFunction/interface``.
    public let interface: HIDInterface
    /// The way to the host; nil before the function is part of a device.
    public private(set) var link: HIDLink?
    /// Usage ids, by report.
    struct Held: Hashable {
        var consumer: Set<UInt16> = []
        var system: Set<UInt16> = []
    }

    /// The keys that are down.
    private(set) var held = Held()

    /// The consumer keys there are, by usage id (HID Usage Tables §15).
    static let consumerKeys = KeyNames.consumer.map(\.usage)
    /// Power down, sleep, wake up (HID Usage Tables §4.5).
    static let systemKeys = KeyNames.system.map(\.usage)

    private enum ID {
        static let consumer: UInt8 = 1
        static let system: UInt8 = 2
    }

    /// Makes the keys.
    ///
    /// - Parameter every: how often the host asks.
    public init(every: Duration = .milliseconds(1)) {
        interface = HIDInterface(Self.reportDescriptor, every: every, name: "Media Keys")
    }

    /// What the reports hold.
    public static let reportDescriptor = ReportDescriptor {
        ReportCollection(.application, .consumerControl) {
            ReportID(ID.consumer)
            Input(consumerKeys.map { UsageRange(.consumer($0)) })
            if consumerKeys.count % 8 != 0 { Padding(.input, bits: 8 - consumerKeys.count % 8) }
        }
        ReportCollection(.application, .systemControl) {
            ReportID(ID.system)
            Input(systemKeys.map { UsageRange(.genericDesktop($0)) })
            Padding(.input, bits: 8 - systemKeys.count % 8)
        }
    }

    // MARK: Keys

    /// Whether a usage is one of the keys.
    public static func has(_ key: Usage) -> Bool {
        switch key.page {
        case UsagePage.consumer: consumerKeys.contains(key.id)
        case UsagePage.genericDesktop: systemKeys.contains(key.id)
        default: false
        }
    }

    /// Whether no key is down.
    public var isAtRest: Bool { held == Held() }

    /// Presses a key; what is no key, or is down already, changes nothing.
    public func press(_ key: Usage) {
        guard Self.has(key) else { return }
        if key.page == UsagePage.consumer {
            if held.consumer.insert(key.id).inserted { send(ID.consumer) }
        } else {
            if held.system.insert(key.id).inserted { send(ID.system) }
        }
    }

    /// Lets go of a key; one that is up changes nothing.
    public func release(_ key: Usage) {
        if key.page == UsagePage.consumer {
            if held.consumer.remove(key.id) != nil { send(ID.consumer) }
        } else if key.page == UsagePage.genericDesktop {
            if held.system.remove(key.id) != nil { send(ID.system) }
        }
    }

    /// Lets go of everything.
    public func releaseAll() {
        hold(Held())
    }

    /// Has other keys down.
    func hold(_ keys: Held) {
        let before = held
        held = keys
        if before.consumer != keys.consumer { send(ID.consumer) }
        if before.system != keys.system { send(ID.system) }
    }

    private func send(_ id: UInt8) {
        if let report = report(.input, id: id) { link?.send(report) }
    }

    private static func bits(_ keys: [UInt16], _ down: Set<UInt16>) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: (keys.count + 7) / 8)
        for (index, key) in keys.enumerated() where down.contains(key) {
            bytes[index / 8] |= 1 << UInt8(index % 8)
        }
        return bytes
    }

    // MARK: HIDFunction

    /// See ``HIDFunction/attached(to:)``.
    public func attached(to link: HIDLink) { self.link = link }

    /// See ``HIDFunction/report(_:id:)``.
    public func report(_ kind: ReportKind, id: UInt8) -> [UInt8]? {
        switch (kind, id) {
        case (.input, ID.consumer): [id] + Self.bits(Self.consumerKeys, held.consumer)
        case (.input, ID.system): [id] + Self.bits(Self.systemKeys, held.system)
        default: nil
        }
    }

    /// See ``HIDFunction/configured(_:)``: a key that is down still is, and a new host does not know it.
    public func configured(_ isConfigured: Bool) {
        guard isConfigured else { return }
        if !held.consumer.isEmpty { send(ID.consumer) }
        if !held.system.isEmpty { send(ID.system) }
    }

    /// See ``HIDFunction/disconnected()``.
    public func disconnected() { held = Held() }
}
