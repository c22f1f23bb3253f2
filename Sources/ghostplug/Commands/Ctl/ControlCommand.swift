import ArgumentParser
import CommandSupport
import DeviceControl

/// Which server a command is for.
struct ServerOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server's control socket. (default: $GHOSTPLUG_CONTROL, or the only server that runs)",
            valueName: "path"))
    var control: String?
}

/// What commands of `ghostplug ctl` take.
struct ControlOptions: ParsableArguments {
    @OptionGroup var server: ServerOption

    @Flag(help: "The answer as one JSON object.")
    var json = false
}

/// A command of `ghostplug ctl` that is one request.
protocol ControlCommand: ParsableCommand {
    var options: ControlOptions { get }

    /// What to ask for.
    ///
    /// - Throws: ``Failure`` when what was given makes no request.
    func request() throws(Failure) -> ControlRequest

    /// The answer for people; nil to say nothing.
    func text(for result: JSON) -> String?
}

extension ControlCommand {
    mutating func run() throws {
        do throws(Failure) {
            let request = try request()
            let result = try perform(request)
            if let text = options.json ? result.text : text(for: result) { try WholeFile.printResult(text) }
        } catch {
            throw error.report()
        }
    }

    private func perform(_ request: ControlRequest) throws(Failure) -> JSON {
        do throws(ControlError) {
            let client = try ControlEndpoint.connect(to: options.server.control)
            defer { client.close() }
            return try client.perform(request)
        } catch {
            throw Failure(error)
        }
    }

    /// What an action tells, a line each.
    func text(for result: JSON) -> String? {
        guard case .object(let members) = result, !members.isEmpty else { return nil }
        return members.map { name, value in "\(name): \(plain(value))" }.joined(separator: "\n")
    }
}

/// A value for people: texts without quotes.
func plain(_ value: JSON?) -> String {
    switch value {
    case nil, .null: ""
    case .string(let text): text
    case .some(let value): value.text
    }
}

extension ExitCode {
    /// What was waited for did not happen in time.
    static let timedOut = ExitCode(75)
}

extension Failure {
    /// The failure of a request.
    init(_ error: ControlError) {
        let code: ExitCode =
            switch error.code {
            case .invalid, .unknownCommand: .validationFailure
            case .unreachable, .busy, .denied, .unknownDevice: .unavailable
            case .timeout: .timedOut
            case ErrorCode(rawValue: "data-loss"): .dataLoss
            default: .failure
            }
        self.init(error.message, code)
    }
}

/// Reads `KEY=VALUE` arguments; the server and the device judge what they mean.
func keyValues(_ texts: [String]) throws(Failure) -> [(String, JSON)] {
    var members: [(String, JSON)] = []
    for text in texts {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
            throw Failure("'\(text)' is no KEY=VALUE", .validationFailure)
        }
        let key = String(text[..<equals])
        guard !["id", "do", "busid"].contains(key) else {
            throw Failure("'\(key)' is the protocol's, and no argument of an action", .validationFailure)
        }
        guard !members.contains(where: { $0.0 == key }) else {
            throw Failure("\(key) is given twice", .validationFailure)
        }
        members.append((key, .string(String(text[text.index(after: equals)...]))))
    }
    return members
}
