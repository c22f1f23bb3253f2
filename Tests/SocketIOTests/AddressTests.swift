import SocketIO
import Testing

@Suite("Addresses")
struct AddressTests {
    private func address(_ text: String) throws -> SocketAddress {
        try #require(try SocketAddress.resolve(host: text, port: 0).first)
    }

    @Test(
        "a block contains the addresses that share its prefix, and no others",
        arguments: [
            ("192.168.1.0/24", "192.168.1.0", true), ("192.168.1.0/24", "192.168.1.255", true),
            ("192.168.1.0/24", "192.168.2.0", false), ("192.168.1.77/24", "192.168.1.3", true),
            ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/9", "10.127.255.255", true), ("10.0.0.0/9", "10.128.0.0", false),
            ("0.0.0.0/0", "255.1.2.3", true), ("0.0.0.0/0", "::1", false), ("1.2.3.4", "1.2.3.4", true),
            ("1.2.3.4", "1.2.3.5", false), ("1.2.3.4/32", "1.2.3.4", true), ("1.2.3.4/31", "1.2.3.5", true),
            ("::1", "::1", true), ("::1", "::2", false), ("::/0", "fe80::1", true), ("::/0", "1.2.3.4", false),
            ("fe80::/10", "febf::1", true), ("fe80::/10", "fec0::1", false), ("2001:db8::/33", "2001:db8::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false), ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true), ("::ffff:10.0.0.0/104", "11.1.2.3", false),
            ("::ffff:1.2.3.4", "1.2.3.4", true), ("::/0", "::ffff:10.1.2.3", false),
        ])
    func contains(range: String, host: String, isInside: Bool) throws {
        let range = try #require(AddressRange(range))
        #expect(try range.contains(address(host)) == isInside)
    }

    @Test(
        "text that could mean something else is no block",
        arguments: [
            "", "/", "/8", "10/8", "10.0/16", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "010.0.0.1x", "1.2.3.4/33",
            "1.2.3.4/-1", "1.2.3.4/+8", "1.2.3.4/", "1.2.3.4/8/8", "1.2.3.4/ 8", " 1.2.3.4", "::1/129", "cafe",
            "localhost", "fe80::1%lo", "1.2.3.4/99999999999999999999", "::g", "1.2.3.4:80", "[::1]", "1.2.3.4/٣",
        ])
    func refuses(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test(
        "a block is described as it would be written",
        arguments: [("10.0.0.0/8", "10.0.0.0/8"), ("1.2.3.4", "1.2.3.4/32"), ("::1", "0:0:0:0:0:0:0:1/128")])
    func description(text: String, description: String) throws {
        let range = try #require(AddressRange(text))
        #expect(range.description == description)
        #expect(AddressRange(range.description) == range)
    }

    @Test(
        "a host and a port, as people write them",
        arguments: [
            ("host", "host", 3240), ("host:1", "host", 1), (":81", "127.0.0.1", 81), ("10.0.0.1:0", "10.0.0.1", 0),
            ("[::1]:3241", "::1", 3241), ("[::1]", "::1", 3240), ("::1", "::1", 3240), ("fe80::1", "fe80::1", 3240),
            ("[fe80::1%lo]:5", "fe80::1%lo", 5), ("0.0.0.0", "0.0.0.0", 3240), ("host:65535", "host", 65535),
        ] as [(String, String, UInt16)])
    func hostAndPort(text: String, host: String, port: UInt16) throws {
        let pair = try #require(HostAndPort(text))
        #expect(pair == HostAndPort(host: host, port: port))
        #expect(HostAndPort(pair.description) == pair)
    }

    @Test(
        "text that is neither a host nor a port",
        arguments: [
            "", "[", "[::1", "[::1]x", "[::1]:", "[]", "[]:1", "host:", "host:65536", "host:-1", "host:+1", "host:x",
            "host:٣", "a b", " ", "host: 1",
        ])
    func badHostAndPort(text: String) {
        #expect(HostAndPort(text) == nil)
    }

    @Test(
        "loopback is 127/8 and ::1",
        arguments: [
            ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("::ffff:127.0.0.1", true), ("128.0.0.1", false),
            ("0.0.0.0", false), ("::", false), ("::2", false), ("1::1", false),
        ])
    func loopback(host: String, isLoopback: Bool) throws {
        #expect(try address(host).isLoopback == isLoopback)
    }

    @Test("an address is written with brackets where it needs them")
    func text() throws {
        #expect(try SocketAddress.resolve(host: "127.0.0.1", port: 3240).first?.description == "127.0.0.1:3240")
        #expect(try SocketAddress.resolve(host: "::1", port: 80).first?.description == "[::1]:80")
        #expect(try SocketAddress.resolve(host: "::1", port: 80).first?.port == 80)
    }

    @Test("a name that means nothing says so")
    func unknownName() {
        #expect(throws: SocketError.self) { try SocketAddress.resolve(host: "no such host", port: 1) }
    }
}
