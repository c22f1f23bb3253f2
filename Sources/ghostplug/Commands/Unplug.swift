import ArgumentParser
import CommandSupport
import DeviceControl
import SocketIO

/// `ghostplug unplug`.
struct Unplug: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Unplug what 'ghostplug plug' has plugged in.",
        discussion: """
            Finds the running 'ghostplug plug' by its control socket. Without bus \
            ids, everything of it is unplugged, writes are finished, and it ends; \
            with bus ids, only those devices are. Returns when that is done.

            EXAMPLES:
              sudo ghostplug unplug                 the only 'plug' that runs
              sudo ghostplug unplug 1-2             one of its devices
              sudo ghostplug unplug --all           every 'plug' of this user
              sudo ghostplug unplug --control /run/ghostplug/4711.sock

            For what 'ghostplug attach' or 'usbip attach' have attached, there is
            'ghostplug detach'.

            EXIT STATUS:
              69   nothing is plugged in, or not as was said
              74   data could not be written where they belong
            """)

    @Argument(help: ArgumentHelp("Which devices, as 'plug' named them. (default: all)", valueName: "busid"))
    var busIDs: [String] = []

    @Option(help: ArgumentHelp("The control socket of the 'plug' that is meant.", valueName: "path"))
    var control: String?

    @Flag(help: "Everything that this user has plugged in, however many processes that are.")
    var all = false

    func validate() throws {
        if all, control != nil || !busIDs.isEmpty {
            throw ValidationError("--all is everything: it takes neither bus ids nor --control")
        }
    }

    mutating func run() throws {
        do throws(Failure) {
            try unplug()
        } catch {
            throw error.report()
        }
    }

    private func unplug() throws(Failure) {
        let processes = try PlugProcess.running(control)
        guard !processes.isEmpty else {
            throw Failure(
                "nothing is plugged in by 'ghostplug plug'; 'ghostplug ports' shows what else is, and 'ghostplug "
                    + "detach' removes that", .unavailable)
        }
        if all {
            for process in processes { try process.stop() }
        } else if busIDs.isEmpty {
            try only(of: processes).stop()
        } else {
            for busID in busIDs {
                let owners = processes.filter { $0.busIDs.contains(busID) }
                guard !owners.isEmpty else {
                    let known = processes.flatMap(\.busIDs).joined(separator: ", ")
                    throw Failure("there is no plugged device '\(busID)'; there is: \(known)", .unavailable)
                }
                try only(of: owners).remove(busID)
            }
        }
    }

    private func only(of processes: [PlugProcess]) throws(Failure) -> PlugProcess {
        guard processes.count == 1, let process = processes.first else {
            let lines = processes.map { "--control \($0.path) (\($0.busIDs.joined(separator: ", ")))" }
            throw Failure(
                "several 'ghostplug plug' run; say which, or --all: \(lines.joined(separator: ", "))", .unavailable)
        }
        return process
    }
}

/// A running `ghostplug plug`, as its control interface shows it.
private struct PlugProcess {
    let path: String
    let busIDs: [String]
    private let client: ControlClient

    /// Those of this user that have something plugged in.
    static func running(_ path: String?) throws(Failure) -> [PlugProcess] {
        if let path = path ?? ControlFolder.variable("GHOSTPLUG_CONTROL") {
            do throws(ControlError) {
                return try [PlugProcess(path)].compactMap(\.self)
            } catch {
                throw Failure(error)
            }
        }
        do throws(SocketError) {
            // One that ends at this moment has nothing plugged in any more.
            return try ControlFolder().sockets().compactMap { path in try? PlugProcess(path) }
        } catch {
            throw Failure("\(error)", .unavailable)
        }
    }

    private init?(_ path: String) throws(ControlError) {
        client = try ControlClient(path: path)
        guard case .array(let devices)? = try client.perform(ControlRequest("devices"))["devices"] else { return nil }
        let plugged = devices.filter { $0["port"] != nil }
        guard !plugged.isEmpty else { return nil }
        self.path = path
        busIDs = plugged.compactMap { if case .string(let busID)? = $0["busid"] { busID } else { nil } }
    }

    /// Unplugs everything, and waits until the process has done what it does at its end.
    func stop() throws(Failure) {
        // One by one, to be told of what could not be written; with the last one it ends by itself.
        for busID in busIDs { try remove(busID) }
        _ = try? client.perform(ControlRequest("stop"))
        try? client.follow { _ in true }
    }

    func remove(_ busID: String) throws(Failure) {
        try perform(ControlRequest("remove", [("busid", .string(busID))]))
    }

    private func perform(_ request: ControlRequest) throws(Failure) {
        do throws(ControlError) {
            _ = try client.perform(request)
        } catch {
            throw Failure(error)
        }
    }
}
