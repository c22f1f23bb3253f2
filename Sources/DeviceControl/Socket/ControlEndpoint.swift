import CommandSupport
import SocketIO

/// Finds the server that a command is for.
package enum ControlEndpoint {
    /// The variable that names a server's socket.
    package static let variable = "GHOSTPLUG_CONTROL"

    /// Connects to the server that is meant.
    ///
    /// - Parameters:
    ///   - path: where it listens, if that was said; otherwise ``variable`` says it, or only one is in the folder.
    ///   - folder: where this user's servers are.
    ///   - environment: a variable's value.
    /// - Throws: ``ControlError`` (unreachable) when there is none; (invalid) when there are several.
    package static func connect(
        to path: String?, in folder: ControlFolder = ControlFolder(),
        environment: (String) -> String? = ControlFolder.variable
    ) throws(ControlError) -> ControlClient {
        if let path = path ?? environment(variable) { return try ControlClient(path: path) }
        let sockets: [String]
        do throws(SocketError) {
            sockets = try folder.sockets()
        } catch {
            throw ControlError(.unreachable, "\(error)")
        }
        // What a killed server left behind is passed over.
        let clients = sockets.compactMap { try? ControlClient(path: $0) }
        guard clients.count <= 1 else {
            let list = clients.map { "\($0.path) (\(describe($0)))" }.joined(separator: ", ")
            for client in clients { client.close() }
            throw ControlError(
                .invalid, "\(clients.count) servers run; choose one with --control PATH or \(variable): \(list)")
        }
        guard let client = clients.first else {
            throw ControlError(
                .unreachable,
                "no server of this user runs; start one with 'ghostplug serve DEVICE', or name another's socket with "
                    + "--control PATH")
        }
        return client
    }

    private static func describe(_ client: ControlClient) -> String {
        let process = "process \(client.processID)"
        guard let result = try? client.perform(ControlRequest("devices"), timeout: .seconds(2)),
            case .array(let devices) = result["devices"]
        else { return process }
        let names = devices.prefix(4).map { device in
            let text = { (name: String) -> String in if case .string(let text) = device[name] { text } else { "?" } }
            return "\(text("model")) \(text("busid"))"
        }
        return ([process] + names + (devices.count > 4 ? ["…"] : [])).joined(separator: ", ")
    }
}
