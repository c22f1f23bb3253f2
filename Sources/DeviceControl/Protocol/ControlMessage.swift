import CommandSupport

/// The lines of the control protocol.
package enum ControlMessage {
    /// The protocol's version: what an old client needs stays as it is while this number does.
    package static let version = 1
    /// The longest line that a server takes, in bytes, without its end.
    package static let requestLimit = 1 << 20

    /// What a server says first.
    static func greeting(version: String, processID: Int32) -> JSON {
        .object([
            ("ghostplug", .string(version)), ("protocol", .number(Self.version)), ("pid", .number(Int(processID))),
        ])
    }

    /// The line of a request.
    static func request(_ request: ControlRequest, id: JSON) -> JSON {
        .object([("id", id), ("do", .string(request.command))] + request.members)
    }

    /// The line of an answer.
    static func answer(_ outcome: Result<[(String, JSON)], ControlError>, id: JSON) -> JSON {
        switch outcome {
        case .success(let members): return .object([("id", id), ("ok", .bool(true)), ("result", .object(members))])
        case .failure(let error):
            let members: [(String, JSON)] = [
                ("code", .string(error.code.rawValue)), ("message", .string(error.message)),
            ]
            return .object([("id", id), ("ok", .bool(false)), ("error", .object(members))])
        }
    }

    /// A line that a client sent, taken apart.
    struct Incoming {
        /// What the answer has as its id; null where the line has none that can be had.
        let id: JSON
        let request: Result<ControlRequest, ControlError>

        init(line: ArraySlice<UInt8>) {
            var id = JSON.null
            do throws(ControlError) {
                request = .success(try Self.read(line, &id))
            } catch {
                request = .failure(error)
            }
            self.id = id
        }

        private static func read(
            _ line: ArraySlice<UInt8>, _ id: inout JSON
        ) throws(ControlError) -> ControlRequest {
            guard case .object(let members) = try parse(line) else {
                throw ControlError(.invalid, "a request is a JSON object, such as {\"id\":1,\"do\":\"devices\"}")
            }
            var command: JSON?
            var others: [(String, JSON)] = []
            others.reserveCapacity(members.count)
            var isKnownID = true
            for (name, value) in members {
                switch name {
                case "id":
                    isKnownID = isID(value)
                    id = isKnownID ? value : .null
                case "do": command = value
                default: others.append((name, value))
                }
            }
            // A fraction might come back as another one.
            guard isKnownID else { throw ControlError(.invalid, "an id is a text, a whole number or null") }
            guard case .string(let name) = command else {
                throw ControlError(.invalid, "a request says in \"do\" what to do, such as {\"do\":\"devices\"}")
            }
            return ControlRequest(name, others)
        }

        private static func parse(_ line: ArraySlice<UInt8>) throws(ControlError) -> JSON {
            guard line.allSatisfy({ $0 < 0x80 }) || String(validating: line, as: UTF8.self) != nil else {
                throw ControlError(.invalid, "the request is not UTF-8")
            }
            do throws(JSONError) {
                return try JSON(parsing: line)
            } catch {
                // Its text begins with a line number, and there is only one line.
                let reason = error.description.drop { $0 != ":" }.dropFirst(2)
                throw ControlError(.invalid, "the request is no JSON: \(reason)")
            }
        }

        private static func isID(_ value: JSON) -> Bool {
            switch value {
            case .null, .string, .number: true
            default: false
            }
        }
    }
}

extension JSON {
    /// The value as a line of its own.
    var line: [UInt8] { Array((text + "\n").utf8) }
}
