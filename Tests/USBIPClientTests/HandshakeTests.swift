import SocketIO
import TestSupport
import Testing
import USBCore
import USBIPClient
import USBIPWire

@Suite("Importing", .timeLimit(.minutes(10)))
struct HandshakeTests {
    /// What an import over a stream comes to that answers `bytes` and then ends.
    private func outcome(
        _ bytes: [UInt8], busID: String = "1-1", endsStream: Bool = true, timeout: Duration = .seconds(10)
    ) throws -> HostError? {
        let (near, far) = try HostilePeer.pair()
        try near.sendAll(bytes)
        // Half of it only: the request can still be sent.
        if endsStream { near.finishWriting() }
        do throws(HostError) {
            _ = try RemoteDevice.attach(over: far, busID: busID, timeout: timeout)
            return nil
        } catch {
            return error
        }
    }

    @Test("an import that is answered well brings the record")
    func good() throws {
        let peer = try HostilePeer()
        #expect(peer.device.record == HostilePeer.record)
        #expect(peer.device.speed == .high)
    }

    @Test("a refusal says why")
    func refusals() throws {
        for status: OpStatus in [.notAvailable, .deviceBusy, .deviceError, .noDevice, .error] {
            #expect(try outcome(OpHeader(.importReply, status).bytes) == .refused(busID: "1-1", status: status))
        }
        let server = try HostedServer()
        #expect(throws: HostError.refused(busID: "9-9", status: .noDevice)) {
            _ = try RemoteDevice.attach(to: server.address, busID: "9-9")
        }
        let device = try server.attachScripted()
        #expect(throws: HostError.refused(busID: "1-1", status: .deviceBusy)) {
            _ = try RemoteDevice.attach(to: server.address, busID: "1-1")
        }
        #expect(device.remote.connectionError == nil)
    }

    @Test("an answer that breaks off anywhere is a server that has gone")
    func truncated() throws {
        let whole = OpMessage.importReply(HostilePeer.record)
        for count in 0..<whole.count {
            #expect(try outcome(Array(whole.prefix(count))) == .disconnected, "\(count) bytes")
        }
        #expect(try outcome(whole) == nil)
    }

    @Test("an answer that is none, or for another device, is a violation")
    func violations() throws {
        var other = HostilePeer.record
        other.busID = "1-2"
        var unterminated = OpMessage.importReply(HostilePeer.record)
        for index in 8..<264 { unterminated[index] = 0x41 }
        var version = OpMessage.importReply(HostilePeer.record)
        version[0] = 2
        for bytes in [
            OpMessage.importReply(other), unterminated, version, OpHeader(.deviceListReply).bytes,
            Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8),
        ] {
            guard case .violation = try outcome(bytes) else {
                Issue.record("\(bytes.prefix(8)) was taken")
                continue
            }
        }
    }

    @Test("a server that says nothing is not waited for")
    func silence() throws {
        guard case .unresponsive = try outcome([1, 0x11], endsStream: false, timeout: .milliseconds(30)) else {
            Issue.record("silence was taken")
            return
        }
    }

    @Test("a bus id that is none is not sent", arguments: ["", "a\u{0}b", String(repeating: "1", count: 32)])
    func busID(_ busID: String) throws {
        guard case .invalidRequest = try outcome([], busID: busID) else {
            Issue.record("\(busID) was sent")
            return
        }
    }
}
