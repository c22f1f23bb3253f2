import CommandSupport
import DeviceModels
import Testing

@Suite("Arguments of an action")
struct ActionArgumentsTests {
    private let summary = DeviceAction.Summary(
        "insert", "put a medium in",
        [
            ActionParameter("lun", "0 to 15", default: nil, "the unit"),
            ActionParameter("image", "PATH", default: "none", "the file"),
        ])

    private func read(_ members: (String, JSON)...) throws(ModelError) -> ActionArguments {
        try ActionArguments(members, of: summary)
    }

    @Test("that are null are as if not given, but must be known")
    func null() throws {
        let arguments = try read(("lun", .number(1)), ("image", .null))
        #expect(!arguments.has("image") && arguments.has("lun"))
        #expect(try arguments.string("image") == nil)
        #expect(throws: ModelError.self) { try read(("lun", .null)) }
        #expect(throws: ModelError.self) { try read(("lun", .number(1)), ("imago", .null)) }
    }

    @Test("that cannot be come back in the error, but not at any length")
    func long() throws {
        let long = String(repeating: "x", count: 1 << 20)
        let value = #expect(throws: ModelError.self) { try read(("lun", .string(long))).integer("lun", in: 0...15) }
        let name = #expect(throws: ModelError.self) { try read((long, .number(1))) }
        for error in [value, name] { #expect((20...300).contains(error?.description.utf8.count ?? 0)) }
    }
}
