import USBCore
import USBGadgetZero

/// The keys that shape endpoints, as the speed allows them.
struct ZeroShapes {
    private let options: ModelOptions
    private let speed: Speed

    init(_ options: ModelOptions, _ speed: Speed) {
        self.options = options
        self.speed = speed
    }

    func bulk() throws(ModelError) -> BulkShape {
        let sizes: [Int] =
            switch speed {
            case .super, .superPlus: [1_024]
            case .high: [512]
            case .low, .full: [8, 16, 32, 64]
            }
        var shape = BulkShape()
        if let size = try integer("bulk-packet", in: 1...1_024) {
            guard sizes.contains(size) else {
                throw refusal("bulk-packet", "\(size)", sizes.map { "\($0)" }.joined(separator: ", "))
            }
            shape.packetSize = UInt16(size)
        }
        shape.burst = UInt8(try integer("bulk-burst", in: 0...15, only: .super) ?? 0)
        return shape
    }

    func interrupt() throws(ModelError) -> InterruptShape {
        var shape = InterruptShape()
        shape.packetSize = UInt16(try integer("int-packet", in: 1...(speed == .full ? 64 : 1_024)) ?? 64)
        shape.interval = try integer("int-interval", in: 1...(speed == .full ? 255 : 16)).map { UInt8($0) }
        return shape
    }

    /// How often interrupt endpoints of that shape have a report; nil for whenever the host asks.
    func reportMilliseconds(_ interrupt: InterruptShape) throws(ModelError) -> Int? {
        guard let period = try integer("report-every", in: 1...60_000) else { return nil }
        guard interrupt.packetSize >= 16 else {
            throw ModelError(
                "int-packet=\(interrupt.packetSize) is too small for report-every=\(period): a report has a number and "
                    + "a time, 16 bytes",
                key: "int-packet")
        }
        return period
    }

    func isochronous() throws(ModelError) -> IsochronousShape {
        var shape = IsochronousShape()
        let size = try integer("iso-packet", in: 1...(speed == .full ? 1_023 : 1_024))
        shape.packetSize = size.map { UInt16($0) }
        shape.interval = UInt8(try integer("iso-interval", in: 1...16) ?? 4)
        shape.transactions = UInt8(try integer("iso-transactions", in: 1...3, only: .high) ?? 1)
        shape.burst = UInt8(try integer("iso-burst", in: 0...15, only: .super) ?? 0)
        shape.mult = UInt8(try integer("iso-mult", in: 0...2, only: .super) ?? 0)
        // USB 2.0 §9.6.6: packets that would have fitted into fewer transactions are not allowed.
        let least = shape.transactions == 3 ? 683 : shape.transactions == 2 ? 513 : 1
        if let size, size < least {
            throw ModelError(
                "iso-packet=\(size) is too small for iso-transactions=\(shape.transactions); it is then "
                    + "\(least) to 1024",
                key: "iso-packet")
        }
        if let size, shape.burst > 0, size != 1_024 {
            throw ModelError("iso-packet=\(size) cannot burst; with iso-burst= it is 1024", key: "iso-packet")
        }
        if shape.mult > 0, shape.burst == 0 {
            throw ModelError(
                "iso-mult=\(shape.mult) repeats bursts, and there is none; give iso-burst=1 to 15 as well",
                key: "iso-mult")
        }
        return shape
    }

    /// A number that a key takes at the device's speed; nil when it is not given.
    private func integer(
        _ key: String, in range: ClosedRange<Int>, only required: Speed? = nil
    ) throws(ModelError) -> Int? {
        guard let text = options.string(key) else { return nil }
        if let required, required != speed {
            throw ModelError(
                "\(key)=\(text) is not possible at \(Self.word(speed)) speed; \(key) is for "
                    + "speed=\(Self.word(required))",
                key: key)
        }
        guard let number = Int(text), range.contains(number) else {
            throw refusal(key, text, "\(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private func refusal(_ key: String, _ value: String, _ allowed: String) -> ModelError {
        ModelError(
            "\(key)=\(value) is not possible at \(Self.word(speed)) speed; \(key) takes \(allowed) there", key: key)
    }

    private static func word(_ speed: Speed) -> String {
        switch speed {
        case .low: "low"
        case .full: "full"
        case .high: "high"
        case .super, .superPlus: "super"
        }
    }
}
