import ArgumentParser
import Logging
import SocketIO

/// `ghostplug proxy`.
struct Proxy: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stand between USB/IP clients and a server, and record what passes.",
        discussion: """
            Clients connect here instead of to the server; each gets a connection of its \
            own to it. Every byte passes through unchanged, in both directions, whatever \
            it is. With --capture, what the bytes mean is written as usbmon records, \
            which Wireshark and 'ghostplug show' read, each device on a bus of its own. \
            Works with every server: Linux's usbipd, usbipd-win, this program.

            Only this machine can connect unless --listen says otherwise: whoever can \
            connect can use the server. A server on this machine usually has port 3240 \
            itself: then choose another port here, and tell clients (--tcp-port of the \
            usbip tool).

            EXAMPLES:
              ghostplug proxy --upstream 192.168.1.7 --capture session.pcapng
              sudo ghostplug attach 127.0.0.1 1-1
              ghostplug proxy --upstream 127.0.0.1 --listen 127.0.0.1:3241 --capture session.pcapng

            Runs until Ctrl-C or SIGTERM. A connection that breaks the protocol passes \
            all the same; its recording ends there, with a note in the log and the file.

            EXIT STATUS:
              69   an address cannot be listened on
              74   the capture could not be written to its end
            """)

    @Option(help: ArgumentHelp("The server. (port: 3240)", valueName: "host[:port]"))
    var upstream: String

    @Option(
        help: ArgumentHelp(
            "Where clients connect; repeatable; port 0 takes a free one. (default: 127.0.0.1:3240)",
            valueName: "address:port"))
    var listen: [String] = []

    @Option(
        help: ArgumentHelp(
            "Record what passes, as pcapng with usbmon records; replaces an older capture.",
            valueName: "file.pcapng"))
    var capture: String?

    @Option(help: "What to log: trace, debug, info, notice, warning, error, critical. (default: info)")
    var logLevel: String?

    @Option(help: "How to log, on standard error: text or json. (default: text)")
    var logFormat: String?

    mutating func run() throws {
        do throws(Failure) {
            try ProxyRun(settings()).run()
        } catch {
            throw error.report()
        }
    }

    private func settings() throws(Failure) -> ProxyRun.Settings {
        do throws(ConfigurationError) {
            var settings = ProxyRun.Settings(upstream: try ServeSettings.address(upstream, "--upstream"))
            guard settings.upstream.port != 0 else { throw ConfigurationError("--upstream: port 0 is no server's") }
            for text in listen { settings.listen.append(try ServeSettings.address(text, "--listen")) }
            if settings.listen.isEmpty { settings.listen = [HostAndPort(host: "127.0.0.1")] }
            settings.capture = capture
            if let logLevel { settings.logLevel = try ServeSettings.level(logLevel, "--log-level") }
            if let logFormat { settings.logFormat = try ServeSettings.format(logFormat, "--log-format") }
            return settings
        } catch {
            throw Failure("\(error)", .validationFailure)
        }
    }
}
