import DirectHost
import Logging
import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPSession
import USBIPWire

@testable import USBPassthrough

/// A real device on a fake bus, with a session and a strict client before it.
final class WireBench {
    let fake = FakeLibUSB()
    let files = BusFiles()
    let notes = LogNotes()
    let path: String
    let real: RealDevice
    var client = ClientModel()
    private let executor = DeviceExecutor(clock: ManualClock())
    private let output = OutputCollector()
    private let session: URBSession
    private let news = News()
    private let ends = News()
    private var parsed = 0
    private var replies: [Reply] = []
    private var next: UInt32 = 0

    /// Plugs a device in and imports it.
    init(_ change: (inout FakeDevice) -> Void = { _ in }) throws {
        var device = FakeDevice(.sample(), driven: [0, 1])
        change(&device)
        path = device.listed.path
        files.add(device)
        fake.plug(device)
        real = try RealDevice(
            DeviceSelector(parsing: path), Inventory(fake.table, root: files.root), fake.table,
            watch: PlugWatch(isManual: true), options: RealDevice.Options(), logger: notes.logger)
        real.device.attach(to: executor)
        try real.open()
        session = URBSession(device: real.device, deviceID: client.deviceID, output: output)
        let (session, news, ends) = (session, news, ends)
        executor.run { real.device.connect() }
        executor.run {
            executor.setAfterWork { [unowned session] _ in
                session.flush()
                news.add()
            }
        }
        executor.setEndConnection { ends.add() }
        fake.monitor.withLock { fake.onChange = { [files] in files.update($0) } }
    }

    deinit {
        executor.run { session.close() }
        fake.finishAll()
        _ = waits { session.keptCount == 0 }
        executor.run { executor.setAfterWork(nil) }
        real.close()
    }

    /// Ends the session, and sees that all was in order.
    func finish(_ location: SourceLocation = #_sourceLocation) {
        executor.run { session.close() }
        executor.setEndConnection(nil)
        real.release()
        #expect(waits { session.keptCount == 0 }, "every transfer comes back", sourceLocation: location)
        #expect(fake.violations == [], sourceLocation: location)
        #expect(fake.leftovers == [], sourceLocation: location)
    }

    /// Another command's number.
    func number() -> UInt32 {
        next += 1
        return next
    }

    /// Hands over bytes as a transport does: in place where the session says so.
    func arrive(_ bytes: [UInt8]) throws(ProtocolViolation) {
        var rest = bytes[...]
        let result = executor.run { () -> Result<Void, ProtocolViolation> in
            Result { () throws(ProtocolViolation) in
                while !rest.isEmpty { rest = rest.dropFirst(try take(rest)) }
            }
        }
        try result.get()
    }

    /// - Returns: how many of the bytes have been used.
    private func take(_ bytes: ArraySlice<UInt8>) throws(ProtocolViolation) -> Int {
        let landing = unsafe session.landing
        guard unsafe landing.isEmpty else {
            let piece = bytes.prefix(landing.count)
            unsafe landing.copyBytes(from: piece)
            try session.landed(piece.count)
            return piece.count
        }
        return try unsafe bytes.withUnsafeBytes { all in
            Result { () throws(ProtocolViolation) in unsafe try session.receive(all) }
        }.get()
    }

    /// Waits until there are `count` answers since the last call; fewer when they do not come.
    ///
    /// - Throws: ``ClientError`` when a client would not accept them.
    func answers(_ count: Int) throws -> [Reply] {
        while true {
            let seen = news.count
            let bytes = executor.run { () -> [UInt8] in
                session.flush()
                defer { parsed = output.bytes.count }
                return Array(output.bytes[parsed...])
            }
            replies += try client.read(bytes)
            guard replies.count < count, news.waits(beyond: seen) else { break }
        }
        defer { replies.removeFirst(min(count, replies.count)) }
        return Array(replies.prefix(count))
    }

    /// Hands over a command and waits for its answer.
    func exchange(_ bytes: [UInt8]) throws -> Reply? {
        try arrive(bytes)
        return try answers(1).first
    }

    /// Whether the device ends the connection, or comes to.
    var isEnded: Bool { ends.waits(beyond: 0) }

    private func waits(_ condition: () -> Bool) -> Bool {
        while true {
            let seen = news.count
            if executor.run(condition) { return true }
            guard news.waits(beyond: seen) else { return executor.run(condition) }
        }
    }
}
