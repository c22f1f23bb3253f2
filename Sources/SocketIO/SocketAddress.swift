import Glibc

/// An Internet address and a port.
@safe public struct SocketAddress: Sendable, CustomStringConvertible {
    private var storage = sockaddr_storage()
    private var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

    /// The kernel's own form, filled in by `body`.
    init(filling body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Void) {
        unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, &length) }
        }
    }

    func withPointer<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }

    var family: Int32 { Int32(storage.ss_family) }

    /// Finds the addresses of a host.
    ///
    /// - Parameters:
    ///   - host: a name or a numeric address.
    ///   - port: 0 to 65535.
    /// - Throws: ``SocketError`` when the name means nothing.
    public static func resolve(host: String, port: UInt16) throws(SocketError) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = lookupFlags(for: host)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            throw SocketError("cannot find the host \(host): \(unsafe String(cString: gai_strerror(code)))")
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe entry.pointee.ai_addr {
                let size = unsafe entry.pointee.ai_addrlen
                addresses.append(
                    unsafe SocketAddress { storage, length in
                        unsafe memcpy(storage, address, Int(size))
                        unsafe length.pointee = size
                    })
            }
            unsafe next = entry.pointee.ai_next
        }
        return addresses
    }

    /// A loopback interface has no global address, so only names are filtered by what the machine can reach.
    private static func lookupFlags(for host: String) -> Int32 {
        host.contains(where: \.isLetter) && !host.contains(":") && host != "localhost" ? AI_ADDRCONFIG : 0
    }

    /// The port.
    public var port: UInt16 {
        unsafe withUnsafeBytes(of: storage) { bytes in unsafe UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }
    }

    /// The address's bytes: 4, or 16; an IPv4 address mapped into IPv6 gives its 4.
    public var addressBytes: [UInt8] {
        let bytes = unsafe withUnsafeBytes(of: storage) { unsafe Array($0.prefix(24)) }
        guard family == AF_INET6 else { return Array(bytes[4..<8]) }
        let address = Array(bytes[8..<24])
        return address.starts(with: Self.mappedPrefix) ? Array(address.suffix(4)) : address
    }

    /// How an IPv4 address mapped into IPv6 begins (RFC 4291 §2.5.5.2).
    static let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

    /// Whether only this machine can reach the address.
    public var isLoopback: Bool {
        let bytes = addressBytes
        return bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }

    /// The address and the port, such as `127.0.0.1:3240` or `[::1]:3240`.
    public var description: String {
        "\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    /// The numeric address without the port.
    public var host: String {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let size = socklen_t(text.count)
        let code = unsafe withPointer { address, length in
            unsafe getnameinfo(address, length, &text, size, nil, 0, NI_NUMERICHOST)
        }
        guard code == 0 else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A host and a port as people write them: `host`, `host:port`, `[v6]:port`, `:port`, a bare IPv6 address.
public struct HostAndPort: Hashable, Sendable, CustomStringConvertible {
    /// The registered USB/IP port.
    public static let usbipPort: UInt16 = 3240

    /// A name or a numeric address, without brackets.
    public var host: String
    /// The port; 0 lets the system choose.
    public var port: UInt16

    /// Makes a pair.
    public init(host: String, port: UInt16 = usbipPort) {
        self.host = host
        self.port = port
    }

    /// Reads the forms above; nil when the text is none of them.
    public init?(_ text: String) {
        var host = text[...]
        var portText: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            portText = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.lastIndex(of: ":"), text.firstIndex(of: ":") == colon {
            host = text[..<colon]
            portText = text[text.index(after: colon)...]
        }
        var port = Self.usbipPort
        if let portText {
            // UInt16 alone would take a sign as well.
            guard portText.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains),
                let number = UInt16(portText)
            else { return nil }
            port = number
        }
        // Only ":3240" leaves the host out.
        guard !host.contains(where: \.isWhitespace), !host.isEmpty || text.hasPrefix(":") else { return nil }
        // Digits and dots are an IPv4 address with its four parts; the system would also take "3240" for 0.0.12.168.
        let isNumeric = !host.isEmpty && host.allSatisfy { $0.isNumber || $0 == "." }
        guard !isNumeric || host.split(separator: ".", omittingEmptySubsequences: false).count == 4 else { return nil }
        // More than one colon outside brackets is an IPv6 address, and not a mistyped port.
        let address = host.prefix { $0 != "%" }
        guard !host.contains(":") || address.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else { return nil }
        self.init(host: host.isEmpty ? "127.0.0.1" : String(host), port: port)
    }

    /// The pair as it would be written, brackets included.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
