import Glibc
import Testing

@testable import USBIPSession

@Suite("Growing buffer")
struct GrowingBufferTests {
    @Test("memory is kept from use to use, and grows")
    func grows() {
        var buffer = GrowingBuffer()
        let first = unsafe buffer.bytes(1)
        #expect(unsafe buffer.bytes(64 << 10) == first)
        let large = unsafe buffer.bytes(1 << 20)
        unsafe large.initializeMemory(as: UInt8.self, repeating: 1, count: 1 << 20)
        #expect(unsafe buffer.bytes(10) == large)
    }

    @Test("memory is given away to a transfer that is worth it, and to none else")
    func detaches() throws {
        var buffer = GrowingBuffer()
        let memory = unsafe buffer.bytes(1 << 20)
        #expect(unsafe buffer.detach(holding: memory + 1, 1 << 20) == nil)
        #expect(unsafe buffer.detach(holding: memory, 20_000) == nil, "a small transfer must not keep a megabyte")
        let taken = unsafe try #require(unsafe buffer.detach(holding: memory, 1 << 20))
        #expect(unsafe taken == memory)
        #expect(unsafe buffer.detach(holding: memory, 1 << 20) == nil)
        #expect(unsafe buffer.bytes(10) != taken)
        unsafe free(taken)
    }

    @Test("memory of a huge transfer is not kept for small ones")
    func shrinks() {
        var buffer = GrowingBuffer()
        let huge = unsafe buffer.bytes(32 << 20)
        #expect(unsafe buffer.bytes(32 << 20) == huge)
        let small = unsafe buffer.bytes(100)
        #expect(unsafe buffer.detach(holding: small, 32 << 10) == small)
        unsafe free(small)
    }
}
