import Testing

@testable import DeviceModels

@Suite("MODEL:KEY=VALUE,…")
struct SpecificationTests {
    @Test(
        "is read into a model and options in order",
        arguments: [
            ("drive", "drive", [] as [String]),
            ("drive:size=1G", "drive", ["size=1G"]),
            ("drive:readonly", "drive", ["readonly=yes"]),
            ("drive:label=A=B,size=2M", "drive", ["label=A=B", "size=2M"]),
            ("drive:image=a\\,b.img", "drive", ["image=a,b.img"]),
            ("drive:image=a\\\\b", "drive", ["image=a\\b"]),
            ("drive:image=a.img,image=b.img", "drive", ["image=a.img", "image=b.img"]),
            ("drive:label=", "drive", ["label="]),
        ])
    func parsing(_ text: String, model: String, options: [String]) throws {
        let specification = try DeviceSpecification(parsing: text)
        #expect(specification.model == model)
        #expect(specification.options.map { "\($0.key)=\($0.value)" } == options)
    }

    @Test("survives being written and read again", arguments: ["drive:image=a\\,b\\\\c,size=1G", "drive"])
    func roundTrip(_ text: String) throws {
        let once = try DeviceSpecification(parsing: text)
        #expect(try DeviceSpecification(parsing: once.description) == once)
    }

    @Test(
        "is refused with a reason when it is malformed",
        arguments: ["", ":size=1", "drive:", "drive:a=1,,b=2", "drive:=1"])
    func refusals(_ text: String) {
        #expect(throws: ModelError.self) { try DeviceSpecification(parsing: text) }
    }

    @Test("gives the bus id that was asked for")
    func busID() throws {
        #expect(try DeviceSpecification(parsing: "drive:busid=2-1").busID == "2-1")
        #expect(try DeviceSpecification(parsing: "drive").busID == nil)
    }
}

/// A model with a subject.
private enum LampModel: DeviceModel {
    static let name = "lamp"
    static let summary = "a lamp"
    static let keys = [
        ModelKey("room", "any text", default: "none", "where it stands"),
        ModelKey("dim", "yes|no", default: "no", "whether it is dimmed"),
    ]
    static let subject: String? = "room"
    static let examples: [(specification: String, meaning: String)] = []

    static func make(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> ModelDevice {
        throw ModelError(unavailable: "lamps are sold out")
    }
}

@Suite("MODEL:SUBJECT,KEY=VALUE,…")
struct SubjectTests {
    private let models: [any DeviceModel.Type] = [DriveModel.self, LampModel.self]

    private func read(_ text: String) throws(ModelError) -> DeviceSpecification {
        try DeviceSpecification(parsing: text, models: models)
    }

    @Test(
        "stands for the subject's key, wherever it is the first option without a key of the model",
        arguments: [
            ("lamp:1d6b:0104", ["room=1d6b:0104"]),
            ("lamp:1d6b:0104:SER=1", ["room=1d6b:0104:SER=1"]),
            ("lamp:3-1.2,busid=1-7", ["room=3-1.2", "busid=1-7"]),
            ("lamp:busid=1-7,3-1.2", ["busid=1-7", "room=3-1.2"]),
            ("lamp:dim,attic", ["dim=yes", "room=attic"]),
            ("lamp:room=attic", ["room=attic"]),
            ("lamp:*", ["room=*"]),
            ("lamp:a\\,b\\\\c", ["room=a,b\\c"]),
            ("lamp:=x", ["room==x"]),
            // Only one can be the subject; what else is no key is refused as such, later.
            ("lamp:attic,cellar=1", ["room=attic", "cellar=1"]),
            ("lamp:room=attic,cellar", ["room=attic", "cellar=yes"]),
            // A model without a subject takes nothing of the kind.
            ("drive:attic", ["attic=yes"]),
        ])
    func parsing(_ text: String, options: [String]) throws {
        #expect(try read(text).options.map { "\($0.key)=\($0.value)" } == options)
    }

    @Test(
        "is what is written, unless it would be read as something else",
        arguments: [
            ("lamp:room=3-1.2,busid=1-7", "lamp:3-1.2,busid=1-7"), ("lamp:3-1.2", "lamp:3-1.2"),
            ("lamp:busid=1-7,room=attic", "lamp:busid=1-7,attic"), ("lamp:room=dim", "lamp:room=dim"),
            ("lamp:room=dim=1", "lamp:room=dim=1"), ("lamp:room=", "lamp:room="),
            ("lamp:room=a,room=b", "lamp:a,room=b"),
        ])
    func writing(_ text: String, written: String) throws { #expect(try read(text).text(models) == written) }

    @Test("survives being written and read again, whatever is in the values")
    func roundTrip() throws {
        let pieces = [
            "a", "3-1.2", ",", "\\", "=", ":", "room", "dim", "busid", "*", " ", "\u{301}", "\r\n", "é", "🇩🇪",
            "\u{200d}",
        ]
        var random = SplitMix(state: 7)
        func value() -> String {
            (0..<Int.random(in: 0...5, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
        }
        for _ in 0..<4000 {
            let keys = ["room", "dim", "busid", "pace", "room"].shuffled(using: &random)
            let options = keys.prefix(Int.random(in: 0...4, using: &random)).map {
                DeviceSpecification.Option($0, value())
            }
            let made = DeviceSpecification(model: "lamp", options: options)
            #expect(try read(made.text(models)) == made, "\(made.text(models))")
        }
    }

    @Test("has a key that the model knows, for every model there is")
    func registry() {
        for model in ModelRegistry.models {
            guard let subject = model.subject else { continue }
            #expect(model.keys.contains { $0.name == subject }, "\(model.name)")
        }
    }
}

/// A small generator that gives the same numbers in every run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
