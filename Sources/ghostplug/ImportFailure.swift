import ArgumentParser
import SocketIO
import USBCore
import USBIPClient
import USBIPWire

/// Why a server did not give a device, with what it has instead.
enum ImportFailure {
    static func words(_ error: HostError, server: HostAndPort, busID: String) -> Failure {
        switch error {
        case .refused(_, let status):
            let why = status == .deviceBusy ? ": another client has it" : ""
            return Failure("\(server) does not export \(busID)\(why)\(offers(of: server))", .unavailable)
        case .socket(let cause):
            let hint =
                cause.description.contains("refused") ? "; is a server running there? ('ghostplug serve drive')" : ""
            return Failure("\(error)\(hint)", .unavailable)
        case .invalidRequest:
            return Failure("'\(busID)' is no bus id: \(error)", .validationFailure)
        default:
            return Failure("\(server): \(error)", .unavailable)
        }
    }

    /// What the server has instead, as far as it says so.
    private static func offers(of server: HostAndPort) -> String {
        guard let entries = try? DeviceList.fetch(from: server) else { return "" }
        let names = entries.map { PrintableText.of($0.device.busID) }
        return names.isEmpty ? "; it has no device to attach" : "; it has \(names.joined(separator: ", "))"
    }
}
