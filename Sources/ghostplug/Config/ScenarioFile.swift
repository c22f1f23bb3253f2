import ArgumentParser
import DeviceControl
import Glibc
import Logging
import SocketIO
import USBIPServer
import Yams

/// A scenario's file: the scenario, and how it is to be played.
struct ScenarioFile {
    /// The largest file that is read as a scenario.
    private static let sizeLimit = 1 << 20
    /// The most values in it, with every use of an alias.
    private static let nodeLimit = 200_000
    /// What happens.
    let scenario: Scenario
    /// How the devices are served.
    private(set) var settings = ServeSettings()
    /// Whether devices are plugged into this machine, rather than served to others.
    var isLocal = true

    /// Reads a file, and checks all that can be known of it.
    ///
    /// - Throws: ``Failure`` that names the file, the line, and what is allowed there.
    init(path: String) throws(Failure) { try self.init(yaml: try Self.contents(of: path), from: path) }

    /// Reads a scenario.
    ///
    /// - Parameter file: the name that errors give.
    init(yaml text: String, from file: String) throws(Failure) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw Self.mistake("\(file): not YAML: \(error)")
        }
        guard let root else { throw Self.mistake("\(file): empty; a scenario has devices and steps") }
        do throws(ScenarioFileError) {
            var reader = NodeReader(file: file, left: Self.nodeLimit)
            scenario = try Scenario(try reader.read(root, 0), file: file)
        } catch {
            throw Self.mistake("\(error)")
        }
        settings.control = .none
        settings.logLevel = .warning
        do throws(ConfigurationError) {
            if let node = root.mapping?["settings"] { try apply(node, file) }
        } catch {
            throw Self.mistake("\(error)")
        }
    }

    private static func mistake(_ text: String) -> Failure { Failure(text, .validationFailure) }

    // MARK: Settings

    private mutating func apply(_ node: Node, _ file: String) throws(ConfigurationError) {
        guard let mapping = node.mapping else {
            throw ConfigurationError("\(Self.place(node, file)): settings: a mapping is expected, such as {pace: bus}")
        }
        for (key, value) in mapping {
            let name = key.string ?? "?"
            let place = "\(Self.place(key, file)): \(name)"
            let values = (value.sequence.map { Array($0) } ?? [value]).compactMap(\.scalar?.string)
            guard !values.isEmpty else { throw ConfigurationError("\(place): a value is expected") }
            switch name {
            case "plug":
                guard let choice = ["yes": true, "true": true, "no": false, "false": false][values[0]] else {
                    throw ConfigurationError("\(place): '\(values[0])' is neither yes nor no")
                }
                isLocal = choice
            case "listen":
                settings.server.listen = []
                for text in values { settings.server.listen.append(try ServeSettings.address(text, place)) }
            case "allow":
                settings.server.allow = []
                for text in values { settings.server.allow.append(try ServeSettings.range(text, place)) }
            case _ where ServeSettings.scalarKeys.contains(name):
                guard values.count == 1 else { throw ConfigurationError("\(place): a single value is expected") }
                try settings.set(name, to: values[0], place)
            default:
                throw ConfigurationError(
                    "\(Self.place(key, file)): there is no setting '\(name)'; there are: "
                        + (["plug", "listen", "allow"] + ServeSettings.scalarKeys).joined(separator: ", "))
            }
        }
    }

    private static func place(_ node: Node, _ file: String) -> String {
        node.mark.map { "\(file):\($0.line)" } ?? file
    }

    // MARK: The file

    private static func contents(of path: String) throws(Failure) -> String {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw mistake("\(path): \(unsafe String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw mistake("\(path): \(unsafe String(cString: strerror(errno)))") }
            if count == 0 { break }
            bytes += piece[..<count]
            guard bytes.count <= sizeLimit else {
                throw mistake("\(path): larger than \(sizeLimit >> 20) MiB; that is no scenario")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw mistake("\(path): not UTF-8") }
        return text
    }
}

/// Turns YAML's nodes into a scenario's, as many and as deep as a scenario may have.
private struct NodeReader {
    let file: String
    /// How many there may still be: an alias repeats what it stands for, and aliases of aliases explode.
    var left: Int

    /// How deep values may stand in each other.
    private static let depthLimit = 40

    mutating func read(_ node: Node, _ depth: Int) throws(ScenarioFileError) -> ScenarioNode {
        let line = node.mark?.line ?? 1
        left -= 1
        guard left >= 0 else { throw ScenarioFileError(file, line, "too many values, with every use of an alias") }
        guard depth < Self.depthLimit else {
            throw ScenarioFileError(file, line, "values stand too deep in each other")
        }
        switch node {
        case .scalar(let scalar): return ScenarioNode(line: line, .text(scalar.string))
        case .sequence(let sequence):
            var nodes: [ScenarioNode] = []
            for node in sequence { nodes.append(try read(node, depth + 1)) }
            return ScenarioNode(line: line, .list(nodes))
        case .mapping(let mapping):
            var members: [(key: ScenarioNode, value: ScenarioNode)] = []
            for (key, value) in mapping {
                members.append((try read(key, depth + 1), try read(value, depth + 1)))
            }
            return ScenarioNode(line: line, .mapping(members))
        case .alias: throw ScenarioFileError(file, line, "an alias stands for nothing")
        }
    }
}
