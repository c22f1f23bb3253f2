import ArgumentParser
import CBenchReference
import DeviceControl
import DeviceModels
import Glibc
import Logging
import SocketIO
import USBIPServer
import USBRecording

/// What every child is told, and the descriptors it is given.
struct ChildOptions: ParsableArguments {
    @Option var parent: Int32

    /// Where a child announces that it is ready.
    static let output: Int32 = 3
    /// A file that its parent has opened for it.
    static let file: Int32 = 4

    /// Ends this process when its parent ends.
    func follow() { bench_follow_parent(parent) }
}

/// `ghostbench serve`: the server that is measured, made of the same parts as `ghostplug serve`.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve", shouldDisplay: false)

    @Argument var device: String
    @Option var count = 1
    /// Where the control interface is to be.
    @Option var control: String?
    /// Where transfers are recorded.
    @Option var capture: String?
    @OptionGroup var options: ChildOptions

    func run() throws {
        options.follow()
        signal(SIGPIPE, SIG_IGN)
        let logger = Logger(label: "ghostbench") { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = .warning
            return handler
        }
        var configuration = ServerConfiguration()
        configuration.listen = [HostAndPort(host: "127.0.0.1", port: 0)]
        let server = USBIPServer(configuration, logger: logger)
        let specification = try DeviceSpecification(parsing: device)
        var decorator: DeviceDecorator?
        if let capture {
            let writer = try CaptureWriter(path: capture, application: "ghostbench", logger: logger)
            decorator = { device, made in CaptureTap(device, writer.register(RecordedDevice(name: made.busID))) }
        }
        let devices = RunningDevices(server, logger: logger, decorator: decorator) { _exit(0) }
        for _ in 0..<count { try devices.add(specification) }
        let control = try self.control.map { path in
            try ControlServer(path: path, target: devices, version: "bench", logger: logger)
        }
        try control?.start()
        guard let address = try server.start().first, bench_write_number(ChildOptions.output, Int32(address.port))
        else {
            throw Failure("the server has nowhere to listen, or no one to tell")
        }
        withExtendedLifetime((server, devices, control)) { while true { pause() } }
    }
}

/// `ghostbench reference`: what the server is compared with.
struct ReferenceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "reference", shouldDisplay: false)

    @Option var portFd: Int32 = ChildOptions.output
    @Option var mebibytes: UInt64 = 64
    @OptionGroup var options: ChildOptions

    func run() throws {
        options.follow()
        let code = bench_reference_serve(portFd, mebibytes << 20)
        throw Failure("the reference cannot serve: \(unsafe String(cString: strerror(code)))")
    }
}

/// `ghostbench spin`: keeps one processor awake.
struct SpinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "spin", shouldDisplay: false)

    @Argument var processor: Int32
    @OptionGroup var options: ChildOptions

    func run() throws {
        options.follow()
        bench_keep_awake(processor, ChildOptions.output)
        throw ExitCode.failure
    }
}
