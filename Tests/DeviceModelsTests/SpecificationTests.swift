import DeviceModels
import Testing

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
