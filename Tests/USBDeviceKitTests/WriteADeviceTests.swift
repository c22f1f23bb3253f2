import DirectHost
import Foundation
import Testing
import USBCore
import USBDeviceKit

@Suite("Documentation/Write-a-device.md")
struct WriteADeviceTests {
    @Test("shows the device that is tested here, to the byte, in about 30 lines")
    func document() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let source = try String(contentsOf: folder.appending(path: "EchoDevice.swift"), encoding: .utf8)
        let root = folder.deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "Documentation/Write-a-device.md"), encoding: .utf8)
        let begin = try #require(source.range(of: "// BEGIN echo device\n"))
        let end = try #require(source.range(of: "// END echo device"))
        let code = source[begin.upperBound..<end.lowerBound]
        #expect(code.contains("class EchoDevice"))
        #expect(page.contains("```swift\n\(code)```\n"))
        #expect(code.split(separator: "\n").count <= 35)
    }

    private let host: DirectHost

    init() throws {
        host = DirectHost(try GadgetDevice(EchoDevice()))
        #expect(host.accepts(.setConfiguration(1)))
    }

    private let readCount = SetupPacket(requestType: 0xc0, request: 1, length: 8)

    @Test("the device sends back what it is sent, whoever comes first")
    func echo() {
        #expect(host.write(.out(1), [1, 2, 3])?.actualLength == 3)
        #expect(host.read(.in(1), 512)?.data == [1, 2, 3])
        let early = host.submitIn(.in(1), 512)
        #expect(host.waiting == [early], "NAK until there is something")
        #expect(host.write(.out(1), [4])?.status == .success)
        #expect(host.outcome(early)?.data == [4] && host.violations.isEmpty)
    }

    @Test("the device counts, answers its own request, and stalls others")
    func request() {
        #expect(host.answer(readCount) == [0])
        host.write(.out(1), [1])
        host.write(.out(1), [])
        #expect(host.answer(readCount) == [2])
        #expect(host.refuses(.init(requestType: 0xc0, request: 2, length: 8)))
        #expect(host.refuses(.init(requestType: 0x40, request: 1)))
        host.device.reset(.port)
        #expect(host.answer(readCount) == [0])
    }

    @Test("a host that never reads halts the OUT pipe; reading and clearing the halt revive it")
    func backPressure() {
        let piece = [UInt8](repeating: 7, count: 32 << 10)
        #expect(host.write(.out(1), piece)?.status == .success && host.write(.out(1), piece)?.status == .success)
        #expect(host.isHalted(.out(1)) == false)
        host.write(.out(1), piece)
        #expect(host.isHalted(.out(1)) == true && host.write(.out(1), [1])?.status == .stalled)
        #expect(host.read(.in(1), 32 << 10)?.data == piece && host.accepts(.clearHalt(.out(1))))
        host.write(.out(1), [9])
        #expect(host.read(.in(1), 32 << 10)?.data == piece && host.read(.in(1), 512)?.data == [9])
    }
}
