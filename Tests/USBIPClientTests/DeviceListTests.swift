import SocketIO
import TestSupport
import Testing
import USBIPWire

@testable import USBIPClient

@Suite("Asking for the list of devices", .timeLimit(.minutes(10)))
struct DeviceListTests {
    @Test("brings what a server offers, whatever the timeout")
    func list() throws {
        let device = try HostedServer().attachScripted()
        device.remote.close()
        for timeout: Int32 in [.min, 0, 10, .max] {
            #expect(
                settles {
                    let entries = try? DeviceList.fetch(from: device.host.address, timeout: timeout)
                    return entries?.map(\.device.busID) == ["1-1"]
                })
        }
    }

    @Test("ends at the deadline, though the server goes on sending")
    func trickle() throws {
        let (near, far) = try HostilePeer.pair()
        let over = Tally()
        try startThread("trickle") {
            // A list that would take for ever, a byte now and then.
            _ = try? near.sendAll(OpHeader(.deviceListReply, .ok).bytes + [0, 0, 0xff, 0xff])
            while over.value == 0, (try? near.sendAll([0])) != nil { pause(milliseconds: 1) }
        }
        #expect(throws: SocketError.self) {
            try DeviceList.fetch(over: far, named: "it", until: Deadline(after: .milliseconds(100)))
        }
        over.add()
    }
}
