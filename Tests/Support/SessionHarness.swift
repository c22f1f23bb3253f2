import USBCore
package import USBIPSession

/// Keeps what a session sends.
package final class OutputCollector: SessionOutput {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package func send(_ head: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer) {
        unsafe bytes.append(contentsOf: head)
        unsafe bytes.append(contentsOf: tail)
    }
}

/// A session with a scripted device behind it, a strict client before it, and the transport's part played in memory.
package final class SessionHarness {
    package let device: ScriptedDevice
    package let output = OutputCollector()
    package let session: URBSession
    package var client = ClientModel()
    private let traffic: Traffic?
    private let log: EventLog
    private var unread: [UInt8] = []
    private var parsed = 0

    package init(
        _ device: ScriptedDevice = ScriptedDevice(), limits: SessionLimits = SessionLimits(),
        deviceID: UInt32 = 0x0001_0002, traffic: Traffic? = nil
    ) {
        self.device = device
        let log = EventLog()
        self.log = log
        device.connect()
        self.traffic = traffic
        session = URBSession(
            device: device, deviceID: deviceID, limits: limits, output: output, traffic: traffic,
            onEvent: { log.events.append($0) })
    }

    deinit {
        session.close()
        device.completeAll(.cancelled)
    }

    /// What the session had to tell of trouble.
    package var events: [SessionEvent] {
        log.events.filter { event in
            switch event {
            case .abandoned, .overLimit, .foreignDeviceID: true
            case .reset, .request, .unknownEndpoint: false
            }
        }
    }

    /// What the session had to tell of the device.
    package var told: [SessionEvent] {
        log.events.filter { event in
            switch event {
            case .abandoned, .overLimit, .foreignDeviceID: false
            case .reset, .request, .unknownEndpoint: true
            }
        }
    }

    /// Hands over bytes that arrive together, as a transport does: in place where the session says so, else through
    /// a read buffer of 64 KiB, with what was not taken in front of what comes next.
    ///
    /// - Throws: ``ProtocolViolation`` when the transport must close the connection.
    package func arrive(_ bytes: [UInt8]) throws(ProtocolViolation) {
        traffic?.begin()
        defer {
            session.flush()
            traffic?.end()
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let landing = unsafe session.landing
            if unsafe landing.isEmpty {
                let piece = rest.prefix(max(1, (64 << 10) - unread.count))
                rest = rest.dropFirst(piece.count)
                unread += piece
                try parse()
            } else {
                let piece = rest.prefix(landing.count)
                rest = rest.dropFirst(piece.count)
                unsafe landing.copyBytes(from: piece)
                try session.landed(piece.count)
            }
        }
    }

    private func parse() throws(ProtocolViolation) {
        let result = unsafe unread.withUnsafeBytes { all in
            Result { () throws(ProtocolViolation) in unsafe try session.receive(all) }
        }
        unread.removeFirst(try result.get())
    }

    /// Hands over bytes cut at the given places.
    package func arrive(_ bytes: [UInt8], cutAt places: [Int]) throws(ProtocolViolation) {
        var start = 0
        for end in places.sorted() + [bytes.count] where end > start && end <= bytes.count {
            try arrive(Array(bytes[start..<end]))
            start = end
        }
    }

    /// The answers since the last call.
    ///
    /// - Throws: ``ClientError`` when a client would not accept them.
    package func news() throws(ClientError) -> [Reply] {
        session.flush()
        let bytes = output.bytes[parsed...]
        parsed = output.bytes.count
        return try client.read(Array(bytes))
    }

    /// Hands over bytes and reads the answers.
    package func exchange(_ bytes: [UInt8]) throws -> [Reply] {
        try arrive(bytes)
        return try news()
    }
}

private final class EventLog {
    var events: [SessionEvent] = []
}
