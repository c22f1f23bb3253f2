import ArgumentParser
import DeviceModels
import Testing
import USBPassthrough

@testable import ghostplug

@Suite("real:* with --match")
struct RealDeviceSettingsTests {
    private let inventory = Inventory.listing([
        .sample([], class: 9), .sample([1], class: 8), .sample([2], product: 1, class: 3),
        .sample([3], product: 2, class: 8), .sample([4], class: 9),
    ])

    private func settings(
        _ devices: [String], _ matches: [String] = [], yaml: String = ""
    ) throws -> [(text: String, origin: String)] {
        var settings = ServeSettings()
        try settings.read(yaml: yaml, from: "bench.yaml")
        try settings.override(devices: devices, matches: matches)
        try settings.expandStars(inventory)
        return settings.devices.map { (Self.written($0.specification), $0.origin) }
    }

    private static func written(_ specification: DeviceSpecification) -> String {
        "\(specification.model):" + specification.options.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }

    private func failure(_ devices: [String], _ matches: [String], yaml: String = "") throws -> Failure? {
        #expect(throws: Failure.self) { try settings(devices, matches, yaml: yaml) }
    }

    @Test("stands for each device that meets a condition now, by its place")
    func expansion() throws {
        let found = try settings(["drive", "real:device=*", "zero"], ["class=mass-storage"])
        #expect(found.map(\.text) == ["drive:", "real:device=3-1", "real:device=3-3", "zero:"])
        #expect(found[1].origin == "'real:device=*', 3-1")
    }

    @Test("stands for what meets any of several")
    func anyOf() throws {
        let found = try settings(["real:device=*"], ["class=hid", "vendor=1d6b,product=2"])
        #expect(found.map(\.text) == ["real:device=3-2", "real:device=3-3"])
    }

    @Test("takes its other options along, in their order")
    func options() throws {
        let found = try settings(["real:pace=free,device=*,wait=yes"], ["class=08"])
        #expect(
            found.map(\.text) == ["real:pace=free,device=3-1,wait=yes", "real:pace=free,device=3-3,wait=yes"])
    }

    @Test("leaves out what is named itself, and what it has given already")
    func twice() throws {
        let found = try settings(["real:device=*", "real:device=1d6b:2", "real:device=*"], ["class=08"])
        #expect(found.map(\.text) == ["real:device=3-1", "real:device=1d6b:2"])
    }

    @Test("can have a bus id when it stands for one device only")
    func busID() throws {
        #expect(
            try settings(["real:device=*,busid=1-7"], ["class=hid"]).map(\.text) == ["real:device=3-2,busid=1-7"])
        let failure = try failure(["real:device=*,busid=1-7"], ["class=08"])
        #expect(failure?.code == .validationFailure)
        #expect(failure?.description.hasSuffix("busid= is for one device, and 2 meet the conditions") == true)
    }

    @Test("is the same in a file, with conditions for all or for one")
    func file() throws {
        let found = try settings(
            [],
            yaml: """
                match: class=hid
                devices:
                  - real:device=*
                  - model: real
                    device: "*"
                    pace: free
                    match: ["class=printer", "class=08,product=2"]
                """)
        #expect(found.map(\.text) == ["real:device=3-2", "real:device=3-3,pace=free"])
        #expect(found[1].origin == "bench.yaml:4, 3-3")
        #expect(
            try settings([], ["product=2"], yaml: "match: class=hid\ndevices: [real:device=*]").map(\.text)
                == ["real:device=3-3"])
    }

    @Test("is refused without conditions, and conditions are without it")
    func mistakes() throws {
        let star = try failure(["real:device=*"], [])
        #expect(star?.code == .validationFailure && star?.description.contains("--match class=mass-storage") == true)
        let match = try failure(["real:device=3-1", "drive"], ["class=hid"])
        #expect(match?.code == .validationFailure && match?.description.contains("there is no real:*") == true)
    }

    @Test("says what there is when nothing meets the conditions")
    func nothing() throws {
        let failure = try failure(["real:device=*"], ["class=printer", "speed=low"])
        #expect(
            failure?.code == .failure
                && failure?.description
                    == "'real:device=*': there is no device that meets class=printer or speed=low; there is: "
                    + "3-1 = 1d6b:0104, 3-2 = 1d6b:0001, 3-3 = 1d6b:0002"
        )
    }

    @Test(
        "is refused with file, line and key where a condition is wrong",
        arguments: [
            ("match: class=sofa", "bench.yaml:1: match: class=sofa is not possible"),
            ("match: {class: hid}", "bench.yaml:1: match: a list is expected"),
            ("devices:\n- {model: real, device: '*', match: [a=b]}", "bench.yaml:2: match: there is no condition 'a'"),
            ("devices:\n- {model: drive, match: class=08}", "bench.yaml:2: match goes with 'model: real'"),
            ("devices:\n- {model: real, device: 3-1, match: class=08}", "bench.yaml:2: match goes with 'model: real'"),
        ])
    func malformed(_ yaml: String, _ beginning: String) {
        let error = #expect(throws: ConfigurationError.self) { try settings([], yaml: yaml) }
        #expect(error?.description.hasPrefix(beginning) == true, "\(error?.description ?? "")")
    }

    @Test("does not ask libusb when there is no star")
    func noStar() throws {
        var settings = ServeSettings()
        try settings.override(devices: ["drive", "real:device=3-1"])
        try settings.expandStars(.failing(.other))
        #expect(settings.devices.count == 2)
    }

    @Test("is what the command line of serve and plug take")
    func commands() throws {
        let words = ["real:*", "--match", "class=hid", "--match", "class=08,vendor=1"]
        #expect(try (Serve.parseAsRoot(words) as? Serve)?.match == ["class=hid", "class=08,vendor=1"])
        #expect(try (Plug.parseAsRoot(words) as? Plug)?.match == ["class=hid", "class=08,vendor=1"])
    }
}
